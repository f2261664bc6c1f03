package policy

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"storefront/internal/inventory"

	"github.com/pulumi/pulumi/sdk/v3/go/property"
)

type (
	in     = map[string]any
	values = []any
)

// res makes a resource. A string that begins with @ comes from the resource of that name.
func res(typ, name string, inputs in) *inventory.Resource {
	r := &inventory.Resource{Type: typ, Name: name, URN: "urn:" + name, ID: name + "-id", Inputs: inventory.Plain(inputs).AsMap(), Dependencies: map[string][]string{}}
	for key, v := range inputs {
		depend(r, key, v)
	}
	return r
}

func depend(r *inventory.Resource, key string, v any) {
	switch v := v.(type) {
	case string:
		if name, ok := strings.CutPrefix(v, "@"); ok {
			r.Dependencies[key] = append(r.Dependencies[key], "urn:"+name)
		}
	case values:
		for _, e := range v {
			depend(r, key, e)
		}
	case in:
		for _, e := range v {
			depend(r, key, e)
		}
	}
}

// fault is a way to spoil a stack that meets a row.
type fault struct {
	name, key string
	value     any
	// kept says that it is enough that there is a value: one that is not known yet does.
	kept bool
}

// set gives a resource another input; what is not known yet is as bad.
func set(name, key string, value any) fault { return fault{name: name, key: key, value: value} }

// unset takes an input away.
func unset(name, key string) fault { return fault{name: name, key: key, kept: true} }

// drop takes a resource away.
func drop(name string) fault { return fault{name: name} }

func (f fault) String() string { return fmt.Sprintf("%s.%s = %v", f.name, f.key, f.value) }

func (f fault) apply(resources []*inventory.Resource, value any) []*inventory.Resource {
	var spoilt []*inventory.Resource
	for _, r := range resources {
		if r.Name == f.name && f.key == "" {
			continue
		}
		if r.Name == f.name {
			inputs := in{f.key: value}
			c := *r
			c.Dependencies = res("", "", inputs).Dependencies
			for key, urns := range r.Dependencies {
				if key != f.key {
					c.Dependencies[key] = urns
				}
			}
			c.Inputs = r.Inputs.Set(f.key, inventory.Plain(value))
			r = &c
		}
		spoilt = append(spoilt, r)
	}
	return spoilt
}

func outcome(t *testing.T, row int, resources []*inventory.Resource) Result {
	t.Helper()
	results, err := Evaluate(inventory.NewStack(resources), nil)
	if err != nil {
		t.Fatal(err)
	}
	return results[row-1]
}

// Each row is met by what is right, and fails for each thing that is wrong or, in a preview, not known.
func TestRows(t *testing.T) {
	tested := map[int]bool{}
	for _, c := range cases() {
		tested[c.row] = true
		t.Run(fmt.Sprint(c.row), func(t *testing.T) {
			if r := outcome(t, c.row, c.met); r.Outcome != Met {
				t.Fatalf("what is right is %s: %v", r.Outcome, r.Problems)
			}
			if len(c.faults) == 0 {
				t.Fatal("nothing is spoilt")
			}
			for _, f := range c.faults {
				if r := outcome(t, c.row, f.apply(c.met, f.value)); r.Outcome != Failed {
					t.Errorf("%s: %s", f, r.Outcome)
				}
				if f.key == "" {
					continue
				}
				want := Failed
				if f.kept {
					want = Met
				}
				if r := outcome(t, c.row, f.apply(c.met, inventory.Unknown)); r.Outcome != want {
					t.Errorf("%s.%s is not known: %s, want %s", f.name, f.key, r.Outcome, want)
				}
			}
		})
	}
	for _, row := range Rows() {
		if !tested[row.ID] {
			t.Errorf("row %d (%s: %s) is not tested", row.ID, row.Block, row.Meaning)
		}
	}
}

func TestRowsAreNumbered(t *testing.T) {
	rows := Rows()
	if len(rows) != 65 {
		t.Errorf("%d rows, want 65", len(rows))
	}
	for i, r := range rows {
		if r.ID != i+1 || r.Block == "" || r.Meaning == "" || r.check == nil {
			t.Errorf("row %d: %+v", i+1, r)
		}
	}
}

// A stack that has nothing of a kind is not judged by it; what belongs to the account is wanted of every stack.
func TestNothingApplies(t *testing.T) {
	results, err := Evaluate(inventory.NewStack(nil), nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := Summary(results), "0 met, 0 failed, 0 excepted, 65 not applicable"; got != want {
		t.Errorf("an empty stack: %s, want %s", got, want)
	}
	results, err = Evaluate(inventory.NewStack([]*inventory.Resource{res("aws:ec2/eip:Eip", "address", nil)}), nil)
	if err != nil {
		t.Fatal(err)
	}
	var failed []int
	for _, r := range results {
		if r.Outcome == Failed {
			failed = append(failed, r.ID)
		}
	}
	if !slices.Equal(failed, []int{49, 65}) {
		t.Errorf("an address alone fails %v", failed)
	}
}

// A secret in user data is found whatever its form, and never printed.
func TestUserDataIsNotPrinted(t *testing.T) {
	const password = "hunter2hunter2"
	for _, script := range []string{"DB_PASSWORD=" + password, "aws_secret_access_key = " + password, "API_TOKEN='" + password + "'", "-----BEGIN RSA PRIVATE KEY-----\n" + password} {
		r := outcome(t, 15, []*inventory.Resource{res(launchTemplate, "t", in{"userData": script})})
		if r.Outcome != Failed || strings.Contains(fmt.Sprint(r.Problems), password) {
			t.Errorf("%q: %s, %v", script, r.Outcome, r.Problems)
		}
	}
	hidden := res(launchTemplate, "t", nil)
	hidden.Inputs = hidden.Inputs.Set("userData", property.New(password).WithSecret(true))
	if r := outcome(t, 15, []*inventory.Resource{hidden}); r.Outcome != Failed {
		t.Errorf("user data that is marked as a secret: %s", r.Outcome)
	}
}
