package elbv2

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	api "storefront/lab/api/elbv2"
	"storefront/lab/ec2"
	"storefront/lab/state"
)

// What follows is for the data plane and for other services, within a transaction of theirs.

// LoadBalancers returns all load balancers.
func (s *Service) LoadBalancers(tx *state.Tx) []LoadBalancer {
	var all []LoadBalancer
	for _, lb := range loadBalancers.All(tx) {
		all = append(all, lb)
	}
	return all
}

// Tags returns the tags of a load balancer, listener, rule or target group.
func (s *Service) Tags(tx *state.Tx, arn string) (map[string]string, error) {
	all, _, err := tags.Get(tx, arn)
	return all, err
}

// Listeners returns the listeners of a load balancer, by port.
func (s *Service) Listeners(tx *state.Tx, loadBalancer string) []Listener {
	return listenersOf(tx, loadBalancer)
}

// CertificateUsers returns the ARNs of the load balancers that have a listener with the certificate.
func (s *Service) CertificateUsers(tx *state.Tx, arn string) []string {
	var users []string
	for _, l := range listeners.All(tx) {
		if slices.Contains(l.Certificates, arn) && !slices.Contains(users, l.LoadBalancer) {
			users = append(users, l.LoadBalancer)
		}
	}
	return users
}

// Rules returns the rules of a listener in the order of evaluation, the default rule last.
func (s *Service) Rules(tx *state.Tx, listener string) []Rule { return rulesOf(tx, listener) }

// TargetGroups returns the target groups that a load balancer's rules forward to.
func (s *Service) TargetGroups(tx *state.Tx, loadBalancer string) []TargetGroup {
	return groupsOf(tx, loadBalancer)
}

// TargetGroup returns a target group, or AWS's error TargetGroupNotFound.
func (s *Service) TargetGroup(tx *state.Tx, arn string) (TargetGroup, error) {
	return findGroup(tx, arn)
}

// Targets returns the targets of a group, those that drain included.
func (s *Service) Targets(tx *state.Tx, group string) []Target { return targetsOf(tx, group) }

// Abandoned returns the draining targets of groups that no load balancer uses any more: requests that they still serve have until Draining.
func (s *Service) Abandoned(tx *state.Tx) []Target {
	var found []Target
	for _, t := range targets.All(tx) {
		if t.draining() && len(users(tx, t.Group)) == 0 {
			found = append(found, t)
		}
	}
	return found
}

// IsDraining reports whether the target is being deregistered.
func (t Target) IsDraining() bool { return t.draining() }

// Activate records that the data plane runs a load balancer. One that is gone is no error.
func (s *Service) Activate(tx *state.Tx, arn string) error {
	lb, ok, err := loadBalancers.Get(tx, arn)
	if err != nil || !ok || lb.State == api.LoadBalancerStateEnumActive {
		return err
	}
	lb.State = api.LoadBalancerStateEnumActive
	return loadBalancers.Put(tx, arn, lb)
}

// Drained ends the deregistration of a target: it is gone. A target that was registered again in the meantime stays.
func (s *Service) Drained(tx *state.Tx, t Target) error {
	current, ok, err := targets.Get(tx, t.key())
	if err != nil || !ok || !current.draining() {
		return err
	}
	return targets.Delete(tx, t.key())
}

// Remove takes a target out of its group at once, as happens when its instance is terminated.
func (s *Service) Remove(tx *state.Tx, t Target) error { return targets.Delete(tx, t.key()) }

// Addresses returns what the DNS name of a load balancer resolves to: the public addresses of an internet-facing one, inside VPCs too, and
// the private addresses of an internal one. ok is false for a name of no load balancer. Case does not count.
func (s *Service) Addresses(tx *state.Tx, dnsName string) (addresses []netip.Addr, ok bool) {
	for _, lb := range loadBalancers.All(tx) {
		if !strings.EqualFold(lb.DNSName, strings.TrimSuffix(dnsName, ".")) {
			continue
		}
		for _, n := range lb.Nodes {
			if n.Public.IsValid() {
				addresses = append(addresses, n.Public)
			} else {
				addresses = append(addresses, n.Address)
			}
		}
		return addresses, true
	}
	return nil, false
}

// HostPort returns the port of 127.0.0.1 that leads to a listener port of an internet-facing load balancer; ok is false before it has one.
func (s *Service) HostPort(tx *state.Tx, loadBalancer string, port int) (hostPort int, ok bool) {
	hostPort, ok, err := hostPorts.Get(tx, hostPortKey(loadBalancer, port))
	return hostPort, ok && err == nil
}

// SetHostPort records the host's port for a listener port, so that it stays the same over restarts of the lab.
func (s *Service) SetHostPort(tx *state.Tx, loadBalancer string, port, hostPort int) error {
	return hostPorts.Put(tx, hostPortKey(loadBalancer, port), hostPort)
}

func hostPortKey(loadBalancer string, port int) string {
	return fmt.Sprintf("%s|%d", loadBalancer, port)
}

// Seconds returns a numeric attribute of a target group as a duration.
func (g TargetGroup) Seconds(key string) time.Duration {
	return time.Duration(g.number(key)) * time.Second
}

func vpcRanges(v ec2.VPC) []netip.Prefix {
	var ranges []netip.Prefix
	for _, b := range v.CIDRs {
		ranges = append(ranges, b.CIDR)
	}
	return ranges
}
