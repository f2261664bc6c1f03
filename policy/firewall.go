package policy

import "slices"

// log4j is the managed rule group with the rules against CVE-2021-44228.
const log4j = "AWSManagedRulesKnownBadInputsRuleSet"

func webACLs(s *Stack, f *findings) {
	for _, a := range s.all(webACL) {
		var managed []string
		rules := a.list("rules")
		for _, rule := range rules {
			managed = append(managed, text(at(rule, "statement.managedRuleGroupStatement.name")))
		}
		f.want(a, len(rules) > 0, "has no rules", "rules")
		f.want(a, slices.Contains(managed, log4j), "lacks the rules against Log4j: add "+log4j, "rules")
		f.on(a, "visibilityConfig.cloudwatchMetricsEnabled", "publishes no metrics: set visibilityConfig.cloudwatchMetricsEnabled")
		f.want(a, len(s.about(a, webACLLogging, "resourceArn")) > 0, "keeps no logs: add a logging configuration")
	}
}
