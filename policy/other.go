package policy

import (
	"strings"

	"storefront/internal/inventory"
)

const (
	table      = "aws:dynamodb/table:Table"
	docDB      = "aws:docdb/cluster:Cluster"
	function   = "aws:lambda/function:Function"
	permission = "aws:lambda/permission:Permission"
	scaling    = "aws:appautoscaling/target:Target"
)

func tables(s *inventory.Stack, f *findings) {
	for _, t := range s.All(table) {
		f.on(t, "pointInTimeRecovery.enabled", "cannot go back in time: set pointInTimeRecovery")
		f.want(t, t.Text("billingMode") == "PAY_PER_REQUEST" || len(s.About(t, scaling, "resourceId")) > 0, "does not scale: set billingMode to PAY_PER_REQUEST", "billingMode")
		f.want(t, t.On("serverSideEncryption.enabled") && t.OwnKey("serverSideEncryption.kmsKeyArn"), "is encrypted with a key of AWS's: set serverSideEncryption")
		f.on(t, "deletionProtectionEnabled", "can be deleted by one call: set deletionProtectionEnabled")
	}
}

func documents(s *inventory.Stack, f *findings) {
	for _, c := range s.All(docDB) {
		f.on(c, "storageEncrypted", "is not encrypted: set storageEncrypted")
		f.want(c, c.OwnKey("kmsKeyId"), "is encrypted with a key of AWS's: set kmsKeyId")
		f.want(c, c.AtLeast("backupRetentionPeriod", 7), "keeps backups for less than a week: set backupRetentionPeriod", "backupRetentionPeriod")
		f.want(c, strings.Contains(strings.Join(c.Texts("enabledCloudwatchLogsExports"), " "), "audit"), "publishes no audit logs: set enabledCloudwatchLogsExports")
		f.on(c, "deletionProtection", "can be deleted by one call: set deletionProtection")
	}
}

// current are the beginnings of the names of runtimes that AWS still mends.
var current = []string{"provided.al2023", "nodejs20", "nodejs22", "nodejs24", "python3.11", "python3.12", "python3.13", "python3.14", "java17", "java21", "java25", "dotnet8", "dotnet10", "ruby3.3", "ruby3.4"}

func functions(s *inventory.Stack, f *findings) {
	for _, l := range s.All(function) {
		runs := l.Text("packageType") == "Image"
		for _, begin := range current {
			runs = runs || strings.HasPrefix(l.Text("runtime"), begin)
		}
		f.want(l, runs, "its runtime is no longer mended: choose a current one", "runtime")
		f.given(l, "vpcConfig.securityGroupIds", "is outside the VPC: set vpcConfig")
		f.want(l, len(l.List("vpcConfig.subnetIds")) >= 2, "is in one zone: give it several subnets", "vpcConfig")
		f.given(l, "deadLetterConfig.targetArn", "loses events that fail: set deadLetterConfig")
		f.want(l, l.AtLeast("reservedConcurrentExecutions", 0), "may take all of the account's concurrency: set reservedConcurrentExecutions", "reservedConcurrentExecutions")
		f.want(l, l.Text("tracingConfig.mode") == "Active", "is not traced: set tracingConfig")
	}
	for _, p := range s.All(permission) {
		narrowed := p.Text("principal") != "*" || p.Given("sourceAccount") || p.Given("sourceArn") || p.Given("principalOrgId")
		f.want(p, narrowed && !p.Value("principal").IsComputed(), "lets everyone call the function: name a principal", "principal")
	}
}
