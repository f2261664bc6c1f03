package policy

import "storefront/internal/inventory"

// testCase is resources that meet a row, and faults each of which spoils that.
type testCase struct {
	row    int
	met    []*inventory.Resource
	faults []fault
}

const (
	everyone  = `{"Statement":[{"Effect":"Allow","Principal":"*","Action":"x:Y","Resource":"*"}]}`
	oneRole   = `{"Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:role/r"},"Action":"x:Y","Resource":"*"}]}`
	service   = `{"Statement":{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}}`
	tlsPolicy = `{"Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"false"}}}]}`
	narrow    = `{"Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}]}`
	decrypts  = `{"Statement":[{"Effect":"Allow","Action":["kms:Decrypt"],"Resource":"*"}]}`
	anything  = `{"Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::b"}]}`
	deletes   = `{"Statement":[{"Effect":"Allow","Action":"s3:DeleteBucket","Resource":"*"}]}`
)

func cases() []testCase {
	var all []testCase
	for _, block := range [][]testCase{
		balancerCases(), computeCases(), networkCases(), databaseCases(), cacheCases(), searchCases(), messageCases(), keyCases(), trailCases(), bucketCases(),
		edgeCases(), identityCases(), otherCases(),
	} {
		all = append(all, block...)
	}
	return all
}

func balancerCases() []testCase {
	balancer := res(loadBalancer, "b", in{
		"dropInvalidHeaderFields": true, "accessLogs": in{"enabled": true}, "enableDeletionProtection": true, "desyncMitigationMode": "strictest",
		"subnets": values{"@a", "@c"},
	})
	plain := res(listener, "http", in{
		"loadBalancerArn": "@b", "protocol": "HTTP", "defaultActions": values{in{"type": "redirect", "redirect": in{"protocol": "HTTPS"}}},
	})
	tls := res(listener, "https", in{"loadBalancerArn": "@b", "protocol": "HTTPS", "sslPolicy": "ELBSecurityPolicy-TLS13-1-2-2021-06"})
	a, c := res(subnet, "a", in{"availabilityZone": "a"}), res(subnet, "c", in{"availabilityZone": "c"})
	return []testCase{
		{1, []*inventory.Resource{plain}, []fault{set("http", "defaultActions", values{in{"type": "forward"}})}},
		{2, []*inventory.Resource{balancer, tls}, []fault{drop("https"), set("https", "sslPolicy", "ELBSecurityPolicy-2016-08"), set("https", "protocol", "HTTP")}},
		{3, []*inventory.Resource{balancer}, []fault{set("b", "dropInvalidHeaderFields", false)}},
		{4, []*inventory.Resource{balancer}, []fault{set("b", "accessLogs", in{"enabled": false})}},
		{5, []*inventory.Resource{balancer}, []fault{set("b", "enableDeletionProtection", false)}},
		{6, []*inventory.Resource{balancer}, []fault{set("b", "desyncMitigationMode", "monitor")}},
		{7, []*inventory.Resource{balancer, a, c}, []fault{set("b", "subnets", values{"@a"}), set("c", "availabilityZone", "a")}},
		{8, []*inventory.Resource{balancer, res(webACLAssociation, "w", in{"resourceArn": "@b"})}, []fault{drop("w"), set("w", "resourceArn", "@other")}},
	}
}

func computeCases() []testCase {
	two := values{in{"instanceType": "a"}, in{"instanceType": "b"}}
	group := res(fleet, "g", in{
		"targetGroupArns": values{"arn"}, "healthCheckType": "ELB", "vpcZoneIdentifiers": values{"subnet-1", "subnet-2"},
		"mixedInstancesPolicy": in{"launchTemplate": in{"overrides": two}},
	})
	template := res(launchTemplate, "t", in{
		"metadataOptions":     in{"httpTokens": "required", "httpPutResponseHopLimit": 1.0},
		"networkInterfaces":   values{in{"associatePublicIpAddress": "false"}},
		"blockDeviceMappings": values{in{"ebs": in{"encrypted": "true"}}},
		"userData":            "IyEvYmluL3NoClRPS0VOPSQoY3VybCkK", "iamInstanceProfile": in{"arn": "@p"},
	})
	profile, servers := res(instanceProfile, "p", in{"role": "@r"}), res(role, "r", nil)
	return []testCase{
		{9, []*inventory.Resource{group}, []fault{set("g", "healthCheckType", "EC2")}},
		{10, []*inventory.Resource{group}, []fault{set("g", "vpcZoneIdentifiers", values{"subnet-1"}), set("g", "mixedInstancesPolicy", in{})}},
		{11, []*inventory.Resource{template}, []fault{
			set("t", "metadataOptions", in{"httpTokens": "optional", "httpPutResponseHopLimit": 1.0}), set("t", "metadataOptions", in{"httpTokens": "required", "httpPutResponseHopLimit": 2.0}),
		}},
		{12, []*inventory.Resource{template}, []fault{set("t", "networkInterfaces", values{in{"associatePublicIpAddress": "true"}}), set("t", "networkInterfaces", values{})}},
		{13, []*inventory.Resource{group}, []fault{unset("g", "mixedInstancesPolicy")}},
		{14, []*inventory.Resource{template, res(volumeDefault, "d", in{"enabled": true})}, []fault{
			drop("d"), set("t", "blockDeviceMappings", values{in{"ebs": in{}}}),
		}},
		{15, []*inventory.Resource{template}, []fault{set("t", "userData", "PASSWORD=letmein")}},
		{16, []*inventory.Resource{template, profile, servers, res(rolePolicy, "grant", in{"role": "@r"})}, []fault{drop("grant"), unset("t", "iamInstanceProfile")}},
	}
}

func networkCases() []testCase {
	network := res(vpc, "v", nil)
	in443 := res(ingressRule, "in", in{"securityGroupId": "@g", "ipProtocol": "tcp", "fromPort": 443.0, "toPort": 443.0, "cidrIpv4": "0.0.0.0/0", "description": "Clients"})
	out443 := res(egressRule, "out", in{"securityGroupId": "@g", "ipProtocol": "tcp", "fromPort": 443.0, "toPort": 443.0, "cidrIpv4": "0.0.0.0/0", "description": "AWS"})
	acl := res(networkRule, "acl", in{"egress": false, "ruleAction": "allow", "protocol": "tcp", "fromPort": 80.0, "toPort": 443.0, "cidrBlock": "0.0.0.0/0"})
	ssh := res(groupRule, "old", in{"type": "ingress", "protocol": "tcp", "fromPort": 20.0, "toPort": 21.0, "cidrBlocks": values{"0.0.0.0/0"}, "description": "x"})
	denied, guard := res(group, "denied", nil), res(firewallPolicy, "guard", in{"securityServicePolicyData": in{"managedServiceData": "@denied"}})
	listed := res(ingressRule, "listed", in{"securityGroupId": "@denied", "ipProtocol": "tcp", "fromPort": 22.0, "toPort": 22.0, "cidrIpv4": "0.0.0.0/0", "description": "Reported"})
	g, user := res(group, "g", nil), res(loadBalancer, "b", in{"securityGroups": values{"@g"}})
	return []testCase{
		{17, []*inventory.Resource{network, res(defaultGroup, "d", in{"vpcId": "@v"})}, []fault{drop("d"), set("d", "ingress", values{in{"protocol": "-1"}})}},
		{18, []*inventory.Resource{network, res(flowLog, "f", in{"vpcId": "@v", "trafficType": "ALL"})}, []fault{drop("f"), set("f", "trafficType", "ACCEPT")}},
		{19, []*inventory.Resource{
			network, res(queue, "q", nil), res(secret, "s", nil), endpointTo("s3"), endpointTo("ec2"), endpointTo("sqs"), endpointTo("secretsmanager"),
		}, []fault{drop("s3"), drop("ec2"), drop("sqs"), drop("secretsmanager")}},
		{20, []*inventory.Resource{in443, acl, ssh, denied, guard, listed, res(networkACL, "own", in{"ingress": values{}})}, []fault{
			drop("guard"), set("listed", "securityGroupId", "@g"),
			set("own", "ingress", values{in{"action": "allow", "protocol": "-1", "cidrBlock": "0.0.0.0/0"}}),
			set("in", "ipProtocol", "-1"), set("in", "fromPort", 22.0), set("acl", "protocol", "-1"), set("acl", "toPort", 4000.0), set("old", "toPort", 22.0),
		}},
		{21, []*inventory.Resource{in443}, []fault{set("in", "toPort", 8443.0), set("in", "ipProtocol", "udp")}},
		{22, []*inventory.Resource{res(subnet, "a", in{"mapPublicIpOnLaunch": false})}, []fault{set("a", "mapPublicIpOnLaunch", true)}},
		{23, []*inventory.Resource{g, user, in443, out443}, []fault{set("out", "ipProtocol", "-1"), unset("in", "description"), drop("b")}},
	}
}

func endpointTo(service string) *inventory.Resource {
	return res(endpoint, service, in{"vpcId": "@v", "serviceName": "com.amazonaws.us-east-1." + service})
}

func databaseCases() []testCase {
	c := res(cluster, "c", in{
		"storageEncrypted": true, "kmsKeyId": "@k", "deletionProtection": true, "iamDatabaseAuthenticationEnabled": true,
		"enabledCloudwatchLogsExports": values{"postgresql"}, "dbClusterParameterGroupName": "@pg", "copyTagsToSnapshot": true,
		"engine": "aurora-postgresql", "port": 5433.0, "masterUsername": "storefront",
	})
	member := func(name, zone string) *inventory.Resource {
		return res(clusterInstance, name, in{
			"clusterIdentifier": "@c", "availabilityZone": zone, "publiclyAccessible": false, "autoMinorVersionUpgrade": true,
			"monitoringInterval": 60.0, "performanceInsightsEnabled": true,
		})
	}
	w, r := member("w", "a"), member("r", "b")
	parameters := res(databaseGroup, "pg", in{"parameters": values{
		in{"name": "log_statement", "value": "ddl"}, in{"name": "log_min_duration_statement", "value": "1000"},
	}})
	return []testCase{
		{24, []*inventory.Resource{c}, []fault{set("c", "storageEncrypted", false), unset("c", "kmsKeyId")}},
		{25, []*inventory.Resource{w, res(clusterSnapshot, "s", nil)}, []fault{set("w", "publiclyAccessible", true), set("s", "sharedAccounts", values{"all"})}},
		{26, []*inventory.Resource{c}, []fault{set("c", "deletionProtection", false)}},
		{27, []*inventory.Resource{c}, []fault{set("c", "iamDatabaseAuthenticationEnabled", false)}},
		{28, []*inventory.Resource{c, w, r}, []fault{drop("r"), set("r", "availabilityZone", "a")}},
		{29, []*inventory.Resource{c, parameters}, []fault{
			drop("pg"), set("c", "enabledCloudwatchLogsExports", values{}), set("pg", "parameters", values{in{"name": "log_statement", "value": "none"}}),
		}},
		{30, []*inventory.Resource{w}, []fault{set("w", "autoMinorVersionUpgrade", false)}},
		{31, []*inventory.Resource{w}, []fault{set("w", "monitoringInterval", 0.0), set("w", "performanceInsightsEnabled", false)}},
		{32, []*inventory.Resource{c, res(backupSelection, "plan", in{"resources": values{"@c"}})}, []fault{drop("plan"), set("c", "copyTagsToSnapshot", false)}},
		{33, []*inventory.Resource{c}, []fault{set("c", "port", 5432.0), set("c", "masterUsername", "Postgres")}},
	}
}

func cacheCases() []testCase {
	c := []*inventory.Resource{res(replicationGroup, "c", in{
		"atRestEncryptionEnabled": true, "kmsKeyId": "@k", "transitEncryptionEnabled": true, "authToken": "x", "automaticFailoverEnabled": true,
		"multiAzEnabled": true, "snapshotRetentionLimit": 1.0, "autoMinorVersionUpgrade": true, "subnetGroupName": "@s",
	})}
	return []testCase{
		{34, c, []fault{set("c", "atRestEncryptionEnabled", "false"), unset("c", "kmsKeyId")}},
		{35, c, []fault{set("c", "transitEncryptionEnabled", false), unset("c", "authToken")}},
		{36, c, []fault{set("c", "automaticFailoverEnabled", false), set("c", "multiAzEnabled", false)}},
		{37, c, []fault{set("c", "snapshotRetentionLimit", 0.0), set("c", "autoMinorVersionUpgrade", false), unset("c", "subnetGroupName")}},
	}
}

func searchCases() []testCase {
	d := []*inventory.Resource{res(openSearch, "d", in{
		"encryptAtRest": in{"enabled": true, "kmsKeyId": "@k"}, "nodeToNodeEncryption": in{"enabled": true},
		"vpcOptions":              in{"subnetIds": values{"a"}, "securityGroupIds": values{"@g"}},
		"domainEndpointOptions":   in{"enforceHttps": true, "tlsSecurityPolicy": "Policy-Min-TLS-1-2-PFS-2023-10"},
		"logPublishingOptions":    values{in{"logType": "ES_APPLICATION_LOGS"}, in{"logType": "AUDIT_LOGS", "enabled": true}},
		"clusterConfig":           in{"instanceCount": 3.0, "zoneAwarenessEnabled": true, "dedicatedMasterEnabled": true, "dedicatedMasterCount": 3.0},
		"advancedSecurityOptions": in{"enabled": true},
	})}
	return []testCase{
		{38, d, []fault{set("d", "encryptAtRest", in{"enabled": true, "kmsKeyId": "alias/aws/es"}), set("d", "nodeToNodeEncryption", in{})}},
		{39, d, []fault{unset("d", "vpcOptions")}},
		{40, d, []fault{set("d", "domainEndpointOptions", in{"enforceHttps": true, "tlsSecurityPolicy": "Policy-Min-TLS-1-0-2019-07"})}},
		{41, d, []fault{set("d", "logPublishingOptions", values{in{"logType": "ES_APPLICATION_LOGS"}, in{"logType": "AUDIT_LOGS", "enabled": false}})}},
		{42, d, []fault{set("d", "clusterConfig", in{"instanceCount": 2.0, "zoneAwarenessEnabled": true})}},
		{43, d, []fault{set("d", "advancedSecurityOptions", in{"enabled": false})}},
	}
}

func messageCases() []testCase {
	return []testCase{
		{44, []*inventory.Resource{res(queue, "q", in{"kmsMasterKeyId": "@k"}), res(queuePolicy, "p", in{"policy": oneRole})}, []fault{unset("q", "kmsMasterKeyId"), set("p", "policy", everyone)}},
		{45, []*inventory.Resource{res(topic, "t", in{"kmsMasterKeyId": "@k"}), res(topicPolicy, "p", in{"policy": oneRole})}, []fault{unset("t", "kmsMasterKeyId"), set("p", "policy", everyone)}},
	}
}

func keyCases() []testCase {
	k := res(key, "k", in{"enableKeyRotation": true, "policy": oneRole, "isEnabled": true})
	return []testCase{
		{46, []*inventory.Resource{k}, []fault{set("k", "enableKeyRotation", false)}},
		{47, []*inventory.Resource{k, res(rolePolicy, "p", in{"policy": narrow})}, []fault{set("k", "policy", everyone), set("k", "policy", nil), set("p", "policy", decrypts)}},
		{48, []*inventory.Resource{k}, []fault{set("k", "isEnabled", false)}},
	}
}

func trailCases() []testCase {
	t := res(trail, "t", in{
		"isMultiRegionTrail": true, "kmsKeyId": "@k", "enableLogFileValidation": true, "cloudWatchLogsGroupArn": "@g", "s3BucketName": "@b",
	})
	kept := []*inventory.Resource{t, res(logGroup, "g", nil), res(metricFilter, "m", in{"logGroupName": "@g"}), res(bucketTypes[0], "b", nil), blocked(), res(bucketLogging[0], "l", in{"bucket": "@b"})}
	return []testCase{
		{49, []*inventory.Resource{t, res(vpc, "v", nil)}, []fault{drop("t"), set("t", "isMultiRegionTrail", false)}},
		{50, []*inventory.Resource{t}, []fault{unset("t", "kmsKeyId"), set("t", "enableLogFileValidation", false)}},
		{51, kept, []fault{drop("m"), drop("l"), drop("block"), drop("g")}},
	}
}

func blocked() *inventory.Resource {
	return res(bucketBlock[0], "block", in{
		"bucket": "@b", "blockPublicAcls": true, "blockPublicPolicy": true, "ignorePublicAcls": true, "restrictPublicBuckets": true,
	})
}

func bucketCases() []testCase {
	b := res(bucketTypes[0], "b", nil)
	account := res(accountS3, "account", in{"blockPublicAcls": true, "blockPublicPolicy": true, "ignorePublicAcls": true, "restrictPublicBuckets": true})
	return []testCase{
		{52, []*inventory.Resource{b, blocked(), account}, []fault{drop("block"), drop("account"), set("block", "blockPublicPolicy", false)}},
		{53, []*inventory.Resource{b, res(bucketPolicy[0], "p", in{"bucket": "@b", "policy": tlsPolicy}), res(bucketOwnership[0], "o", in{"bucket": "@b", "rule": in{"objectOwnership": "BucketOwnerEnforced"}})},
			[]fault{set("p", "policy", oneRole), drop("o"), set("o", "rule", in{"objectOwnership": "ObjectWriter"})}},
		{54, []*inventory.Resource{
			b, res(bucketCipher[0], "c", in{"bucket": "@b", "rules": values{in{"applyServerSideEncryptionByDefault": in{"sseAlgorithm": "aws:kms", "kmsMasterKeyId": "@k"}}}}),
			res(bucketVersions[0], "v", in{"bucket": "@b", "versioningConfiguration": in{"status": "Enabled"}}), res(bucketLifecycle[0], "lc", in{"bucket": "@b"}),
			res(bucketLogging[0], "l", in{"bucket": "@b"}), res(bucketEvents[0], "e", in{"bucket": "@b"}),
		}, []fault{drop("c"), drop("v"), drop("lc"), drop("l"), drop("e"), set("v", "versioningConfiguration", in{"status": "Suspended"})}},
	}
}

func edgeCases() []testCase {
	acl := res(webACL, "a", in{
		"rules": values{in{"statement": in{"managedRuleGroupStatement": in{"name": log4j}}}}, "visibilityConfig": in{"cloudwatchMetricsEnabled": true},
	})
	d := res(distribution, "d", in{
		"defaultCacheBehavior": in{"viewerProtocolPolicy": "https-only"}, "loggingConfig": in{"bucket": "@b"}, "webAclId": "@w", "defaultRootObject": "index.html",
		"viewerCertificate": in{"acmCertificateArn": "@c", "sslSupportMethod": "sni-only", "minimumProtocolVersion": "TLSv1.2_2021"}, "originGroups": values{in{}},
		"origins": values{in{"customOriginConfig": in{"originProtocolPolicy": "https-only"}}, in{"originAccessControlId": "@oac"}},
	})
	return []testCase{
		{55, []*inventory.Resource{acl, res(webACLLogging, "l", in{"resourceArn": "@a"})}, []fault{
			drop("l"), set("a", "rules", values{in{}}), set("a", "visibilityConfig", in{}),
			set("a", "rules", values{in{"overrideAction": in{"count": in{}}, "statement": in{"managedRuleGroupStatement": in{"name": log4j}}}}),
			set("a", "rules", values{in{"statement": in{"managedRuleGroupStatement": in{"name": log4j, "ruleActionOverrides": values{in{"name": "Log4JRCE_HEADER", "actionToUse": in{"count": in{}}}}}}}}),
		}},
		{56, []*inventory.Resource{res(apiStage, "s", in{"accessLogSettings": in{}, "xrayTracingEnabled": true}), res(webACLAssociation, "w", in{"resourceArn": "@s"}), res(apiMethod, "m", in{"authorization": "AWS_IAM"})},
			[]fault{drop("w"), set("s", "xrayTracingEnabled", false), set("m", "authorization", "NONE")}},
		{57, []*inventory.Resource{d}, []fault{
			set("d", "defaultCacheBehavior", in{"viewerProtocolPolicy": "allow-all"}), set("d", "viewerCertificate", in{"cloudfrontDefaultCertificate": true}),
		}},
		{58, []*inventory.Resource{d}, []fault{unset("d", "webAclId"), unset("d", "loggingConfig"), unset("d", "originGroups"), unset("d", "defaultRootObject")}},
		{65, []*inventory.Resource{
			res(threatDetector, "gd", nil), res(settingsRecorder, "cfg", nil), res(stream, "k", in{"encryptionType": "KMS"}), res(zone, "z", nil),
			res(queryLog, "q", in{"zoneId": "@z"}), res(zoneSigning, "dnssec", in{"hostedZoneId": "@z"}), res(userPool, "u", in{"userPoolAddOns": in{"advancedSecurityMode": "ENFORCED"}}),
			res(launchTemplate, "t", in{"iamInstanceProfile": in{"arn": "@p"}}),
		}, []fault{
			drop("gd"), drop("cfg"), drop("q"), drop("dnssec"), set("k", "encryptionType", "NONE"), set("u", "userPoolAddOns", in{"advancedSecurityMode": "OFF"}),
			unset("t", "iamInstanceProfile"),
		}},
	}
}

func identityCases() []testCase {
	v, grant := res(secret, "v", in{"kmsKeyId": "@k"}), res(rolePolicy, "p", in{"policy": "@v"})
	return []testCase{
		{59, []*inventory.Resource{res(rolePolicy, "p", in{"policy": narrow}), res(role, "r", in{"assumeRolePolicy": service})}, []fault{
			set("p", "policy", anything), set("p", "policy", deletes), set("p", "policy", "{"), set("r", "assumeRolePolicy", everyone),
		}},
		{60, []*inventory.Resource{v, grant, res(secretRotation, "r", in{"secretId": "@v"})}, []fault{drop("r"), drop("p"), unset("v", "kmsKeyId")}},
		{61, []*inventory.Resource{res(logGroup, "g", in{"kmsKeyId": "@k", "retentionInDays": 365.0})}, []fault{unset("g", "kmsKeyId"), set("g", "retentionInDays", 180.0), set("g", "retentionInDays", nil)}},
	}
}

func otherCases() []testCase {
	return []testCase{
		{62, []*inventory.Resource{res(table, "t", in{
			"pointInTimeRecovery": in{"enabled": true}, "billingMode": "PAY_PER_REQUEST", "serverSideEncryption": in{"enabled": true, "kmsKeyArn": "@k"}, "deletionProtectionEnabled": true,
		})}, []fault{set("t", "pointInTimeRecovery", in{}), set("t", "billingMode", "PROVISIONED"), set("t", "serverSideEncryption", in{}), set("t", "deletionProtectionEnabled", false)}},
		{63, []*inventory.Resource{res(docDB, "c", in{
			"storageEncrypted": true, "kmsKeyId": "@k", "backupRetentionPeriod": 7.0, "enabledCloudwatchLogsExports": values{"audit"}, "deletionProtection": true,
		})}, []fault{set("c", "storageEncrypted", false), set("c", "backupRetentionPeriod", 6.0), set("c", "enabledCloudwatchLogsExports", values{}), set("c", "deletionProtection", false)}},
		{64, []*inventory.Resource{
			res(function, "f", in{
				"runtime": "provided.al2023", "vpcConfig": in{"securityGroupIds": values{"g"}, "subnetIds": values{"a", "b"}}, "deadLetterConfig": in{"targetArn": "@q"},
				"reservedConcurrentExecutions": 10.0, "tracingConfig": in{"mode": "Active"},
			}),
			res(permission, "p", in{"principal": "sns.amazonaws.com"}),
		}, []fault{
			set("f", "runtime", "go1.x"), set("f", "vpcConfig", in{"securityGroupIds": values{"g"}, "subnetIds": values{"a"}}), unset("f", "deadLetterConfig"),
			set("f", "reservedConcurrentExecutions", -1.0), set("f", "tracingConfig", in{}), set("p", "principal", "*"),
		}},
	}
}
