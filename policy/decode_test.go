package policy_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"storefront/internal/inventory"
	"storefront/policy"
)

const (
	state = `{"version":3,"deployment":{"resources":[
		{"urn":"urn:pulumi:prod::storefront::aws:lb/listener:Listener::a::b","type":"aws:lb/listener:Listener","inputs":{"protocol":"HTTP"}},
		{"urn":"urn:pulumi:prod::storefront::aws:lb/listener:Listener::old","type":"aws:lb/listener:Listener","delete":true,"inputs":{"protocol":"HTTP"}},
		{"urn":"urn:pulumi:prod::storefront::aws:rds/cluster:Cluster::db","type":"aws:rds/cluster:Cluster","inputs":{
			"storageEncrypted":"04da6b54-80e4-46f7-96ec-b56ff0331ba9",
			"masterPassword":{"4dabf18193072939515e22adb298388d":"1b47061264138c4ac30d75fd1eb44270","ciphertext":"v1:PLANTED"}}}]}}`
	preview = `{"steps":[
		{"op":"same","newState":{"urn":"urn:pulumi:prod::storefront::aws:lb/listener:Listener::b","type":"aws:lb/listener:Listener","inputs":{"protocol":"HTTP"}}},
		{"op":"delete","oldState":{"urn":"urn:pulumi:prod::storefront::aws:lb/listener:Listener::gone","type":"aws:lb/listener:Listener","inputs":{"protocol":"HTTP"}}}]}`
)

func evaluate(t *testing.T, file string) []policy.Result {
	t.Helper()
	s, err := inventory.Decode([]byte(file))
	if err != nil {
		t.Fatal(err)
	}
	results, err := policy.Evaluate(s, nil)
	if err != nil {
		t.Fatal(err)
	}
	return results
}

func TestDecode(t *testing.T) {
	for name, tt := range map[string]struct{ file, resource string }{"state": {state, "a::b"}, "preview": {preview, "b"}} {
		results := evaluate(t, tt.file)
		if p := results[0].Problems; len(p) != 1 || p[0].Resource != tt.resource {
			t.Errorf("%s: row 1: %v, want one listener, %s: what is on its way out does not count", name, p, tt.resource)
		}
	}
	if r := evaluate(t, state)[23]; r.Outcome != policy.Failed || !strings.Contains(r.Problems[0].Detail, "not known before the deployment") {
		t.Errorf("what is not known proves nothing: %+v", r)
	}
}

// No report shows a secret of a state, not even encrypted.
func TestSecretsAreNotPrinted(t *testing.T) {
	results := evaluate(t, state)
	var out bytes.Buffer
	if err := errors.Join(policy.WriteTable(&out, results), policy.WriteJSON(&out, results)); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(out.String(), "PLANTED") {
		t.Errorf("a secret is in the report:\n%s", out.String())
	}
}

func TestSummaryIsTheLastLine(t *testing.T) {
	results := evaluate(t, state)
	var out bytes.Buffer
	if err := policy.WriteTable(&out, results); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if got := lines[len(lines)-1]; got != policy.Summary(results) || !strings.HasSuffix(got, " not applicable") {
		t.Errorf("the last line is %q", got)
	}
	out.Reset()
	if err := policy.WriteJSON(&out, results); err != nil {
		t.Fatal(err)
	}
	var rows []struct{ Row int }
	if err := json.Unmarshal(out.Bytes(), &rows); err != nil || len(rows) != 65 || rows[64].Row != 65 {
		t.Errorf("%d rows, %v", len(rows), err)
	}
}

// Whatever a file holds, it is read or refused, and what is read can be judged and reported.
func FuzzDecode(f *testing.F) {
	f.Add([]byte(state))
	f.Add([]byte(preview))
	f.Add([]byte(`{"deployment":{"resources":[{"type":"aws:iam/role:Role","inputs":{"assumeRolePolicy":"{\"Statement\":[{\"Principal\":{\"AWS\":7}}]}"}}]}}`))
	f.Add([]byte(`{"deployment":{"resources":[{"type":"aws:lb/loadBalancer:LoadBalancer","inputs":{"accessLogs":["x"],"subnets":{"a":null}}}]}}`))
	f.Fuzz(func(t *testing.T, file []byte) {
		s, err := inventory.Decode(file)
		if err != nil {
			if !errors.Is(err, inventory.ErrFormat) {
				t.Fatal(err)
			}
			return
		}
		results, err := policy.Evaluate(s, nil)
		if err != nil || len(results) != 65 {
			t.Fatalf("%d rows, %v", len(results), err)
		}
		var out bytes.Buffer
		if err := errors.Join(policy.WriteTable(&out, results), policy.WriteJSON(&out, results)); err != nil {
			t.Fatal(err)
		}
	})
}
