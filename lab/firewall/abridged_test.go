package firewall_test

import (
	"bufio"
	"cmp"
	"context"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	coreruleset "github.com/corazawaf/coraza-coreruleset/v4"
	"github.com/corazawaf/coraza-coreruleset/v4/tests"
	gocmp "github.com/google/go-cmp/cmp"
	"gopkg.in/yaml.v3"

	api "storefront/lab/api/wafv2"
	"storefront/lab/firewall"
)

// counting has every managed group, and no rule that ends the evaluation: all that match show.
func counting() firewall.ACL {
	var all []api.Rule
	for n, g := range firewall.ManagedGroups() {
		var names []string
		for _, r := range g.Rules {
			names = append(names, r.Name)
		}
		all = append(all, managed(int64(n), g.Name, names...))
	}
	return acl(all...)
}

// found is what of a verdict must not depend on how it was come by. Which of several matches a detail tells of is left to chance.
func found(v firewall.Verdict) []string {
	list := append([]string{v.Action, v.Group, v.Inner}, v.Labels...)
	for _, m := range v.Counted {
		list = append(list, m.Group+" "+m.Inner)
	}
	return list
}

// regressions are the requests that the core rule set tests itself with: attacks, and what looks like one.
func regressions(t *testing.T) (list []*firewall.Request) {
	t.Helper()
	for _, file := range firewall.RuleFiles() {
		paths, err := fs.Glob(tests.FS, file+"/*.yaml")
		if err != nil || len(paths) == 0 {
			t.Fatalf("no tests of %s: %v", file, err)
		}
		for _, path := range paths {
			var suite struct {
				Tests []struct {
					Stages []struct {
						Input struct {
							Method, URI, Data string
							Headers           map[string]string
						}
					}
				}
			}
			text, err := fs.ReadFile(tests.FS, path)
			if err == nil {
				err = yaml.Unmarshal(text, &suite)
			}
			if err != nil {
				t.Fatal(path, err)
			}
			for _, one := range suite.Tests {
				for _, s := range one.Stages {
					if r := hostile(s.Input.Method, s.Input.URI, s.Input.Data, s.Input.Headers); r != nil {
						list = append(list, r)
					}
				}
			}
		}
	}
	return list
}

// hostile is a request that httptest would not make, nil when no server would read it.
func hostile(method, target, body string, fields map[string]string) *firewall.Request {
	address, err := url.ParseRequestURI(target)
	if err != nil {
		return nil
	}
	r := &http.Request{Method: method, URL: address, Proto: "HTTP/1.1", Host: "shop.example", Header: http.Header{}}
	for name, v := range fields {
		if name != "Host" { // localhost, which a managed rule blocks
			r.Header.Set(name, v)
		}
	}
	return &firewall.Request{Request: r, Body: []byte(body)}
}

// mixed is a request with the address of one, the body of another, and the fields of both.
func mixed(a, b *firewall.Request) *firewall.Request {
	r := &firewall.Request{Request: a.WithContext(context.Background()), Body: b.Body}
	r.Header = a.Header.Clone()
	for name, list := range b.Header {
		r.Header[name] = append(r.Header[name], list...)
	}
	return r
}

// every is the share of the regression tests that are run, one in so many: all of them take a minute. FIREWALL_EVERY=1 runs them all.
func every(t *testing.T) int {
	t.Helper()
	n, err := strconv.Atoi(cmp.Or(os.Getenv("FIREWALL_EVERY"), "151"))
	if err != nil || n < 1 {
		t.Fatalf("FIREWALL_EVERY: %v", err)
	}
	return n
}

// What is left out of the core rule set, and the values of requests that are not looked at again, change no verdict.
func TestAbridgedRulesDecideAlike(t *testing.T) {
	attacks := regressions(t)
	if len(attacks) < 1500 {
		t.Fatalf("only %d requests", len(attacks))
	}
	for name, a := range map[string]firewall.ACL{"all groups": counting(), "preset": preset()} {
		t.Run(name, func(t *testing.T) {
			i := compile(t, a)
			want := firewall.Unabridged(t, i)
			matched, inspected := 0, 0
			for n := 0; n < 2*len(attacks); n += every(t) {
				r := attacks[n%len(attacks)]
				if n >= len(attacks) {
					r = mixed(r, attacks[(n*7)%len(attacks)])
				}
				expected := found(want(r))
				if len(expected) > 3 {
					matched++
				}
				inspected++
				for _, when := range []string{"new", "seen"} {
					if diff := gocmp.Diff(expected, found(i.Inspect(r))); diff != "" {
						t.Errorf("%s %s %q %q, %s (-all rules +abridged):\n%s", r.Method, r.URL, r.Header, r.Body, when, diff)
					}
				}
			}
			if matched < inspected/4 || matched == inspected {
				t.Errorf("%d of %d requests match: attacks and others are wanted", matched, inspected)
			}
		})
	}
}

func FuzzAbridgedRulesDecideAlike(f *testing.F) {
	f.Add("/products?q=kettle", "application/json", `{"items":[{"product_id":"kettle","quantity":1}]}`, "shop/1.0", "session=1")
	f.Add("/products?q=1%27+or+%271%27%3D%271", "application/x-www-form-urlencoded", "a=rO0ABQ&a=runtime&b=processbuilder", "${jndi:ldap://x/a}", "a=java.lang; b=runtime")
	f.Add("/x?a=<script>&a=alert(1)", "text/plain", "../../etc/passwd", "sqlmap", "a=http://169.254.169.254/; a=¼script¾ alert(1)")
	i := compile(f, counting())
	want := firewall.Unabridged(f, i)
	f.Fuzz(func(t *testing.T, target, kind, body, agent, cookie string) {
		r := hostile("POST", target, body[:min(len(body), firewall.BodyLimit)], map[string]string{"Content-Type": kind, "User-Agent": agent, "Cookie": cookie})
		if r == nil {
			return
		}
		if diff := gocmp.Diff(found(want(r)), found(i.Inspect(r))); diff != "" {
			t.Errorf("-all rules +abridged:\n%s", diff)
		}
	})
}

// A value that matches nothing may be left out of other requests, because the rules in force look at one value at a time: those that go on in a chain
// look at what the first matched, and none counts values or reads what another rule noted.
func TestRulesLookAtOneValueAtATime(t *testing.T) {
	id, jump := regexp.MustCompile(`\bid:(\d+)`), regexp.MustCompile(`\bid:9\d\d01\d\b`)
	for _, file := range firewall.RuleFiles() {
		text, err := fs.ReadFile(coreruleset.FS, "@owasp_crs/"+file+".conf")
		if err != nil {
			t.Fatal(err)
		}
		chained, higher, rules, last := false, false, 0, ""
		lines := bufio.NewScanner(strings.NewReader(strings.ReplaceAll(string(text), "\\\n", " ")))
		for lines.Scan() {
			words := strings.Fields(lines.Text())
			if len(words) < 3 || words[0] != "SecRule" {
				continue
			}
			if !chained {
				last = strings.Join(id.FindStringSubmatch(lines.Text()), " ")
				higher = regexp.MustCompile(`paranoia-level/[234]`).MatchString(lines.Text())
			}
			for v := range strings.SplitSeq(words[1], "|") {
				v, _, _ = strings.Cut(v, ":")
				alone := chained && (v == "MATCHED_VARS" || v == "XML") || !chained && !slices.Contains([]string{"&", "T", "M"}, v[:1])
				if !alone && !higher && !jump.MatchString(lines.Text()) {
					t.Errorf("rule %s of %s looks at %s", last, file, words[1])
				}
			}
			chained = slices.ContainsFunc(words, func(w string) bool { return strings.Trim(w, `",`) == "chain" })
			rules++
		}
		if err := lines.Err(); err != nil || rules < 9 {
			t.Errorf("%s: %d rules were read: %v", file, rules, err)
		}
	}
}
