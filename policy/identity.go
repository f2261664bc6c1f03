package policy

import (
	"regexp"
	"slices"
	"strings"

	"storefront/internal/inventory"
)

// identityPolicies returns the policies of roles, users and groups.
func identityPolicies(s *inventory.Stack) []*inventory.Resource {
	return s.All(rolePolicy, userPolicy, groupPolicy, identityPolicy)
}

func narrowIdentities(s *inventory.Stack, f *findings) {
	for _, p := range identityPolicies(s) {
		d, err := documentOf(p, "policy")
		if err != nil {
			f.want(p, false, err.Error())
			continue
		}
		f.want(p, !slices.ContainsFunc(d, wildcards), "may do anything, or change anything: name actions and resources")
	}
	for _, r := range s.All(role) {
		d, err := documentOf(r, "assumeRolePolicy")
		if err != nil {
			f.want(r, false, err.Error())
			continue
		}
		f.want(r, !slices.ContainsFunc(d, func(s statement) bool { return s.public() }), "can be assumed by anyone: name who")
	}
}

var (
	reads = regexp.MustCompile(`^[a-z0-9-]+:(Describe|List|Get|BatchGet|Lookup)[A-Za-z]*\*?$`)
	// unbound are actions that know no resources ("Actions, resources, and condition keys"), so that "*" is all that can be said.
	unbound = []string{
		"cloudwatch:PutMetricData", "logs:CreateLogDelivery", "ssm:UpdateInstanceInformation", "ssmmessages:CreateControlChannel",
		"ssmmessages:CreateDataChannel", "ssmmessages:OpenControlChannel", "ssmmessages:OpenDataChannel", "xray:PutTelemetryRecords", "xray:PutTraceSegments",
	}
)

// wildcards says that a statement allows all actions of a service, or to change every resource. Conditions narrow what resources
// cannot; nothing narrows all actions.
func wildcards(s statement) bool {
	if !s.allows() {
		return false
	}
	if len(s.NotAction) > 0 || len(s.NotResource) > 0 || slices.ContainsFunc(s.Action, func(a string) bool { return a == "*" || strings.HasSuffix(a, ":*") }) {
		return true
	}
	if !slices.Contains(s.Resource, "*") || len(s.Condition) > 0 {
		return false
	}
	return slices.ContainsFunc(s.Action, func(a string) bool { return !reads.MatchString(a) && !slices.Contains(unbound, a) })
}
