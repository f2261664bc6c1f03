package elbv2

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	api "storefront/lab/api/elbv2"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// hostedZone is the Route 53 zone of application load balancers in us-east-1.
const hostedZone = "Z35SXDOTRQ7X7K"

var plainName = regexp.MustCompile(`^[A-Za-z0-9-]+$`)

// CreateLoadBalancer creates an application load balancer with a node in each subnet. It becomes active once the data plane runs it.
func (s *Service) CreateLoadBalancer(_ context.Context, in *api.CreateLoadBalancerInput) (*api.CreateLoadBalancerOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, out *api.CreateLoadBalancerOutput) error {
		lb, err := s.newLoadBalancer(tx, in)
		if err != nil {
			return err
		}
		if old, exists := loadBalancerNamed(tx, lb.Name); exists {
			if !sameLoadBalancer(old, lb, in) {
				return fault("DuplicateLoadBalancerName", "A load balancer with the same name '%s' exists, but with different settings", lb.Name)
			}
			out.LoadBalancers = []api.LoadBalancer{describeLoadBalancer(old)}
			return nil
		}
		if err := setTags(tx, lb.ARN, in.Tags); err != nil {
			return err
		}
		if lb.Nodes, err = s.place(tx, lb, in.Subnets, in.SubnetMappings); err != nil {
			return err
		}
		out.LoadBalancers = []api.LoadBalancer{describeLoadBalancer(lb)}
		return loadBalancers.Put(tx, lb.ARN, lb)
	})
}

func (s *Service) newLoadBalancer(tx *state.Tx, in *api.CreateLoadBalancerInput) (LoadBalancer, error) {
	name := wire.Value(in.Name)
	lb := LoadBalancer{
		Name: name, Scheme: wire.Or(in.Scheme, api.LoadBalancerSchemeEnumInternetFacing), State: api.LoadBalancerStateEnumProvisioning,
		IPAddressType: wire.Or(in.IpAddressType, api.IpAddressTypeIpv4), Created: s.Now().UTC(), Attributes: defaults(loadBalancerAttributes),
	}
	if err := checkLoadBalancerName(name); err != nil {
		return lb, err
	}
	switch {
	case wire.Or(in.Type, api.LoadBalancerTypeEnumApplication) != api.LoadBalancerTypeEnumApplication:
		return lb, unsupported("A load balancer of type '" + *in.Type + "'")
	case lb.IPAddressType != api.IpAddressTypeIpv4:
		return lb, unsupported("The IP address type '" + lb.IPAddressType + "'")
	case in.CustomerOwnedIpv4Pool != nil:
		return lb, unsupported("A customer-owned address pool")
	}
	subnet, err := s.firstSubnet(tx, in.Subnets, in.SubnetMappings)
	if err != nil {
		return lb, err
	}
	lb.VPC = subnet.VPC
	if lb.SecurityGroups, err = s.securityGroups(tx, lb.VPC, in.SecurityGroups); err != nil {
		return lb, err
	}
	if lb.ID, err = newID(tx, "load-balancer"); err != nil {
		return lb, err
	}
	lb.ARN = s.Region.ARN("elasticloadbalancing", "loadbalancer/app/"+name+"/"+lb.ID)
	prefix := ""
	if lb.Scheme == api.LoadBalancerSchemeEnumInternal {
		prefix = "internal-"
	}
	lb.DNSName = fmt.Sprintf("%s%s-%d.%s.elb.amazonaws.com", prefix, name, scatter(lb.ARN)%10_000_000_000, s.Region.Name)
	return lb, nil
}

func checkLoadBalancerName(name string) error {
	switch {
	case len(name) > 32:
		return invalid("The load balancer name '%s' cannot be longer than '32' characters", name)
	case !plainName.MatchString(name):
		return invalid("The load balancer name '%s' can only contain characters that are alphanumeric characters and hyphens(-)", name)
	case strings.HasPrefix(name, "-") || strings.HasSuffix(name, "-"):
		return invalid("The load balancer name '%s' cannot begin or end with a hyphen(-)", name)
	case strings.HasPrefix(name, "internal-"):
		return invalid("The load balancer name '%s' cannot begin with 'internal-'", name)
	}
	return nil
}

func loadBalancerNamed(tx *state.Tx, name string) (LoadBalancer, bool) {
	for _, lb := range loadBalancers.All(tx) {
		if lb.Name == name {
			return lb, true
		}
	}
	return LoadBalancer{}, false
}

// sameLoadBalancer reports whether a create request asks for what there is already, which AWS answers with it.
func sameLoadBalancer(old, asked LoadBalancer, in *api.CreateLoadBalancerInput) bool {
	subnets := subnetIDs(in.Subnets, in.SubnetMappings)
	return old.Scheme == asked.Scheme && sameSet(old.SecurityGroups, asked.SecurityGroups) && sameSet(old.subnets(), subnets)
}

func sameSet(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}

func (lb LoadBalancer) subnets() []string {
	var ids []string
	for _, n := range lb.Nodes {
		ids = append(ids, n.Subnet)
	}
	return ids
}

func describeLoadBalancer(lb LoadBalancer) api.LoadBalancer {
	out := api.LoadBalancer{
		LoadBalancerArn: &lb.ARN, LoadBalancerName: &lb.Name, DNSName: &lb.DNSName, CanonicalHostedZoneId: new(hostedZone), CreatedTime: &lb.Created,
		Scheme: &lb.Scheme, VpcId: &lb.VPC, State: &api.LoadBalancerState{Code: &lb.State}, Type: new(api.LoadBalancerTypeEnumApplication),
		SecurityGroups: lb.SecurityGroups, IpAddressType: &lb.IPAddressType, AvailabilityZones: describeZones(lb),
	}
	return out
}

func describeZones(lb LoadBalancer) []api.AvailabilityZone {
	var zones []api.AvailabilityZone
	for _, n := range lb.Nodes {
		zones = append(zones, api.AvailabilityZone{ZoneName: &n.Zone, SubnetId: &n.Subnet, LoadBalancerAddresses: []api.LoadBalancerAddress{}})
	}
	return zones
}

// DescribeLoadBalancers describes load balancers by ARN or name, or all.
func (s *Service) DescribeLoadBalancers(_ context.Context, in *api.DescribeLoadBalancersInput) (*api.DescribeLoadBalancersOutput, error) {
	return state.Read(s.Store, func(tx *state.Tx, out *api.DescribeLoadBalancersOutput) error {
		var found []api.LoadBalancer
		for _, arn := range in.LoadBalancerArns {
			lb, ok, err := loadBalancers.Get(tx, arn)
			if err != nil {
				return err
			}
			if !ok {
				return fault("LoadBalancerNotFound", "One or more load balancers not found")
			}
			found = append(found, describeLoadBalancer(lb))
		}
		for _, name := range in.Names {
			lb, ok := loadBalancerNamed(tx, name)
			if !ok {
				return fault("LoadBalancerNotFound", "Load balancers '[%s]' not found", strings.Join(in.Names, ", "))
			}
			found = append(found, describeLoadBalancer(lb))
		}
		if in.LoadBalancerArns == nil && in.Names == nil {
			for _, lb := range loadBalancers.All(tx) {
				found = append(found, describeLoadBalancer(lb))
			}
		}
		var err error
		out.LoadBalancers, out.NextMarker, err = paged(found, in.Marker, in.PageSize)
		return err
	})
}

// DeleteLoadBalancer deletes a load balancer with its listeners and rules. One that does not exist is no error.
func (s *Service) DeleteLoadBalancer(_ context.Context, in *api.DeleteLoadBalancerInput) (*api.DeleteLoadBalancerOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, _ *api.DeleteLoadBalancerOutput) error {
		lb, ok, err := loadBalancers.Get(tx, wire.Value(in.LoadBalancerArn))
		if err != nil || !ok {
			return err
		}
		if lb.Attributes[deletionProtection] == "true" {
			return fault("OperationNotPermitted", "Load balancer '%s' cannot be deleted because deletion protection is enabled", lb.ARN)
		}
		for _, l := range listenersOf(tx, lb.ARN) {
			if err := removeListener(tx, l.ARN); err != nil {
				return err
			}
		}
		var ports []string
		for key := range hostPorts.WithPrefix(tx, lb.ARN+"|") {
			ports = append(ports, key)
		}
		for _, key := range ports {
			if err := hostPorts.Delete(tx, key); err != nil {
				return err
			}
		}
		for _, n := range lb.Nodes {
			if err := s.VPCs.DeleteManagedInterface(tx, n.Interface); err != nil {
				return err
			}
		}
		if err := tags.Delete(tx, lb.ARN); err != nil {
			return err
		}
		return loadBalancers.Delete(tx, lb.ARN)
	})
}

// DescribeLoadBalancerAttributes describes all attributes of a load balancer.
func (s *Service) DescribeLoadBalancerAttributes(_ context.Context, in *api.DescribeLoadBalancerAttributesInput) (*api.DescribeLoadBalancerAttributesOutput, error) {
	return state.Read(s.Store, func(tx *state.Tx, out *api.DescribeLoadBalancerAttributesOutput) error {
		lb, err := findLoadBalancer(tx, wire.Value(in.LoadBalancerArn))
		out.Attributes = describeLoadBalancerAttributes(lb)
		return err
	})
}

// ModifyLoadBalancerAttributes changes attributes of a load balancer. Turning access logs on writes a test file into the bucket, as AWS does.
func (s *Service) ModifyLoadBalancerAttributes(ctx context.Context, in *api.ModifyLoadBalancerAttributesInput) (*api.ModifyLoadBalancerAttributesOutput, error) {
	asked := map[string]string{}
	for _, a := range in.Attributes {
		asked[wire.Value(a.Key)] = wire.Value(a.Value)
	}
	var current LoadBalancer
	if err := s.Store.View(func(tx *state.Tx) (err error) {
		current, err = findLoadBalancer(tx, wire.Value(in.LoadBalancerArn))
		return err
	}); err != nil {
		return nil, err
	}
	attributes := maps.Clone(current.Attributes)
	if err := setAttributes("Load balancer", loadBalancerAttributes, attributes, asked); err != nil {
		return nil, err
	}
	if err := s.checkLogBucket(ctx, current.Attributes, attributes); err != nil {
		return nil, err
	}
	return state.Change(s.Store, func(tx *state.Tx, out *api.ModifyLoadBalancerAttributesOutput) error {
		lb, err := findLoadBalancer(tx, wire.Value(in.LoadBalancerArn))
		if err != nil {
			return err
		}
		if err := setAttributes("Load balancer", loadBalancerAttributes, lb.Attributes, asked); err != nil {
			return err
		}
		out.Attributes = describeLoadBalancerAttributes(lb)
		return loadBalancers.Put(tx, lb.ARN, lb)
	})
}

func (s *Service) checkLogBucket(ctx context.Context, before, after map[string]string) error {
	const enabled, bucket, prefix = "access_logs.s3.enabled", "access_logs.s3.bucket", "access_logs.s3.prefix"
	if after[enabled] != "true" || before[enabled] == "true" && before[bucket] == after[bucket] && before[prefix] == after[prefix] {
		return nil
	}
	if after[bucket] == "" {
		return invalid("The value of '%s' cannot be empty", bucket)
	}
	key := "AWSLogs/" + s.Region.Account + "/ELBAccessLogTestFile"
	if after[prefix] != "" {
		key = after[prefix] + "/" + key
	}
	if s.PutLog == nil || s.PutLog(ctx, after[bucket], key, []byte("Enable AccessLog for ELB: the load balancer can write here\n")) != nil {
		return fault("InvalidConfigurationRequest", "Access Denied for bucket: %s. Please check S3bucket permission", after[bucket])
	}
	return nil
}

func describeLoadBalancerAttributes(lb LoadBalancer) []api.LoadBalancerAttribute {
	var out []api.LoadBalancerAttribute
	for _, key := range slices.Sorted(maps.Keys(lb.Attributes)) {
		out = append(out, api.LoadBalancerAttribute{Key: &key, Value: new(lb.Attributes[key])})
	}
	return out
}
