package policy

import (
	"slices"
	"strings"

	"storefront/internal/inventory"

	"github.com/pulumi/pulumi/sdk/v3/go/property"
)

// log4j is the managed rule group with the rules against CVE-2021-44228, whose names begin with log4jRules.
const (
	log4j      = "AWSManagedRulesKnownBadInputsRuleSet"
	log4jRules = "Log4JRCE"
)

func webACLs(s *inventory.Stack, f *findings) {
	for _, a := range s.All(webACL) {
		rules := a.List("rules")
		f.want(a, len(rules) > 0, "has no rules", "rules")
		f.want(a, slices.ContainsFunc(rules, blocksLog4j), "does not block what exploits Log4j: add "+log4j+", and let it do more than count", "rules")
		f.on(a, "visibilityConfig.cloudwatchMetricsEnabled", "publishes no metrics: set visibilityConfig.cloudwatchMetricsEnabled")
		f.want(a, len(s.About(a, webACLLogging, "resourceArn")) > 0, "keeps no logs: add a logging configuration")
	}
}

// blocksLog4j says that a rule is the managed group against Log4j, and that neither it nor its rules against Log4j only count.
func blocksLog4j(rule property.Value) bool {
	const group = "statement.managedRuleGroupStatement."
	if inventory.Text(inventory.At(rule, group+"name")) != log4j || !inventory.At(rule, "overrideAction.count").IsNull() {
		return false
	}
	return !slices.ContainsFunc(inventory.List(inventory.At(rule, group+"ruleActionOverrides")), func(o property.Value) bool {
		return strings.HasPrefix(inventory.Text(inventory.At(o, "name")), log4jRules) && inventory.At(o, "actionToUse.block").IsNull()
	})
}
