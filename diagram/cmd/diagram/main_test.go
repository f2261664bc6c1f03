package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"storefront/diagram"
	"storefront/internal/clone"
	"storefront/internal/declare"
	"storefront/internal/golden"
)

// The picture of each profile is committed and shows what the program declares.
func TestProfiles(t *testing.T) {
	if testing.Short() {
		t.Skip("links the stack's program")
	}
	root, err := clone.Root()
	if err != nil {
		t.Fatal(err)
	}
	stacks, err := declare.Stacks(t.Context(), root, "lab", "dev", "prod")
	if err != nil {
		t.Fatal(err)
	}
	for profile, stack := range stacks {
		got, err := diagram.SVG(stack, diagram.Declared(profile))
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(root, "docs", "diagrams", profile+".svg")
		golden.Compare(t, file, string(got))
	}
}

const subnet = `{"deployment":{"resources":[{"urn":"urn:pulumi:p::s::aws:ec2/subnet:Subnet::k","type":"aws:ec2/subnet:Subnet","inputs":{"availabilityZone":"us-east-1a"}}]}}`

func TestRun(t *testing.T) {
	var out bytes.Buffer
	if err := run(context.Background(), []string{"-"}, strings.NewReader(subnet), &out); err != nil || !strings.HasPrefix(out.String(), "<svg ") {
		t.Errorf("%v\n%s", err, out.String())
	}
	file := filepath.Join(t.TempDir(), "out.svg")
	out.Reset()
	if err := run(context.Background(), []string{"-out", file, "-"}, strings.NewReader(subnet), &out); err != nil || !strings.Contains(out.String(), file) {
		t.Errorf("%v: %q", err, out.String())
	}
	if svg, err := os.ReadFile(file); err != nil || !bytes.HasPrefix(svg, []byte("<svg ")) {
		t.Errorf("%v: %q", err, svg)
	}
}

// A stack that is deployed from this clone is drawn as it is.
func TestRunDeployed(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("STOREFRONT_STATE", dir)
	t.Setenv("PULUMI_BACKEND_URL", "")
	stacks := filepath.Join(dir, ".pulumi", "stacks", "storefront")
	if err := os.MkdirAll(stacks, 0o700); err != nil {
		t.Fatal(err)
	}
	checkpoint := strings.Replace(strings.TrimSuffix(subnet, "}"), `{"deployment":`, `{"checkpoint":{"latest":`, 1) + "}}"
	if err := os.WriteFile(filepath.Join(stacks, "dev.json"), []byte(checkpoint), 0o600); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := run(context.Background(), []string{"-stack", "dev"}, nil, &out); err != nil || !strings.Contains(out.String(), "as it is deployed") {
		t.Errorf("%v\n%s", err, out.String())
	}
}

func TestRunRefuses(t *testing.T) {
	for name, tt := range map[string]struct {
		args []string
		in   string
		want error // nil: any other one
	}{
		"two files":    {[]string{"a", "b"}, "", errUsage},
		"no such flag": {[]string{"-size", "1"}, "", errUsage},
		"no such file": {[]string{filepath.Join(t.TempDir(), "state")}, "", os.ErrNotExist},
		"no state":     {[]string{"-"}, "{}", nil},
		"no subnets":   {[]string{"-"}, `{"deployment":{"resources":[]}}`, diagram.ErrEmpty},
	} {
		var out bytes.Buffer
		err := run(context.Background(), tt.args, strings.NewReader(tt.in), &out)
		if err == nil || tt.want != nil && !errors.Is(err, tt.want) || tt.want == nil && errors.Is(err, errUsage) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
