package firewall

import (
	"testing"

	coreruleset "github.com/corazawaf/coraza-coreruleset/v4"
	"github.com/corazawaf/coraza/v3"
)

// Unabridged decides as an inspector does, but with all of the core rule set's files, initialised by its own, and looking at the whole of every request.
func Unabridged(t testing.TB, i *Inspector) func(*Request) Verdict {
	t.Helper()
	directives := "SecRuleEngine DetectionOnly\nSecAction \"id:900990,phase:1,pass,t:none,nolog,setvar:tx.crs_setup_version=4250\"\nInclude @owasp_crs/REQUEST-901-INITIALIZATION.conf\n" + included(ManagedGroups())
	waf, err := coraza.NewWAF(coraza.NewWAFConfig().WithRootFS(coreruleset.FS).WithDirectives(directives))
	if err != nil {
		t.Fatal(err)
	}
	all := &ruleset{waf: waf}
	return func(r *Request) Verdict {
		e := &evaluation{Request: r, inspector: i, inspected: true}
		e.hits = all.run(e, e.values())
		return i.decide(e)
	}
}

// RuleFiles are the files of the core rule set that managed groups use.
func RuleFiles() []string { return files(ManagedGroups()) }
