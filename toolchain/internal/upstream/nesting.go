package upstream

import "path/filepath"

// nesting is how deep statements of web ACLs and rule groups nest in the plugin, 2 at least. Upstream's 3 makes the schema of a rule three times as large,
// and every preview compares it attribute by attribute: two seconds more for seven rules.
const nesting = "2"

// limitNesting makes the schema of AWS WAF smaller.
func limitNesting(provider string) error {
	file := filepath.Join(provider, serviceDir, "wafv2/consts.go")
	for _, level := range []string{"ruleGroupRootStatementSchemaLevel = ", "webACLRootStatementSchemaLevel    = "} {
		if err := replaceOnce(file, level+"3", level+nesting); err != nil {
			return err
		}
	}
	return nil
}
