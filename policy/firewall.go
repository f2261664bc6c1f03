package policy

import (
	"slices"

	"storefront/internal/inventory"
)

// log4j is the managed rule group with the rules against CVE-2021-44228.
const log4j = "AWSManagedRulesKnownBadInputsRuleSet"

func webACLs(s *inventory.Stack, f *findings) {
	for _, a := range s.All(webACL) {
		var managed []string
		rules := a.List("rules")
		for _, rule := range rules {
			managed = append(managed, inventory.Text(inventory.At(rule, "statement.managedRuleGroupStatement.name")))
		}
		f.want(a, len(rules) > 0, "has no rules", "rules")
		f.want(a, slices.Contains(managed, log4j), "lacks the rules against Log4j: add "+log4j, "rules")
		f.on(a, "visibilityConfig.cloudwatchMetricsEnabled", "publishes no metrics: set visibilityConfig.cloudwatchMetricsEnabled")
		f.want(a, len(s.About(a, webACLLogging, "resourceArn")) > 0, "keeps no logs: add a logging configuration")
	}
}
