// Package rules checks which package may import which, as docs/design.md section 2 decides.
package rules

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// rule says what the packages below a folder must not import. A trailing slash stands for everything below.
type rule struct {
	folder    string
	forbidden []string
	except    []string // packages to which the rule does not apply
}

const (
	pulumi = "github.com/pulumi/"
	awsSDK = "github.com/aws/aws-sdk-go"
)

var rules = []rule{
	{folder: "storefront/components/", forbidden: []string{"storefront/stacks/", "storefront/lab/", "storefront/services/", "storefront/test/", awsSDK}},
	{folder: "storefront/stacks/", forbidden: []string{"storefront/lab/", "storefront/services/", "storefront/test/"}},
	{folder: "storefront/policy", forbidden: []string{"storefront/components/", "storefront/stacks/", "storefront/lab/", "storefront/services/", pulumi + "pulumi-aws/", awsSDK}},
	{folder: "storefront/cost", forbidden: []string{"storefront/components/", "storefront/stacks/", "storefront/lab/", "storefront/services/", pulumi + "pulumi-aws/", awsSDK}},
	{folder: "storefront/diagram", forbidden: []string{"storefront/components/", "storefront/stacks/", "storefront/lab/", "storefront/services/", pulumi + "pulumi-aws/", awsSDK}},
	{folder: "storefront/ci", forbidden: []string{"storefront/components/", "storefront/stacks/", "storefront/lab/", "storefront/services/", "storefront/policy", "storefront/cost", pulumi, awsSDK}},
	{folder: "storefront/services/", forbidden: []string{"storefront/lab/", "storefront/stacks/", "storefront/components/", pulumi}},
	{folder: "storefront/lab/", forbidden: []string{"storefront/stacks/", "storefront/components/", "storefront/services/", pulumi, awsSDK},
		except: []string{"storefront/lab/wire/wiretest"}},
}

type pkg struct {
	ImportPath string
	Imports    []string
}

func TestImports(t *testing.T) {
	packages := list(t)
	if len(packages) < 20 {
		t.Fatalf("go list shows %d packages: the rules would check nothing", len(packages))
	}
	for _, p := range packages {
		for _, r := range rules {
			if strings.HasPrefix(p.ImportPath, r.folder) && !slices.Contains(r.except, p.ImportPath) {
				check(t, p, r)
			}
		}
	}
}

// TestComponentsStandAlone keeps blocks joined by a stack alone, never by each other.
func TestComponentsStandAlone(t *testing.T) {
	for _, p := range list(t) {
		rest, block := strings.CutPrefix(p.ImportPath, "storefront/components/")
		if !block {
			continue
		}
		own := "storefront/components/" + strings.Split(rest, "/")[0]
		for _, i := range p.Imports {
			if strings.HasPrefix(i, "storefront/components/") && !strings.HasPrefix(i, "storefront/components/internal/") && !strings.HasPrefix(i, own) {
				t.Errorf("%s imports %s: a stack joins blocks by their outputs", p.ImportPath, i)
			}
		}
	}
}

// TestShopDomainIsPlain keeps the shop's domain free of every technology.
func TestShopDomainIsPlain(t *testing.T) {
	for _, p := range list(t) {
		if p.ImportPath != "storefront/services/shop" {
			continue
		}
		for _, i := range p.Imports {
			if strings.Contains(i, ".") || strings.HasPrefix(i, "storefront/") {
				t.Errorf("%s imports %s: it may use the standard library alone", p.ImportPath, i)
			}
		}
	}
}

func check(t *testing.T, p pkg, r rule) {
	t.Helper()
	for _, i := range p.Imports {
		for _, f := range r.forbidden {
			if strings.HasPrefix(i, f) {
				t.Errorf("%s imports %s: packages below %s must not", p.ImportPath, i, r.folder)
			}
		}
	}
}

func list(t *testing.T) []pkg {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports", "storefront/...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []pkg
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}
