// Package componenttest runs a component against Pulumi's mocks and keeps what it registered, for tests to look at.
//
// What mocks cannot show: how the provider validates, diffs and orders. The end-to-end suite shows that.
package componenttest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"storefront/internal/golden"
)

// Identity of the mocked account.
const (
	Account = "123456789012"
	Region  = "us-east-1"
	Drawn   = "Drawn0123456789" // what AWS draws at random
)

// Resource is one registration.
type Resource struct {
	Type, Name string
	URN        string // as the engine would make it, without stack and project: the chain of parent types, then the name
	Parent     string // the parent's URN
	Provider   string
	DependsOn  []string // names of the resources it explicitly or through its inputs depends on
	Inputs     resource.PropertyMap
	Custom     bool
	Options    Options
}

// Options are the resource options that tests assert.
type Options struct {
	IgnoreChanges  []string
	RetainOnDelete bool
	Protect        bool
}

// Input returns the input at path, in plain Go form; nil when it is absent. A path is names and list indexes joined by dots.
func (r Resource) Input(path string) any {
	p, err := resource.ParsePropertyPath(path)
	if err != nil {
		panic(err)
	}
	v, ok := p.Get(resource.NewObjectProperty(r.Inputs))
	if !ok {
		return nil
	}
	return plain(v)
}

// CheckInputs reports the inputs that are not as wanted, by their paths.
func (r Resource) CheckInputs(t *testing.T, want map[string]any) {
	t.Helper()
	for path, want := range want {
		if got := r.Input(path); got != want {
			t.Errorf("%s %s %s: got %v, want %v", r.Type, r.Name, path, got, want)
		}
	}
}

// Secret tells whether the input at path is marked as a secret, so that the state keeps it encrypted.
func (r Resource) Secret(path string) bool {
	p, err := resource.ParsePropertyPath(path)
	if err != nil {
		panic(err)
	}
	v, ok := p.Get(resource.NewObjectProperty(r.Inputs))
	return ok && (v.IsSecret() || v.IsOutput() && v.OutputValue().Secret)
}

func plain(v resource.PropertyValue) any {
	switch {
	case v.IsSecret():
		return plain(v.SecretValue().Element)
	case v.IsOutput():
		return plain(v.OutputValue().Element)
	}
	return v.MapRepl(nil, func(v resource.PropertyValue) (any, bool) {
		if v.IsSecret() || v.IsOutput() {
			return plain(v), true
		}
		return nil, false
	})
}

// Recorder keeps what was registered. The SDK registers from several goroutines.
type Recorder struct {
	mu        sync.Mutex
	resources []Resource
	calls     []string
}

// Call implements pulumi.MockResourceMonitor.
func (r *Recorder) Call(args pulumi.MockCallArgs) (resource.PropertyMap, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if args.Provider == "" {
		return nil, fmt.Errorf("%s names no provider: it would run on the default one", args.Token)
	}
	r.calls = append(r.calls, args.Token)
	out := args.Args.Copy()
	switch args.Token {
	case "aws:index/getCallerIdentity:getCallerIdentity":
		out["accountId"] = resource.NewStringProperty(Account)
	case "aws:ssm/getParameter:getParameter":
		out["value"] = resource.NewStringProperty("ami-0123456789abcdef0")
	case "aws:secretsmanager/getRandomPassword:getRandomPassword":
		out["randomPassword"] = resource.NewStringProperty(Drawn)
	default:
		return nil, fmt.Errorf("the test knows no answer to %s", args.Token)
	}
	return out, nil
}

// NewResource implements pulumi.MockResourceMonitor.
func (r *Recorder) NewResource(args pulumi.MockResourceArgs) (string, resource.PropertyMap, error) {
	rpc := args.RegisterRPC
	res := Resource{
		Type: args.TypeToken, Name: args.Name, Parent: rpc.GetParent(), Provider: args.Provider, Inputs: args.Inputs, Custom: args.Custom,
		Options: Options{rpc.GetIgnoreChanges(), rpc.GetRetainOnDelete(), rpc.GetProtect()},
	}
	for _, urn := range rpc.GetDependencies() {
		res.DependsOn = append(res.DependsOn, string(resource.URN(urn).Name()))
	}
	chain := ""
	if p := resource.URN(res.Parent); p.IsValid() && p.Type() != resource.RootStackType {
		chain = string(p.QualifiedType()) + "$"
	}
	res.URN = chain + res.Type + "::" + res.Name
	r.mu.Lock()
	r.resources = append(r.resources, res)
	r.mu.Unlock()
	return outputs(args)
}

// Run runs program with an explicit provider, and fails the test when it fails.
func Run(t *testing.T, program func(ctx *pulumi.Context, provider *aws.Provider) error) *Recorder {
	t.Helper()
	r, err := Try(program)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// Try runs program and returns its error.
func Try(program func(ctx *pulumi.Context, provider *aws.Provider) error) (*Recorder, error) {
	r := &Recorder{}
	err := pulumi.RunErr(func(ctx *pulumi.Context) error {
		p, err := aws.NewProvider(ctx, "aws", &aws.ProviderArgs{Region: pulumi.String(Region)})
		if err != nil {
			return err
		}
		return program(ctx, p)
	}, pulumi.WithMocks("storefront", "test", r))
	return r, err
}

// CheckRefused reports a program whose error is not want, or that has none.
func CheckRefused(t *testing.T, want error, program func(ctx *pulumi.Context, provider *aws.Provider) error) {
	t.Helper()
	var got error
	_, _ = Try(func(ctx *pulumi.Context, provider *aws.Provider) error {
		got = program(ctx, provider)
		return got
	})
	if !errors.Is(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// All returns the custom resources of a type, in order of name.
func (r *Recorder) All(token string) []Resource {
	r.mu.Lock()
	defer r.mu.Unlock()
	var found []Resource
	for _, res := range r.resources {
		if res.Type == token {
			found = append(found, res)
		}
	}
	slices.SortFunc(found, func(a, b Resource) int { return strings.Compare(a.Name, b.Name) })
	return found
}

// One returns the only resource of a type and name.
func (r *Recorder) One(t *testing.T, token, name string) Resource {
	t.Helper()
	var names []string
	for _, res := range r.All(token) {
		if res.Name == name {
			return res
		}
		names = append(names, res.Name)
	}
	t.Fatalf("no %s %q; there are %q", token, name, names)
	return Resource{}
}

// Calls returns the tokens of the functions that were invoked, sorted.
func (r *Recorder) Calls() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Sorted(slices.Values(r.calls))
}

// Counts returns how many resources of each AWS type were registered.
func (r *Recorder) Counts() map[string]int {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := map[string]int{}
	for _, res := range r.resources {
		if res.Custom && strings.HasPrefix(res.Type, "aws:") {
			n[res.Type]++
		}
	}
	return n
}

// CheckCounts reports where the number of resources of a type is not as wanted.
func (r *Recorder) CheckCounts(t *testing.T, want map[string]int) {
	t.Helper()
	if diff := cmp.Diff(want, r.Counts()); diff != "" {
		t.Errorf("resources (-want +got):\n%s", diff)
	}
}

// CheckTree reports every resource that is not below a component called root, has a name that does not begin with the
// component's, or names no provider.
func (r *Recorder) CheckTree(t *testing.T, root string) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	parents := map[string]string{}
	for _, res := range r.resources {
		parents[res.URN] = res.Parent
	}
	for _, res := range r.resources {
		if !strings.HasPrefix(res.Type, "aws:") {
			continue
		}
		if !strings.Contains(res.Parent, "storefront:") || !strings.HasSuffix(res.Parent, "::"+root) {
			t.Errorf("%s %s: its parent is %q, not the component %q", res.Type, res.Name, res.Parent, root)
		}
		if !strings.HasPrefix(res.Name, root) {
			t.Errorf("%s %s: its name does not begin with the component's, %q", res.Type, res.Name, root)
		}
		if res.Provider == "" {
			t.Errorf("%s %s names no provider", res.Type, res.Name)
		}
	}
}

// GoldenURNs compares the URNs with a file. A URN that changes is a resource that users lose and get anew.
func (r *Recorder) GoldenURNs(t *testing.T, file string) {
	t.Helper()
	r.mu.Lock()
	var urns []string
	for _, res := range r.resources {
		if !strings.HasPrefix(res.Type, "pulumi:") {
			urns = append(urns, res.URN)
		}
	}
	r.mu.Unlock()
	slices.Sort(urns)
	golden.Compare(t, file, strings.Join(urns, "\n")+"\n")
}
