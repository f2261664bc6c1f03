package pattern_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"storefront/lab/logs/pattern"
)

const (
	access = `127.0.0.1 - frank [10/Oct/2000:13:25:15 -0700] "GET /index.html HTTP/1.0" 404 1534`
	object = `{"eventType": "UpdateTrail", "sourceIPAddress": "111.111.111.111", "arrayKey": ["value", "another value"], "objectList": [{"name": "a", "id": 1}, {"name": "b", "id": 2}],
		"SomeObject": null, "ThisFlag": true, "latency": 1.5e3, "code": "404", "user": {"id": 1, "email": "John.Stiles@example.com"}, "coordinates": [[0, 1, 2], [4, 5, 6]], "odd-name_1": "x"}`
)

// The examples are those of "Filter pattern syntax", and what its words leave open.
func TestMatch(t *testing.T) {
	for _, tc := range []struct {
		pattern  string
		messages map[string]bool
	}{
		{``, map[string]bool{"anything": true}},
		{`ERROR`, map[string]bool{"[ERROR 400] BAD REQUEST": true, "ERRORCODE: -1": true, "error": false}},
		{`ERROR ARGUMENTS`, map[string]bool{"ERROR 419 MISSING ARGUMENTS": true, "ERROR": false}},
		{`?ERROR ?WARN`, map[string]bool{"WARN message": true, "ERROR": true, "INFO": false}},
		{`?ERROR WARN`, map[string]bool{"WARN": true, "ERROR": false}},
		{`ERROR -WARN`, map[string]bool{"ERROR message": true, "ERROR WARN message": false}},
		{`-INFO`, map[string]bool{"WARN": true, "INFO": false}},
		{`"INTERNAL SERVER" - "a \"b\""`, map[string]bool{"500 INTERNAL SERVER ERROR": true, "INTERNAL  SERVER": false, `INTERNAL SERVER a "b"`: false}},
		{`%AUTHORIZED%`, map[string]bool{"UNAUTHORIZED": true, "AUTH": false}},
		{`%^\[?(a)?%`, nil},
		{`%Error\x28[0-9]{2,3}\x29\s\d%`, map[string]bool{"Error(404) 1": true, "Error(4) 1": false}},
		{`ERROR %[4-5]\d\d%`, map[string]bool{"ERROR 503": true, "ERROR 203": false}},

		{`[ip, user, username, timestamp, request =*.html*, status_code = 4*, bytes]`, map[string]bool{access: true}},
		{`[ip, user, username, timestamp, request, status_code = 4* && status_code != 404, bytes]`, map[string]bool{access: false}},
		{`[..., status_code = 4* || status_code = 5*, bytes > 1000]`, map[string]bool{access: true, "a 500 1000": false, "200 4000": false, "404": false}},
		{`[ip, ...]`, map[string]bool{access: true, "": false}},
		{`[ip, user]`, map[string]bool{access: false, "a b": true, "a b c": false}},
		{`[..., (bytes >= 1534 && bytes<=1.534e3)]`, map[string]bool{access: true, "x -1": false, "x y": false}},
		{`[ip = %^127\.%, ..., status_code="404",]`, map[string]bool{access: true, "10.0.0.1 404 1": false}},
		{`[w1 != ERROR, ...]`, map[string]bool{"WARN x": true, "ERROR x": false}},

		{`{ $.eventType = "UpdateTrail" }`, map[string]bool{object: true, `{"eventType":"x"}`: false, `{}`: false, "no json UpdateTrail": false, object + "}": false}},
		{`{ $.sourceIPAddress != 123.123.* }`, map[string]bool{object: true, `{"sourceIPAddress":"123.123.1.1"}`: false, `{}`: false}},
		{`{ $.arrayKey[0] = "value" }`, map[string]bool{object: true}},
		{`{ $.arrayKey[2] = * }`, map[string]bool{object: false}},
		{`{ $.arrayKey[*] = "another*" }`, map[string]bool{object: true}},
		{`{ $.objectList[1].id = 2 }`, map[string]bool{object: true}},
		{`{ $.user.* = "*@example.com" }`, map[string]bool{object: true}},
		{`{ $.SomeObject IS NULL }`, map[string]bool{object: true, `{}`: false, `{"SomeObject":0}`: false}},
		{`{ $.SomeOtherObject NOT EXISTS }`, map[string]bool{object: true, `{"SomeOtherObject":null}`: false}},
		{`{ $.ThisFlag IS TRUE && $.ThisFlag = true }`, map[string]bool{object: true, `{"ThisFlag":false}`: false}},
		{`{$.ThisFlag IS FALSE}`, map[string]bool{object: false, `{"ThisFlag":false}`: true, `{"ThisFlag":"false"}`: false}},
		{`{ $.arrayKey = 1 || $.arrayKey != 1 || $.SomeObject != x }`, map[string]bool{object: false}},
		{`{ ($.user.id = 1) && ($.objectList[0].name = "a") }`, map[string]bool{object: true}},
		{`{ $.user.email = "John*" || $.coordinates[0][1] = nomatch && $.code = nomatch }`, map[string]bool{object: true}},
		{`{ ($.user.email = "John*" || $.coordinates[0][1] = nomatch) && $.code = nomatch }`, map[string]bool{object: false}},
		{`{ $.latency >= 1500 && $.latency<1501 && $.latency = 1500 && $.coordinates[1][0] > +3.9 }`, map[string]bool{object: true}},
		{`{ $.latency > -1e3 && $.latency != 1499 }`, map[string]bool{object: true}},
		{`{ $.code > 1 }`, map[string]bool{object: false}}, // a string is no number
		{`{ $.code = 404 && $.code = 4* && $.code = %^4% && $.odd-name_1 = x }`, map[string]bool{object: true}},
		{`{ $.a = "Ev*ent" }`, map[string]bool{`{"a":"Ev*ent"}`: true, `{"a":"Evxent"}`: false}},
		{`{ $[0].a = 1 }`, map[string]bool{`[{"a":1}]`: true}},
		{`{ $.big = 9007199254740993 }`, map[string]bool{`{"big":9007199254740993}`: true, `{"big":9007199254740992}`: false}},
	} {
		p, err := pattern.Parse(tc.pattern)
		if tc.messages == nil {
			if !errors.Is(err, pattern.ErrInvalid) {
				t.Errorf("%s: %v, want ErrInvalid", tc.pattern, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", tc.pattern, err)
			continue
		}
		for text, want := range tc.messages {
			if got := p.Match(&pattern.Message{Text: text}); got != want {
				t.Errorf("%s on %s: %v, want %v", tc.pattern, text, got, want)
			}
		}
	}
}

func TestInvalid(t *testing.T) {
	for text, want := range map[string]string{
		`foo-bar`: "Invalid character(s) in term '-'", `?Status: timeout`: "term ':'", `a [b`: "term '['", `"open`: "quote", `%(a)%`: `'('`, `%a b%`: `' '`, `%\(%`: "backslash",
		`%a{2000}%`: "repeat", `%a`: "percent", `-`: "early", `?`: "early", `{`: "early", `{ $.a }`: "term '}'", `{ $.a = }`: "term '}'", `{ $ = 1 }`: "term '='",
		`{ a = 1 }`: "term 'a'", `{ $.a = 1`: "early", `{ $.a = 1 } x`: "term 'x'", `{ $.a EXISTS }`: "term 'E'", `{ $.a IS x }`: "term 'x'", `{ $.a NOT x }`: "term 'x'",
		`{ $.a > "1" }`: "term '\"'", `{ $.a > x }`: "term '}'", `{ $.a = 1 && }`: "term '}'", `{ ($.a = 1 }`: "term '}'", `{ $.a[x] = 1 }`: "term 'x'", `{ $."a" = 1 }`: `term '"'`,
		`{ $.*.* = 1 }`: "more than one wildcard", `{ $.*=1 && $.a[*]=1 && $.*=1 && $.*=2 }`: "more than 3 wildcards", `{ $.a=%a% && $.b=%b% && $.c=%c% }`: "more than 2 regular",
		`{ $.a = naïve }`: "term 'ï'", `[a`: "early", `[a b]`: "term 'b'", `[..., a, ...]`: "ellipses", `[a=1 && b=2]`: "term '='", `[a, a]`: "two fields",
		strings.Repeat("{(", 1) + strings.Repeat("(", 60): "deeper", `[a > x]`: "term ']'",
	} {
		if _, err := pattern.Parse(text); !errors.Is(err, pattern.ErrInvalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want ...%s...", text, err, want)
		}
	}
}

func TestValues(t *testing.T) {
	for _, tc := range []struct {
		pattern, message string
		want             map[string]string
	}{
		{`[..., request=*.html*, status_code=4*,]`, access, map[string]string{"$1": "127.0.0.1", "$2": "-", "$3": "frank", "$4": "10/Oct/2000:13:25:15 -0700", "$request": "GET /index.html HTTP/1.0", "$status_code": "404", "$7": "1534"}},
		{`{ $.latency > 1 && $.user.id = 1 && $.SomeObject IS NULL && $.none NOT EXISTS }`, object, map[string]string{"$.latency": "1.5e3", "$.user.id": "1"}},
		{`ERROR`, "ERROR", map[string]string{}},
	} {
		p, err := pattern.Parse(tc.pattern)
		if err != nil {
			t.Fatal(err)
		}
		m := &pattern.Message{Text: tc.message}
		if !p.Match(m) {
			t.Errorf("%s does not match", tc.pattern)
		}
		if diff := cmp.Diff(tc.want, p.Extracted(m)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tc.pattern, diff)
		}
	}
	for _, tc := range []struct {
		pattern, reference string
		ok                 bool
	}{
		{`[ip, ..., bytes]`, "$bytes", true}, {`[ip, bytes]`, "$other", false}, {`[ip, ...]`, "$7", true}, {`[ip]`, "ip", false}, {`[ip]`, "$0", false},
		{`{ $.a = 1 }`, "$.b.c[0]", true}, {`{ $.a = 1 }`, "$.b.*", false}, {`{ $.a = 1 }`, "b", false}, {`{ $.a = 1 }`, "$.b x", false}, {`ERROR`, "$.a", false},
	} {
		p, err := pattern.Parse(tc.pattern)
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := p.Value(tc.reference); ok != tc.ok {
			t.Errorf("%s in %s: %v", tc.reference, tc.pattern, ok)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, text := range []string{`a ?b -"c" %d%`, `[a, ..., b = 4* && b != 403,]`, `{ ($.a[0].b = "*x" || $.c >= 1e3) && $.d NOT EXISTS && $.e[*] IS NULL }`} {
		f.Add(text, access)
		f.Add(text, object)
	}
	f.Fuzz(func(t *testing.T, text, message string) {
		p, err := pattern.Parse(text)
		if err != nil {
			if !errors.Is(err, pattern.ErrInvalid) {
				t.Errorf("%q: %v", text, err)
			}
			return
		}
		m := &pattern.Message{Text: message}
		if again := (&pattern.Message{Text: message}); p.Match(m) != p.Match(again) {
			t.Errorf("%q decides about %q in two ways", text, message)
		}
		for reference := range p.Extracted(m) {
			if _, ok := p.Value(reference); !ok && !strings.Contains(reference, "*") {
				t.Errorf("%q extracts %q, which is no value of it", text, reference)
			}
		}
	})
}
