// Package fms is the lab's AWS Firewall Manager, for one account that is its own organization: the administrator, policies, and who breaks them.
//
// Policies of type WAFV2 put a web ACL of their own in front of the load balancers in scope; SECURITY_GROUPS_CONTENT_AUDIT and SECURITY_GROUPS_USAGE_AUDIT report.
// Without AssociateAdminAccount everything about policies is refused, as on AWS without a delegated administrator. Other policy types and Shield Advanced, to which
// the account has no subscription, are refused; so is remediation of security groups.
package fms

import (
	"log/slog"
	"net/http"
	"time"

	api "storefront/lab/api/fms"
	wafapi "storefront/lab/api/wafv2"
	"storefront/lab/region"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// Firewall keeps the web ACLs of policies. wafv2.Service implements it.
type Firewall interface {
	PutManaged(tx *state.Tx, arn, name string, fallback wafapi.DefaultAction, before, after []wafapi.FirewallManagerRuleGroup) (string, error)
	RemoveManaged(tx *state.Tx, arn string) error
	Association(tx *state.Tx, resource string) (acl string, err error)
	Attach(tx *state.Tx, acl, resource string) error
}

// Resource is a load balancer or security group that policies may be about.
type Resource struct {
	ID   string // ARN of a load balancer, ID of a security group
	Tags map[string]string

	Rules  []Rule // of a security group
	Unused bool   // a security group that no interface has
}

// Rule is a rule of a security group.
type Rule struct {
	Egress   bool
	Protocol string // "-1" is every protocol
	From, To int64  // ports; -1 without
	Peer     string // address block, prefix list or group
}

// Config is what a Service is built from. All fields are required.
type Config struct {
	Store          *state.Store
	Region         region.Region
	Now            func() time.Time
	Firewall       Firewall
	LoadBalancers  func(tx *state.Tx) []Resource // those past provisioning
	SecurityGroups func(tx *state.Tx) []Resource
	Log            *slog.Logger
}

// Service answers the Firewall Manager API.
type Service struct{ Config }

var _ api.API = (*Service)(nil)

// New makes the service on the store's state.
func New(c Config) *Service { return &Service{c} }

// policy is what the store keeps of a policy.
type policy struct {
	Policy api.Policy
	Tags   map[string]string
	ACL    string // ARN of its web ACL
}

var (
	settings = state.NewTable[string]("fms.setting") // "administrator"
	channels = state.NewTable[api.PutNotificationChannelInput]("fms.channel")
	policies = state.NewTable[policy]("fms.policy") // by ID
)

const administrator = "administrator"

func fault(code, format string, args ...any) error {
	return wire.Errorf(http.StatusBadRequest, code, format, args...)
}

func invalid(format string, args ...any) error {
	return fault("InvalidInputException", format, args...)
}

var errNoPolicy = fault("ResourceNotFoundException", "The policy does not exist.")

// administered fails until the account administers Firewall Manager.
func (s *Service) administered(tx *state.Tx) error {
	_, ok, err := settings.Get(tx, administrator)
	if err == nil && !ok {
		err = fault("AccessDeniedException", "The account %s is not currently delegated by AWS FM, or does not exist.", s.Region.Account)
	}
	return err
}

// find finds a policy by its ID.
func (s *Service) find(tx *state.Tx, id string) (policy, error) {
	if err := s.administered(tx); err != nil {
		return policy{}, err
	}
	p, ok, err := policies.Get(tx, id)
	if err == nil && !ok {
		err = errNoPolicy
	}
	return p, err
}

// Policies counts the policies. It is for other parts of the lab, who are not the administrator.
func (s *Service) Policies() (n int, err error) {
	err = s.Store.View(func(tx *state.Tx) error { n = policies.Len(tx); return nil })
	return n, err
}

func (s *Service) arn(id string) string { return s.Region.ARN("fms", "policy/"+id) }
