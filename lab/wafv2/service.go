// Package wafv2 is the lab's AWS WAF: regional web ACLs with IP sets, regex pattern sets and rule groups, their association with Application Load Balancers, and
// logging to CloudWatch Logs.
//
// It is the control plane. Package firewall does the inspecting, and package dataplane brings the two together at the load balancers. Refused: the scope
// CLOUDFRONT, other resources than load balancers, other log destinations than log groups, and what package firewall does not inspect.
package wafv2

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	api "storefront/lab/api/wafv2"
	"storefront/lab/firewall"
	"storefront/lab/region"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// Config is what a Service is built from. Store, Region, Now and Engine are required.
type Config struct {
	Store  *state.Store
	Region region.Region
	Now    func() time.Time
	Engine *firewall.Engine // checks rules by compiling them

	// Resource tells whether a load balancer exists, and whether it is past provisioning. nil knows none.
	Resource func(tx *state.Tx, arn string) (active, known bool)
	// LogGroup tells whether there is a log group of an ARN. nil knows none.
	LogGroup func(tx *state.Tx, arn string) (bool, error)
	// Sampled asks the data plane for the latest requests that a rule matched, by metric name, and how many there were. nil is a data plane that never runs.
	Sampled func(acl, metric string, from, to time.Time, most int) ([]api.SampledHTTPRequest, int64)
	// Limited asks the data plane which clients a rate-based rule holds above its limit. nil is a data plane that never runs.
	Limited func(acl, rule string) []string
}

// Service answers the AWS WAF API.
type Service struct{ Config }

var _ api.API = (*Service)(nil)

// New makes the service on the store's state.
func New(c Config) *Service { return &Service{c} }

var (
	acls         = kind[api.WebACL]{state.NewTable[entity[api.WebACL]]("wafv2.webacl"), "webacl", 100}
	ipSets       = kind[api.IPSet]{state.NewTable[entity[api.IPSet]]("wafv2.ipset"), "ipset", 100}
	patternSets  = kind[api.RegexPatternSet]{state.NewTable[entity[api.RegexPatternSet]]("wafv2.regexpatternset"), "regexpatternset", 10}
	ruleGroups   = kind[api.RuleGroup]{state.NewTable[entity[api.RuleGroup]]("wafv2.rulegroup"), "rulegroup", 100}
	associations = state.NewTable[string]("wafv2.association")               // web ACLs by resource ARN
	logging      = state.NewTable[api.LoggingConfiguration]("wafv2.logging") // by web ACL ARN
)

func fault(code, message string) error {
	return wire.Errorf(http.StatusBadRequest, code, "%s", message)
}

// invalid refuses a parameter, in AWS's form.
func invalid(field, parameter, reason string) error {
	return fault("WAFInvalidParameterException", fmt.Sprintf("Error reason: %s, field: %s, parameter: %s", reason, field, parameter))
}

func errMissing() error {
	return fault("WAFNonexistentItemException", "AWS WAF couldn’t perform the operation because your resource doesn’t exist.")
}

func errAssociated() error {
	return fault("WAFAssociatedItemException", "AWS WAF couldn’t perform the operation because your resource is being used by another resource or it’s associated with another resource.")
}

// checkScope refuses CloudFront's scope: the lab's region has no distributions.
func checkScope(scope *string) error {
	if wire.Value(scope) != api.ScopeRegional {
		return invalid("SCOPE_VALUE", wire.Value(scope), "The scope is not valid: this region serves REGIONAL, it has no CloudFront distributions.")
	}
	return nil
}

// refused turns an error of the engine into AWS's.
func refused(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, firewall.ErrMissing):
		return errMissing()
	case errors.Is(err, firewall.ErrInvalid), errors.Is(err, firewall.ErrUnsupported):
		return invalid("STATEMENT", "Rules", err.Error())
	}
	return err
}
