// Command pack is the scoreboard as a Pulumi policy pack: one policy for each row, told to whoever previews or deploys.
//
//	pulumi preview --policy-pack policy/pack
//
// All policies are advisory, because most rows of a preview cannot be met before AWS has answered: a policy document with an ARN in it
// is not known until then. A configuration of the pack can make each of them mandatory.
package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/blang/semver"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/policyx"

	"storefront/internal/inventory"
	"storefront/policy"
)

func main() {
	if err := policyx.Main(pack); err != nil {
		fmt.Fprintln(os.Stderr, "policy pack:", err)
		os.Exit(1)
	}
}

func pack(*pulumi.Context) (policyx.PolicyPack, error) {
	var policies []policyx.Policy
	for _, row := range policy.Rows() {
		policies = append(policies, policyx.NewStackValidationPolicy(fmt.Sprintf("row-%02d", row.ID), policyx.StackValidationPolicyArgs{
			Description:      row.Block + ": " + row.Meaning,
			EnforcementLevel: policyx.EnforcementLevelAdvisory,
			ValidateStack:    func(_ context.Context, args policyx.StackValidationArgs) error { return validate(row, args) },
		}))
	}
	return policyx.NewPolicyPack("storefront", semver.MustParse("1.0.0"), policyx.EnforcementLevelAdvisory, policies)
}

// validate reports what keeps a row from being met, with the exceptions of the profile that has the stack's name. Exceptions that
// excuse nothing are left to `make check`, which sees everything.
func validate(row policy.Row, args policyx.StackValidationArgs) error {
	exceptions, err := policy.Exceptions(stackOf(args.Resources))
	if err != nil {
		exceptions = nil // another profile has none
	}
	result, _ := row.Evaluate(stack(args.Resources), exceptions)
	if result.Outcome != policy.Failed {
		return nil
	}
	for _, p := range result.Problems {
		args.Manager.ReportViolation(p.Resource+" "+p.Detail, p.URN)
	}
	return nil
}

// stackOf returns the name of the stack, which every URN holds: "urn:pulumi:STACK::...".
func stackOf(resources []policyx.AnalyzerResource) string {
	if len(resources) == 0 {
		return ""
	}
	name, _, _ := strings.Cut(strings.TrimPrefix(resources[0].URN, "urn:pulumi:"), "::")
	return name
}

// stack returns the resources of a policy's arguments. The engine has one map of properties for each: what the program said, and what
// AWS answered.
func stack(resources []policyx.AnalyzerResource) *inventory.Stack {
	var all []*inventory.Resource
	for _, r := range resources {
		all = append(all, &inventory.Resource{
			Type: r.Type, URN: r.URN, Name: r.Name, Parent: r.Parent, Inputs: r.Properties, Outputs: r.Properties, Dependencies: r.PropertyDependencies,
		})
	}
	return inventory.NewStack(all)
}
