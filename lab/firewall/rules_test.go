package firewall_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	api "storefront/lab/api/wafv2"
	"storefront/lab/firewall"
)

func bytesMatch(f api.FieldToMatch, position, text string, transformations ...string) api.Statement {
	s := &api.ByteMatchStatement{FieldToMatch: &f, PositionalConstraint: &position, SearchString: []byte(text), TextTransformations: none}
	if len(transformations) > 0 {
		s.TextTransformations = nil
	}
	for i, t := range transformations {
		s.TextTransformations = append(s.TextTransformations, api.TextTransformation{Priority: new(int64(i)), Type: new(t)})
	}
	return api.Statement{ByteMatchStatement: s}
}

var (
	path  = api.FieldToMatch{UriPath: &api.UriPath{}}
	query = api.FieldToMatch{QueryString: &api.QueryString{}}
	text  = api.FieldToMatch{Body: &api.Body{OversizeHandling: new("MATCH")}}
)

func header(name string) api.FieldToMatch {
	return api.FieldToMatch{SingleHeader: &api.SingleHeader{Name: &name}}
}

const setARN = "arn:aws:wafv2:us-east-1:000000000000:regional/ipset/list/1"

func TestStatements(t *testing.T) {
	jsonValue := api.FieldToMatch{JsonBody: &api.JsonBody{MatchPattern: &api.JsonMatchPattern{IncludedPaths: []string{"/order/note"}}, MatchScope: new("VALUE"), InvalidFallbackBehavior: new("NO_MATCH")}}
	cookies := api.FieldToMatch{Cookies: &api.Cookies{MatchPattern: &api.CookieMatchPattern{IncludedCookies: []string{"session"}}, MatchScope: new("VALUE"), OversizeHandling: new("CONTINUE")}}
	forwarded := api.Statement{IPSetReferenceStatement: &api.IPSetReferenceStatement{ARN: new(setARN), IPSetForwardedIPConfig: &api.IPSetForwardedIPConfig{HeaderName: new("X-Forwarded-For"),
		Position: new("ANY"), FallbackBehavior: new("MATCH")}}}
	for _, c := range []struct {
		name      string
		statement api.Statement
		request   *firewall.Request
		want      bool
	}{
		{"path begins", bytesMatch(path, "STARTS_WITH", "/admin"), request("GET", "/admin/users", ""), true},
		{"path does not", bytesMatch(path, "STARTS_WITH", "/admin"), request("GET", "/products", ""), false},
		{"word", bytesMatch(query, "CONTAINS_WORD", "bot"), request("GET", "/?a=bot&b=1", ""), true},
		{"part of a word", bytesMatch(query, "CONTAINS_WORD", "bot"), request("GET", "/?a=robots", ""), false},
		{"transformed", bytesMatch(query, "CONTAINS", "drop table", "URL_DECODE", "REPLACE_COMMENTS", "COMPRESS_WHITE_SPACE", "LOWERCASE"), request("GET", "/?q=DROP%20%2F**%2F%20TABLE", ""), true},
		{"header in any case", bytesMatch(header("x-token"), "EXACTLY", "abc"), request("GET", "/", "", "X-Token: abc"), true},
		{"host", bytesMatch(header("host"), "EXACTLY", "example.com"), request("GET", "/", ""), true},
		{"body", bytesMatch(text, "CONTAINS", "evil"), request("POST", "/", "not evil"), true},
		{"body too long", bytesMatch(text, "CONTAINS", "evil"), request("POST", "/", strings.Repeat("a", firewall.BodyLimit+1)), true},
		{"JSON value", bytesMatch(jsonValue, "EXACTLY", "x"), request("POST", "/", `{"order":{"note":"x"},"note":"y"}`), true},
		{"another JSON value", bytesMatch(jsonValue, "EXACTLY", "y"), request("POST", "/", `{"order":{"note":"x"},"note":"y"}`), false},
		{"no JSON", bytesMatch(jsonValue, "EXACTLY", "x"), request("POST", "/", `{`), false},
		{"cookie", bytesMatch(cookies, "EXACTLY", "1"), request("GET", "/", "", "Cookie: other=2; session=1"), true},
		{"other cookie", bytesMatch(cookies, "EXACTLY", "2"), request("GET", "/", "", "Cookie: other=2; session=1"), false},
		{"regex", api.Statement{RegexMatchStatement: &api.RegexMatchStatement{FieldToMatch: &path, RegexString: new(`^/v[0-9]+/`), TextTransformations: none}}, request("GET", "/v12/x", ""), true},
		{"size", api.Statement{SizeConstraintStatement: &api.SizeConstraintStatement{FieldToMatch: &query, ComparisonOperator: new("GT"), Size: new(int64(3)), TextTransformations: none}}, request("GET", "/?abcd", ""), true},
		{"SQL injection", api.Statement{SqliMatchStatement: &api.SqliMatchStatement{FieldToMatch: &api.FieldToMatch{AllQueryArguments: &api.AllQueryArguments{}}, TextTransformations: none}}, request("GET", "/?id=1%27+or+1%3D1--", ""), true},
		{"cross-site scripting", api.Statement{XssMatchStatement: &api.XssMatchStatement{FieldToMatch: &api.FieldToMatch{SingleQueryArgument: &api.SingleQueryArgument{Name: new("q")}}, TextTransformations: none}},
			request("GET", "/?q=%3Cscript%3Ealert(1)%3C/script%3E", ""), true},
		{"address", api.Statement{IPSetReferenceStatement: &api.IPSetReferenceStatement{ARN: new(setARN)}}, request("GET", "/", ""), true},
		{"forwarded address", forwarded, request("GET", "/", "", "X-Forwarded-For: 192.0.2.1, 198.51.100.9"), true},
		{"other forwarded address", forwarded, request("GET", "/", "", "X-Forwarded-For: 192.0.2.1"), false},
		{"broken forwarded address", forwarded, request("GET", "/", "", "X-Forwarded-For: junk"), true},
		{"no forwarded address", forwarded, request("GET", "/", ""), false},
		{"not", api.Statement{NotStatement: &api.NotStatement{Statement: new(bytesMatch(path, "EXACTLY", "/"))}}, request("GET", "/x", ""), true},
		{"and", api.Statement{AndStatement: &api.AndStatement{Statements: []api.Statement{bytesMatch(path, "EXACTLY", "/x"), bytesMatch(query, "EXACTLY", "a")}}}, request("GET", "/x?b", ""), false},
		{"or", api.Statement{OrStatement: &api.OrStatement{Statements: []api.Statement{bytesMatch(path, "EXACTLY", "/x"), bytesMatch(query, "EXACTLY", "a")}}}, request("GET", "/x?b", ""), true},
	} {
		a := acl(rule(1, "test", block(), c.statement))
		a.Sets.Addresses = map[string][]netip.Prefix{setARN: {netip.MustParsePrefix("198.51.100.0/24")}}
		if v := compile(t, a).Inspect(c.request); (v.Action == "BLOCK") != c.want {
			t.Errorf("%s: %s", c.name, v.Action)
		}
	}
}

func TestRulesInOrder(t *testing.T) {
	everything := bytesMatch(path, "STARTS_WITH", "/")
	labelled := rule(2, "counted", count(), everything)
	labelled.RuleLabels = []api.Label{{Name: new("seen")}}
	custom := api.RuleAction{Block: &api.BlockAction{CustomResponse: &api.CustomResponse{ResponseCode: new(int64(429)), CustomResponseBodyKey: new("slow"), ResponseHeaders: []api.CustomHTTPHeader{{Name: new("Retry-After"), Value: new("60")}}}}}
	insert := api.RuleAction{Count: &api.CountAction{CustomRequestHandling: &api.CustomRequestHandling{InsertHeaders: []api.CustomHTTPHeader{{Name: new("seen"), Value: new("yes")}}}}}
	a := acl(rule(9, "last", custom, api.Statement{LabelMatchStatement: &api.LabelMatchStatement{Scope: new("LABEL"), Key: new("seen")}}),
		rule(1, "health", allow(), bytesMatch(path, "EXACTLY", "/healthz")), labelled, rule(3, "marked", insert, everything))
	a.Bodies = map[string]api.CustomResponseBody{"slow": {ContentType: new("APPLICATION_JSON"), Content: new(`{"error":"slow down"}`)}}
	i := compile(t, a)
	if v := i.Inspect(request("GET", "/healthz", "")); v.Action != "ALLOW" || v.Rule != "health" || len(v.Counted) != 0 {
		t.Errorf("the first rule that matches ends it: %+v", v)
	}
	v := i.Inspect(request("GET", "/x", ""))
	if v.Action != "BLOCK" || v.Rule != "last" || len(v.Counted) != 2 || v.Labels[0] != "awswaf:000000000000:webacl:test:seen" || v.Insert["x-amzn-waf-seen"] != "yes" {
		t.Errorf("got %+v", v)
	}
	if r := v.Refusal; r.Status != http.StatusTooManyRequests || r.Header.Get("Retry-After") != "60" || r.ContentType != "application/json" || r.Body != `{"error":"slow down"}` {
		t.Errorf("got %+v", v.Refusal)
	}
}

func TestRateLimitsSlide(t *testing.T) {
	c := newClock()
	limit := rule(1, "rate", block(), api.Statement{RateBasedStatement: &api.RateBasedStatement{Limit: new(int64(100)), EvaluationWindowSec: new(int64(60)), AggregateKeyType: new("IP")}})
	engine := firewall.New(c.Now)
	i, err := engine.Compile(acl(limit), nil)
	if err != nil {
		t.Fatal(err)
	}
	send := func(client string, n int) (blocked int) {
		for range n {
			r := request("GET", "/", "")
			r.Client = netip.MustParseAddr(client)
			if i.Inspect(r).Action == "BLOCK" {
				blocked++
			}
		}
		return blocked
	}
	if n := send("198.51.100.1", 100); n != 0 {
		t.Errorf("%d of the first 100 were blocked", n)
	}
	c.now = c.now.Add(30 * time.Second)
	if n := send("198.51.100.1", 10); n != 10 {
		t.Errorf("%d of 10 above the limit were blocked", n)
	}
	if n := send("198.51.100.2", 10); n != 0 {
		t.Errorf("%d of another client were blocked", n)
	}
	if clients, ok := i.Limited("rate"); !ok || len(clients) != 1 || clients[0] != "198.51.100.1" {
		t.Errorf("limited: %v", clients)
	}
	// A change of another rule does not forget what was counted.
	if i, err = engine.Compile(acl(limit, rule(2, "other", count(), bytesMatch(path, "EXACTLY", "/y"))), i); err != nil {
		t.Fatal(err)
	}
	if n := send("198.51.100.1", 1); n != 1 {
		t.Error("the count did not outlive a change of the web ACL")
	}
	c.now = c.now.Add(30 * time.Second) // the first 100 are out of the window, 11 are in it
	if n := send("198.51.100.1", 90); n != 1 {
		t.Errorf("%d of 90 were blocked after the window slid, want 1", n)
	}
}

func TestRefusedRules(t *testing.T) {
	ok := bytesMatch(path, "EXACTLY", "/")
	for _, c := range []struct {
		name string
		rule api.Rule
		want error
	}{
		{"countries", rule(1, "r", block(), api.Statement{GeoMatchStatement: &api.GeoMatchStatement{CountryCodes: []string{"DE"}}}), firewall.ErrUnsupported},
		{"CAPTCHA", rule(1, "r", api.RuleAction{Captcha: &api.CaptchaAction{}}, ok), firewall.ErrUnsupported},
		{"no action", rule(1, "r", api.RuleAction{}, ok), firewall.ErrInvalid},
		{"two actions", rule(1, "r", api.RuleAction{Block: &api.BlockAction{}, Count: &api.CountAction{}}, ok), firewall.ErrInvalid},
		{"no statement", rule(1, "r", block(), api.Statement{}), firewall.ErrInvalid},
		{"unknown set", rule(1, "r", block(), api.Statement{IPSetReferenceStatement: &api.IPSetReferenceStatement{ARN: new(setARN)}}), firewall.ErrMissing},
		{"unknown group", managed(1, "AWSManagedRulesBotControlRuleSet"), firewall.ErrUnsupported},
		{"unknown override", managed(1, "AWSManagedRulesSQLiRuleSet", "NoSuchRule"), firewall.ErrInvalid},
		{"fingerprints", rule(1, "r", block(), bytesMatch(api.FieldToMatch{JA3Fingerprint: &api.JA3Fingerprint{}}, "EXACTLY", "x")), firewall.ErrUnsupported},
		{"transformation", rule(1, "r", block(), bytesMatch(path, "EXACTLY", "x", "JS_DECODE")), firewall.ErrUnsupported},
		{"regex", rule(1, "r", block(), api.Statement{RegexMatchStatement: &api.RegexMatchStatement{FieldToMatch: &path, RegexString: new("("), TextTransformations: none}}), firewall.ErrInvalid},
	} {
		if _, err := firewall.New(time.Now).Compile(acl(c.rule), nil); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
	if _, err := firewall.New(time.Now).Compile(acl(rule(1, "a", block(), ok), rule(1, "b", block(), ok)), nil); !errors.Is(err, firewall.ErrInvalid) {
		t.Errorf("one priority twice: %v", err)
	}
}

func TestCapacity(t *testing.T) {
	n, err := firewall.Capacity(append(preset().Rules, rule(9, "rate", block(), api.Statement{RateBasedStatement: &api.RateBasedStatement{}}), rule(10, "bytes", block(), bytesMatch(path, "CONTAINS", "x", "LOWERCASE"))), nil)
	if want := int64(25 + 700 + 200 + 200 + 2 + 20); err != nil || n != want {
		t.Errorf("got %d, %v, want %d", n, err, want)
	}
}

// FuzzInspect holds the inspector to not panicking, whatever clients send.
func FuzzInspect(f *testing.F) {
	f.Add("GET", "/products?q=1", "Cookie: a=b", "")
	f.Add("POST", "/orders", "Content-Type: application/json", `{"a":["b",{"c":null}]}`)
	f.Add("POST", "/%zz?%", "Content-Type: application/x-www-form-urlencoded", "a=%&b")
	i := compile(f, preset())
	f.Fuzz(func(t *testing.T, method, target, field, body string) {
		name, value, _ := strings.Cut(field, ": ")
		r, err := http.NewRequest(method, "http://example.com"+target, strings.NewReader(body))
		if err != nil {
			t.Skip()
		}
		r.Header[name] = []string{value}
		if v := i.Inspect(wrap(r)); v.Action != "ALLOW" && v.Action != "BLOCK" {
			t.Errorf("%s", fmt.Sprint(v))
		}
	})
}

// FuzzCompile holds the compiler to not panicking, whatever rules customers write.
func FuzzCompile(f *testing.F) {
	f.Add("CONTAINS", "x", "LOWERCASE", "GT", int64(5), "IP", "(a|b)")
	engine := firewall.New(time.Now)
	f.Fuzz(func(t *testing.T, position, search, transformation, operator string, number int64, key, regex string) {
		list := []api.TextTransformation{{Priority: &number, Type: &transformation}}
		for _, s := range []api.Statement{
			bytesMatch(path, position, search, transformation),
			{SizeConstraintStatement: &api.SizeConstraintStatement{FieldToMatch: &text, ComparisonOperator: &operator, Size: &number, TextTransformations: list}},
			{RateBasedStatement: &api.RateBasedStatement{Limit: &number, EvaluationWindowSec: &number, AggregateKeyType: &key}},
			{RegexMatchStatement: &api.RegexMatchStatement{FieldToMatch: &query, RegexString: &regex, TextTransformations: list}},
		} {
			if i, err := engine.Compile(acl(rule(number, search, block(), s)), nil); err == nil {
				i.Inspect(request("POST", "/", search))
			}
		}
	})
}
