package firewall

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"

	api "storefront/lab/api/wafv2"
	"storefront/lab/wire"
)

// Managed is a rule group of AWS's own.
type Managed struct {
	Name, Description string
	Labels            string // label namespace
	Capacity          int64  // web ACL capacity units
	Rules             []ManagedRule

	files []string // of the core rule set
}

// ManagedRule is a rule of a managed group, with AWS's name for it.
type ManagedRule struct {
	Name   string
	Counts bool // its action is count, not block

	from, to int    // the rules of the core rule set that stand in for it,
	part     string // when they match in this part of the request
	own      func(*evaluation) bool
}

const labelPrefix = "awswaf:managed:aws:"

// inParts makes a rule for each part of a request, named as AWS names them.
func inParts(name string, from, to int, parts ...string) (rules []ManagedRule) {
	for _, p := range parts {
		rules = append(rules, ManagedRule{Name: name + "_" + p, from: from, to: to, part: p})
	}
	return rules
}

// longer tests the size of a part against the limits of the core rule set's size restrictions, which AWS documents.
func longer(limit int, size func(*evaluation) int) func(*evaluation) bool {
	return func(e *evaluation) bool { return size(e) > limit }
}

var (
	restricted = regexp.MustCompile(`(?i)\.(?:log|ini|bak|backup|conf|config|sql|sqlite|mdb|pem|key|swp)$`)
	adminPaths = regexp.MustCompile(`(?i)^/(?:sqlmanager|phpmyadmin|myadmin|mysqladmin|webadmin|administrator|adminer|admin)(?:/|\.php|$)`)
)

// ManagedGroups are the groups that this engine knows, by AWS's list "AWS Managed Rules rule groups list". The lists of addresses are empty: those that AWS knows
// are on the internet, and nothing from there reaches the lab.
func ManagedGroups() []Managed {
	return []Managed{
		{Name: "AWSManagedRulesCommonRuleSet", Labels: labelPrefix + "core-rule-set:", Capacity: 700, Description: "Contains rules that are generally applicable to web applications.",
			files: []string{"REQUEST-913-SCANNER-DETECTION", "REQUEST-930-APPLICATION-ATTACK-LFI", "REQUEST-931-APPLICATION-ATTACK-RFI", "REQUEST-934-APPLICATION-ATTACK-GENERIC", "REQUEST-941-APPLICATION-ATTACK-XSS"}, Rules: commonRules()},
		{Name: "AWSManagedRulesAdminProtectionRuleSet", Labels: labelPrefix + "admin-protection:", Capacity: 100, Description: "Contains rules that block access to exposed admin pages.",
			Rules: []ManagedRule{{Name: "AdminProtection_URIPATH", own: func(e *evaluation) bool { return adminPaths.MatchString(e.URL.Path) }}}},
		{Name: "AWSManagedRulesKnownBadInputsRuleSet", Labels: labelPrefix + "known-bad-inputs:", Capacity: 200, Description: "Contains rules that block request patterns known to be invalid.",
			files: []string{"REQUEST-930-APPLICATION-ATTACK-LFI", "REQUEST-944-APPLICATION-ATTACK-JAVA"}, Rules: knownBadInputs()},
		{Name: "AWSManagedRulesSQLiRuleSet", Labels: labelPrefix + "sql-database:", Capacity: 200, Description: "Contains rules that block request patterns of SQL injection.",
			files: []string{"REQUEST-942-APPLICATION-ATTACK-SQLI"},
			Rules: slices.Concat(inParts("SQLiExtendedPatterns", 942101, 942999, "QUERYARGUMENTS", "BODY"), inParts("SQLi", 942100, 942100, "QUERYARGUMENTS", "BODY"),
				inParts("SQLi", 942100, 942999, "COOKIE", "URIPATH"))},
		{Name: "AWSManagedRulesLinuxRuleSet", Labels: labelPrefix + "linux-os:", Capacity: 200, Description: "Contains rules that block local file inclusion on Linux.",
			files: []string{"REQUEST-930-APPLICATION-ATTACK-LFI"}, Rules: []ManagedRule{
				{Name: "LFI_URIPATH", from: 930100, to: 930129, part: "URIPATH"}, {Name: "LFI_QUERYSTRING", from: 930100, to: 930129, part: "QUERYARGUMENTS"}, {Name: "LFI_HEADER", from: 930100, to: 930129, part: "HEADER"}}},
		{Name: "AWSManagedRulesUnixRuleSet", Labels: labelPrefix + "posix-os:", Capacity: 100, Description: "Contains rules that block commands of POSIX shells.",
			files: []string{"REQUEST-932-APPLICATION-ATTACK-RCE"}, Rules: []ManagedRule{
				{Name: "UNIXShellCommandsVariables_QUERYSTRING", from: 932000, to: 932999, part: "QUERYARGUMENTS"}, {Name: "UNIXShellCommandsVariables_BODY", from: 932000, to: 932999, part: "BODY"},
				{Name: "UNIXShellCommandsVariables_HEADER", from: 932000, to: 932999, part: "HEADER"}}},
		{Name: "AWSManagedRulesPHPRuleSet", Labels: labelPrefix + "php-app:", Capacity: 100, Description: "Contains rules that block unsafe functions of PHP.",
			files: []string{"REQUEST-933-APPLICATION-ATTACK-PHP"}, Rules: []ManagedRule{
				{Name: "PHPHighRiskMethodsVariables_HEADER", from: 933000, to: 933999, part: "HEADER"}, {Name: "PHPHighRiskMethodsVariables_QUERYSTRING", from: 933000, to: 933999, part: "QUERYARGUMENTS"},
				{Name: "PHPHighRiskMethodsVariables_BODY", from: 933000, to: 933999, part: "BODY"}}},
		{Name: "AWSManagedRulesAmazonIpReputationList", Labels: labelPrefix + "amazon-ip-list:", Capacity: 25, Description: "Contains rules based on Amazon threat intelligence.",
			Rules: []ManagedRule{{Name: "AWSManagedIPReputationList"}, {Name: "AWSManagedReconnaissanceList"}, {Name: "AWSManagedIPDDoSList", Counts: true}}},
		{Name: "AWSManagedRulesAnonymousIpList", Labels: labelPrefix + "anonymous-ip-list:", Capacity: 50, Description: "Contains rules about services that hide who a viewer is.",
			Rules: []ManagedRule{{Name: "AnonymousIPList"}, {Name: "HostingProviderIPList"}}},
	}
}

func commonRules() []ManagedRule {
	cookies := func(e *evaluation) int { return len(strings.Join(e.Header.Values("Cookie"), "; ")) }
	return slices.Concat([]ManagedRule{
		{Name: "NoUserAgent_HEADER", own: func(e *evaluation) bool { return e.UserAgent() == "" }},
		{Name: "UserAgent_BadBots_HEADER", from: 913000, to: 913999, part: "HEADER"},
		{Name: "SizeRestrictions_QUERYSTRING", own: longer(2048, func(e *evaluation) int { return len(e.URL.RawQuery) })},
		{Name: "SizeRestrictions_Cookie_HEADER", own: longer(10240, cookies)},
		{Name: "SizeRestrictions_BODY", own: func(e *evaluation) bool { return e.More || len(e.Body) > BodyLimit }},
		{Name: "SizeRestrictions_URIPATH", own: longer(1024, func(e *evaluation) int { return len(e.URL.EscapedPath()) })},
	},
		inParts("EC2MetaDataSSRF", 934110, 934120, "BODY", "COOKIE", "URIPATH", "QUERYARGUMENTS"),
		inParts("GenericLFI", 930100, 930129, "QUERYARGUMENTS", "URIPATH", "BODY"),
		[]ManagedRule{
			{Name: "RestrictedExtensions_URIPATH", own: func(e *evaluation) bool { return restricted.MatchString(e.URL.Path) }},
			{Name: "RestrictedExtensions_QUERYARGUMENTS", own: func(e *evaluation) bool {
				for _, list := range e.arguments() {
					if slices.ContainsFunc(list, restricted.MatchString) {
						return true
					}
				}
				return false
			}},
		},
		inParts("GenericRFI", 931000, 931999, "QUERYARGUMENTS", "BODY", "URIPATH"),
		inParts("CrossSiteScripting", 941000, 941999, "COOKIE", "QUERYARGUMENTS", "BODY", "URIPATH"))
}

func knownBadInputs() []ManagedRule {
	return slices.Concat([]ManagedRule{
		{Name: "JavaDeserializationRCE_HEADER", from: 944100, to: 944149, part: "HEADER"}, {Name: "JavaDeserializationRCE_BODY", from: 944100, to: 944149, part: "BODY"},
		{Name: "JavaDeserializationRCE_URIPATH", from: 944100, to: 944149, part: "URIPATH"}, {Name: "JavaDeserializationRCE_QUERYSTRING", from: 944100, to: 944149, part: "QUERYARGUMENTS"},
		{Name: "Host_localhost_HEADER", own: func(e *evaluation) bool { return strings.Contains(strings.ToLower(e.Host), "localhost") }},
		{Name: "PROPFIND_METHOD", own: func(e *evaluation) bool { return e.Method == "PROPFIND" }},
		{Name: "ExploitablePaths_URIPATH", from: 930130, to: 930130, part: "URIPATH"},
		{Name: "Log4JRCE_HEADER", from: 944150, to: 944159, part: "HEADER"}, {Name: "Log4JRCE_QUERYSTRING", from: 944150, to: 944159, part: "QUERYARGUMENTS"},
		{Name: "Log4JRCE_BODY", from: 944150, to: 944159, part: "BODY"}, {Name: "Log4JRCE_URIPATH", from: 944150, to: 944159, part: "URIPATH"},
	})
}

// Label is the label that a managed rule adds: AWS writes the parts of requests in camel case there.
func (m Managed) Label(r ManagedRule) string {
	parts := strings.NewReplacer("_QUERYARGUMENTS", "_QueryArguments", "_QUERYSTRING", "_QueryString", "_URIPATH", "_URIPath", "_HEADER", "_Header", "_BODY", "_Body", "_COOKIE", "_Cookie",
		"_METHOD", "_Method", "UserAgent_BadBots", "BadBots", "Host_localhost", "Host_Localhost", "PROPFIND", "Propfind", "SizeRestrictions_Cookie_HEADER", "SizeRestrictions_Cookie_Header")
	return m.Labels + parts.Replace(r.Name)
}

// ManagedGroup finds a managed group by vendor and name.
func ManagedGroup(vendor, name string) (Managed, bool) {
	groups := ManagedGroups()
	i := slices.IndexFunc(groups, func(m Managed) bool { return m.Name == name })
	if i < 0 || vendor != "AWS" {
		return Managed{}, false
	}
	return groups[i], true
}

func (r ManagedRule) matcher() matcher {
	switch {
	case r.own != nil:
		return r.own
	case r.part == "":
		return func(*evaluation) bool { return false } // of an empty list of addresses
	}
	return func(e *evaluation) bool {
		for _, h := range e.attacks() {
			if h.id < r.from || h.id > r.to || h.part != r.part {
				continue
			}
			switch h.id / 1000 {
			case 941:
				e.details = append(e.details, Detail{"XSS", r.part, h.data})
			case 942:
				e.details = append(e.details, Detail{"SQL_INJECTION", r.part, h.data})
			}
			return true
		}
		return false
	}
}

// attacks are what the core rule set finds in a request; it looks once.
func (e *evaluation) attacks() []hit {
	if !e.inspected && e.inspector.crs != nil {
		e.inspected, e.hits = true, e.inspector.crs.find(e)
	}
	return e.hits
}

// group compiles a rule that refers to a rule group.
func (c *compiler) group(r *rule, s *api.Statement) error {
	g := &group{count: r.source.OverrideAction.Count != nil}
	var excluded []api.ExcludedRule
	var overrides []api.RuleActionOverride
	if m := s.ManagedRuleGroupStatement; m != nil {
		r.kind, g.id = "MANAGED_RULE_GROUP", wire.Value(m.VendorName)+"#"+wire.Value(m.Name)
		excluded, overrides = m.ExcludedRules, m.RuleActionOverrides
		if err := c.managed(g, m); err != nil {
			return err
		}
	} else {
		ref := s.RuleGroupReferenceStatement
		r.kind, g.id = "GROUP", wire.Value(ref.ARN)
		excluded, overrides = ref.ExcludedRules, ref.RuleActionOverrides
		own, ok := c.sets.Groups[g.id]
		if !ok {
			return fmt.Errorf("%w: %s", ErrMissing, g.id)
		}
		inner := &compiler{engine: c.engine, sets: c.sets, bodies: own.Bodies, namespace: own.Labels, previous: c.previous}
		var err error
		if g.rules, err = inner.rules(own.Rules, true); err != nil {
			return err
		}
	}
	r.group = g
	for _, x := range excluded {
		overrides = append(overrides, api.RuleActionOverride{Name: x.Name, ActionToUse: &api.RuleAction{Count: &api.CountAction{}}})
	}
	for _, o := range overrides {
		i := slices.IndexFunc(g.rules, func(r *rule) bool { return r.name == wire.Value(o.Name) })
		if i < 0 {
			return fmt.Errorf("%w: %s has no rule %q to override", ErrInvalid, g.id, wire.Value(o.Name))
		}
		var err error
		if g.rules[i].action, err = c.action(o.ActionToUse); err != nil {
			return err
		}
	}
	return nil
}

func (c *compiler) managed(g *group, m *api.ManagedRuleGroupStatement) (err error) {
	known, ok := ManagedGroup(wire.Value(m.VendorName), wire.Value(m.Name))
	if !ok {
		return fmt.Errorf("%w: the managed rule group %s of %s", ErrUnsupported, wire.Value(m.Name), wire.Value(m.VendorName))
	}
	if len(m.ManagedRuleGroupConfigs) > 0 {
		return fmt.Errorf("%w: %s has no configuration", ErrInvalid, known.Name)
	}
	if m.ScopeDownStatement != nil {
		if g.scope, err = c.statement(m.ScopeDownStatement); err != nil {
			return err
		}
	}
	c.groups = append(c.groups, known)
	for _, r := range known.Rules {
		a := action{name: "BLOCK", refuse: &Refusal{Status: http.StatusForbidden, Header: http.Header{}}}
		if r.Counts {
			a = action{name: "COUNT"}
		}
		g.rules = append(g.rules, &rule{name: r.Name, kind: "MANAGED_RULE_GROUP", labels: []string{known.Label(r)}, action: a, matches: r.matcher()})
	}
	return nil
}
