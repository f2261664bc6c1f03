package wafv2

import (
	"context"
	"strings"

	api "storefront/lab/api/wafv2"
	"storefront/lab/firewall"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// checkResource refuses the ARN of what is no Application Load Balancer of this region.
func (s *Service) checkResource(tx *state.Tx, arn string) error {
	if !strings.HasPrefix(arn, s.Region.ARN("elasticloadbalancing", "loadbalancer/app/")) {
		return invalid("RESOURCE_ARN", arn, "The ARN isn't valid: this region associates web ACLs with Application Load Balancers.")
	}
	active, known := s.resource(tx, arn)
	if !known {
		return errMissing()
	}
	if !active {
		return fault("WAFUnavailableEntityException", "AWS WAF couldn’t retrieve the resource that you requested. Retry your request.")
	}
	return nil
}

// AssociateWebACL implements the operation of that name. A load balancer has one web ACL: another takes the place of the first.
func (s *Service) AssociateWebACL(_ context.Context, in *api.AssociateWebACLInput) (*api.AssociateWebACLOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, _ *api.AssociateWebACLOutput) error {
		return s.Attach(tx, *in.WebACLArn, *in.ResourceArn)
	})
}

// Attach associates a web ACL with a load balancer. It is for other services of the lab, such as Firewall Manager.
func (s *Service) Attach(tx *state.Tx, acl, resource string) error {
	if _, err := acls.byARN(tx, acl); err != nil {
		return err
	}
	if err := s.checkResource(tx, resource); err != nil {
		return err
	}
	return associations.Put(tx, resource, acl)
}

// DisassociateWebACL implements the operation of that name.
func (s *Service) DisassociateWebACL(_ context.Context, in *api.DisassociateWebACLInput) (*api.DisassociateWebACLOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, _ *api.DisassociateWebACLOutput) error {
		if _, known := s.resource(tx, *in.ResourceArn); !known {
			return errMissing()
		}
		return associations.Delete(tx, *in.ResourceArn)
	})
}

// GetWebACLForResource implements the operation of that name.
func (s *Service) GetWebACLForResource(_ context.Context, in *api.GetWebACLForResourceInput) (*api.GetWebACLForResourceOutput, error) {
	return state.Read(s.Store, func(tx *state.Tx, out *api.GetWebACLForResourceOutput) error {
		if _, known := s.resource(tx, *in.ResourceArn); !known {
			return errMissing()
		}
		acl, ok, err := associations.Get(tx, *in.ResourceArn)
		if err != nil || !ok {
			return err
		}
		e, err := acls.byARN(tx, acl)
		out.WebACL = &e.Value
		return err
	})
}

// ListResourcesForWebACL implements the operation of that name.
func (s *Service) ListResourcesForWebACL(_ context.Context, in *api.ListResourcesForWebACLInput) (*api.ListResourcesForWebACLOutput, error) {
	return state.Read(s.Store, func(tx *state.Tx, out *api.ListResourcesForWebACLOutput) error {
		if _, err := acls.byARN(tx, *in.WebACLArn); err != nil {
			return err
		}
		out.ResourceArns = []string{}
		if kind := wire.Or(in.ResourceType, api.ResourceTypeApplicationLoadBalancer); kind != api.ResourceTypeApplicationLoadBalancer {
			return nil // this region protects no such resource
		}
		used, _ := s.protected(tx, *in.WebACLArn)
		out.ResourceArns = append(out.ResourceArns, used...)
		return nil
	})
}

// Attached is a web ACL as the data plane runs it in front of a load balancer.
type Attached struct {
	ARN, Name string
	Version   string // changes with the web ACL and with what it refers to
	ACL       firewall.ACL
	Metric    string // of the web ACL as a whole
	Metrics   bool   // they are wanted
	Sampling  bool
	Logging   *api.LoggingConfiguration // nil: none
}

// ACLOf returns the web ACL of a load balancer. It is for the data plane.
func (s *Service) ACLOf(tx *state.Tx, resource string) (Attached, bool, error) {
	arn, ok, err := associations.Get(tx, resource)
	if err != nil || !ok {
		return Attached{}, false, err
	}
	e, ok, err := acls.table.Get(tx, arn)
	if err != nil || !ok {
		return Attached{}, false, err
	}
	sets, err := s.sets(tx)
	if err != nil {
		return Attached{}, false, err
	}
	v := e.Value.VisibilityConfig
	a := Attached{ARN: arn, Name: e.Name, Version: e.Token, ACL: compiled(&e.Value, sets), Metric: wire.Value(v.MetricName), Metrics: wire.Value(v.CloudWatchMetricsEnabled), Sampling: wire.Value(v.SampledRequestsEnabled)}
	for _, e := range ipSets.table.All(tx) {
		a.Version += e.Token
	}
	for _, e := range patternSets.table.All(tx) {
		a.Version += e.Token
	}
	for _, e := range ruleGroups.table.All(tx) {
		a.Version += e.Token
	}
	if c, ok, err := logging.Get(tx, arn); err != nil {
		return a, false, err
	} else if ok {
		a.Logging = &c
	}
	return a, true, nil
}
