package main

import (
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/property"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/policyx"

	"storefront/policy"
)

// violations is a manager that keeps what it is told.
type violations []string

func (v *violations) ReportViolation(message, urn string) { *v = append(*v, message+" @ "+urn) }

func listener(stack, protocol string) policyx.AnalyzerResource {
	return policyx.AnalyzerResource{
		Type: "aws:lb/listener:Listener", Name: "storefront-" + stack + "-http", URN: "urn:pulumi:" + stack + "::storefront::aws:lb/listener:Listener::http",
		Properties: property.NewMap(map[string]property.Value{"protocol": property.New(protocol)}),
	}
}

// A violation names its resource; an exception of the profile that has the stack's name silences it.
func TestValidate(t *testing.T) {
	for _, tt := range []struct {
		stack, protocol string
		want            int
	}{{"prod", "HTTP", 1}, {"prod", "HTTPS", 0}, {"dev", "HTTP", 0}, {"mine", "HTTP", 1}} {
		var found violations
		args := policyx.StackValidationArgs{Manager: &found, Resources: []policyx.AnalyzerResource{listener(tt.stack, tt.protocol)}}
		if err := validate(policy.Rows()[0], args); err != nil {
			t.Fatal(err)
		}
		if len(found) != tt.want || tt.want > 0 && !strings.HasSuffix(found[0], "@ "+args.Resources[0].URN) {
			t.Errorf("%s, %s: %v, want %d", tt.stack, tt.protocol, found, tt.want)
		}
	}
}

func TestPack(t *testing.T) {
	p, err := pack(nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := len(p.Policies()), len(policy.Rows()); got != want {
		t.Errorf("%d policies, want %d", got, want)
	}
}
