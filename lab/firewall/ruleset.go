package firewall

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	coreruleset "github.com/corazawaf/coraza-coreruleset/v4"
	"github.com/corazawaf/coraza/v3"
	lru "github.com/hashicorp/golang-lru/v2"
)

// setup makes the core rule set only report, at paranoia level 1: what to do about a match is the web ACL's business. It stands in for REQUEST-901-INITIALIZATION,
// most of which is about scores and policies that no managed group asks for.
const setup = `SecRuleEngine DetectionOnly
SecRequestBodyAccess Off
SecAuditEngine Off
SecAction "id:900990,phase:1,pass,t:none,nolog,setvar:tx.detection_paranoia_level=1,setvar:tx.critical_anomaly_score=5"
`

// ruleset is the rules of the core rule set that stand in for those of some managed groups, ready to run.
type ruleset struct {
	waf      coraza.WAF
	harmless *lru.Cache[value, struct{}] // see find
}

// rulesets are those loaded so far, by the names of their groups.
type rulesets struct {
	mu sync.Mutex
	by map[string]*ruleset
}

// ruleset loads the rules for managed groups, once. It is nil when none of them needs any.
func (e *Engine) ruleset(groups []Managed) (*ruleset, error) {
	groups = slices.DeleteFunc(groups, func(m Managed) bool { return len(m.files) == 0 })
	if len(groups) == 0 {
		return nil, nil
	}
	slices.SortFunc(groups, func(a, b Managed) int { return cmp.Compare(a.Name, b.Name) })
	groups = slices.CompactFunc(groups, func(a, b Managed) bool { return a.Name == b.Name })
	key := ""
	for _, m := range groups {
		key += m.Name + " "
	}
	e.cache.mu.Lock()
	defer e.cache.mu.Unlock()
	if known, ok := e.cache.by[key]; ok {
		return known, nil
	}
	waf, err := coraza.NewWAF(coraza.NewWAFConfig().WithRootFS(coreruleset.FS).WithDirectives(setup + included(groups) + unheard(groups)))
	if err != nil {
		return nil, fmt.Errorf("loading the core rule set: %w", err)
	}
	harmless, err := lru.New[value, struct{}](harmlessMost)
	if err != nil {
		return nil, err
	}
	if e.cache.by == nil {
		e.cache.by = map[string]*ruleset{}
	}
	e.cache.by[key] = &ruleset{waf, harmless}
	return e.cache.by[key], nil
}

// files are those of the core rule set that groups use, each once.
func files(groups []Managed) (all []string) {
	for _, m := range groups {
		all = append(all, m.files...)
	}
	return slices.Compact(slices.Sorted(slices.Values(all)))
}

// included are the directives that load the files of groups.
func included(groups []Managed) (directives string) {
	for _, f := range files(groups) {
		directives += "Include @owasp_crs/" + f + ".conf\n"
	}
	return directives
}

// unheard is the directive that removes the rules of these files which stand in for no rule of the groups: their matches would be found for nobody.
// The first hundred numbers of a file only steer the others.
func unheard(groups []Managed) string {
	var ids strings.Builder
	heard := func(id int) bool {
		return slices.ContainsFunc(groups, func(m Managed) bool {
			return slices.ContainsFunc(m.Rules, func(r ManagedRule) bool { return r.from <= id && id <= r.to })
		})
	}
	for _, f := range files(groups) {
		var family int
		_, _ = fmt.Sscanf(f, "REQUEST-%d-", &family) // a name that does not begin so removes nothing
		for id := family*1000 + 100; id < family*1000+1000; id++ {
			if !heard(id) {
				ids.WriteString(" " + strconv.Itoa(id))
			}
		}
	}
	if ids.Len() == 0 {
		return "" // Coraza takes no directive without numbers
	}
	return "SecRuleRemoveById" + ids.String() + "\n"
}
