package iam

import (
	"strings"
	"time"
)

// managedPolicies returns the AWS managed policies that the lab knows, in the order of their ARNs. An attachment of any other fails, as a misspelt one does on AWS.
// The documents are the actions that each exists for, from the "AWS managed policy reference".
func managedPolicies() []policy {
	return []policy{
		awsPolicy("/", "AdministratorAccess", `"*"`),
		awsPolicy("/", "AmazonSSMManagedInstanceCore", `["ssm:DescribeAssociation","ssm:GetDeployablePatchSnapshotForInstance","ssm:GetDocument","ssm:DescribeDocument","ssm:GetManifest","ssm:GetParameter","ssm:GetParameters","ssm:ListAssociations","ssm:ListInstanceAssociations","ssm:PutInventory","ssm:PutComplianceItems","ssm:PutConfigurePackageResult","ssm:UpdateAssociationStatus","ssm:UpdateInstanceAssociationStatus","ssm:UpdateInstanceInformation","ssmmessages:CreateControlChannel","ssmmessages:CreateDataChannel","ssmmessages:OpenControlChannel","ssmmessages:OpenDataChannel","ec2messages:AcknowledgeMessage","ec2messages:DeleteMessage","ec2messages:FailMessage","ec2messages:GetEndpoint","ec2messages:GetMessages","ec2messages:SendReply"]`),
		awsPolicy("/", "CloudWatchAgentServerPolicy", `["cloudwatch:PutMetricData","ec2:DescribeVolumes","ec2:DescribeTags","logs:PutLogEvents","logs:PutRetentionPolicy","logs:DescribeLogStreams","logs:DescribeLogGroups","logs:CreateLogStream","logs:CreateLogGroup","xray:PutTraceSegments","xray:PutTelemetryRecords","xray:GetSamplingRules","xray:GetSamplingTargets","xray:GetSamplingStatisticSummaries"]`),
		awsPolicy("/service-role/", "AmazonRDSEnhancedMonitoringRole", `["logs:CreateLogGroup","logs:PutRetentionPolicy","logs:CreateLogStream","logs:PutLogEvents","logs:DescribeLogStreams","logs:GetLogEvents"]`),
	}
}

func awsPolicy(path, name, actions string) policy {
	at := time.Date(2024, 11, 1, 0, 0, 0, 0, time.UTC)
	document := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":` + actions + `,"Resource":"*"}]}`
	id := "ANPALAB" + strings.ToUpper(name + "AAAAAAAAAAAAAA")[:14]
	return policy{ID: id, Name: name, Path: path, ARN: "arn:aws:iam::aws:policy" + path + name, Created: at, Updated: at, Versions: []policyVersion{{ID: "v1", Document: document, Created: at}}, Default: "v1"}
}

func managedPolicy(arn string) (policy, bool) {
	if !strings.HasPrefix(arn, "arn:aws:iam::aws:") {
		return policy{}, false
	}
	for _, p := range managedPolicies() {
		if p.ARN == arn {
			return p, true
		}
	}
	return policy{}, false
}
