package ec2

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	api "storefront/lab/api/ec2"
	"storefront/lab/network"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// gatewayServices are the services that have gateway endpoints, with the prefix lists of their addresses.
func gatewayServices() map[string]string {
	return map[string]string{"s3": "pl-63a5400a", "dynamodb": "pl-02cd2c6b"}
}

// interfaceServices are the services that have interface endpoints, by the last part of their names.
func interfaceServices() []string {
	return []string{
		"autoscaling", "cloudtrail", "ec2", "ec2messages", "elasticloadbalancing", "kms", "logs", "monitoring", "rds", "s3", "secretsmanager", "sns", "sqs", "ssm", "ssmmessages", "sts",
	}
}

// prefixListID is the prefix list of a service with gateway endpoints, or "".
func prefixListID(service string) string { return gatewayServices()[service] }

// offers reports whether the lab has endpoints of a type for a service.
func (s *Service) offers(name, endpointType string) bool {
	short, ok := strings.CutPrefix(name, "com.amazonaws."+s.Region.Name+".")
	switch {
	case !ok:
		return false
	case endpointType == api.VpcEndpointTypeGateway:
		return prefixListID(short) != ""
	}
	return endpointType == api.VpcEndpointTypeInterface && slices.Contains(interfaceServices(), short)
}

// privateDNSName is the public name of a service that an interface endpoint with private DNS answers for.
func (s *Service) privateDNSName(service string) string {
	return fmt.Sprintf("%s.%s.amazonaws.com", strings.TrimPrefix(service, "com.amazonaws."+s.Region.Name+"."), s.Region.Name)
}

// endpointService is one row of DescribeVpcEndpointServices.
type endpointService struct{ name, endpointType string }

func (v endpointService) id() string { return v.name + "/" + v.endpointType }

// DescribeVpcEndpointServices lists what endpoints can be created for.
func (s *Service) DescribeVpcEndpointServices(_ context.Context, in *api.DescribeVpcEndpointServicesInput) (*api.DescribeVpcEndpointServicesOutput, error) {
	return read(s, in.DryRun, func(tx *state.Tx, out *api.DescribeVpcEndpointServicesOutput) error {
		match, err := kind[endpointService]{tagType: "vpc-endpoint-service", filters: map[string]func(endpointService) []string{
			"service-name":               one(func(v endpointService) string { return v.name }),
			"service-type":               one(func(v endpointService) string { return v.endpointType }),
			"owner":                      func(endpointService) []string { return []string{"amazon"} },
			"supported-ip-address-types": func(endpointService) []string { return []string{"ipv4"} },
		}}.matcher(tx, in.Filters)
		if err != nil {
			return err
		}
		var found []endpointService
		for _, v := range s.endpointServices() {
			if match(v) && (len(in.ServiceNames) == 0 || slices.Contains(in.ServiceNames, v.name)) {
				found = append(found, v)
			}
		}
		for _, name := range in.ServiceNames {
			if !slices.ContainsFunc(s.endpointServices(), func(v endpointService) bool { return v.name == name }) {
				return fault("InvalidServiceName", "The Vpc Endpoint Service '%s' does not exist", name)
			}
		}
		for _, v := range found {
			if !slices.Contains(out.ServiceNames, v.name) {
				out.ServiceNames = append(out.ServiceNames, v.name)
			}
		}
		out.ServiceDetails, out.NextToken, err = page(tx, found, query{maxResults: in.MaxResults, nextToken: in.NextToken}, endpointService.id, s.showEndpointService)
		return err
	})
}

func (s *Service) endpointServices() []endpointService {
	var out []endpointService
	for short := range gatewayServices() {
		out = append(out, endpointService{"com.amazonaws." + s.Region.Name + "." + short, api.VpcEndpointTypeGateway})
	}
	for _, short := range interfaceServices() {
		out = append(out, endpointService{"com.amazonaws." + s.Region.Name + "." + short, api.VpcEndpointTypeInterface})
	}
	slices.SortFunc(out, func(a, b endpointService) int { return strings.Compare(a.id(), b.id()) })
	return out
}

func (s *Service) showEndpointService(_ *state.Tx, v endpointService) api.ServiceDetail {
	short := strings.TrimPrefix(v.name, "com.amazonaws."+s.Region.Name+".")
	out := api.ServiceDetail{
		ServiceName: &v.name, ServiceId: new("vpce-svc-" + strings.ReplaceAll(short, ".", "-")), ServiceType: []api.ServiceTypeDetail{{ServiceType: &v.endpointType}},
		BaseEndpointDnsNames: []string{s.privateDNSName(v.name)}, Owner: new("amazon"), AcceptanceRequired: new(false), ManagesVpcEndpoints: new(false),
		VpcEndpointPolicySupported: new(true), SupportedIpAddressTypes: []string{"ipv4"},
	}
	for _, z := range s.zones {
		out.AvailabilityZones = append(out.AvailabilityZones, z.Name)
	}
	if v.endpointType == api.VpcEndpointTypeInterface {
		name := s.privateDNSName(v.name)
		out.PrivateDnsName, out.PrivateDnsNames = &name, []api.PrivateDnsDetails{{PrivateDnsName: &name}}
	}
	return out
}

// prefixList is a managed prefix list of AWS: the addresses of a service.
type prefixList struct {
	ID, Name string
	CIDRs    []netip.Prefix
}

func (v prefixList) id() string { return v.ID }

// prefixLists returns AWS's prefix lists, by ID.
func (s *Service) prefixLists() []prefixList {
	var out []prefixList
	for short, id := range gatewayServices() {
		list := prefixList{ID: id, Name: "com.amazonaws." + s.Region.Name + "." + short}
		if i := slices.IndexFunc(s.Endpoints, func(e network.Service) bool { return e.Name == short }); i >= 0 {
			for _, a := range s.Endpoints[i].Addresses {
				list.CIDRs = append(list.CIDRs, netip.PrefixFrom(a, a.BitLen()))
			}
		}
		out = append(out, list)
	}
	slices.SortFunc(out, func(a, b prefixList) int { return strings.Compare(a.ID, b.ID) })
	return out
}

func (s *Service) prefixList(id string) (prefixList, bool) {
	lists := s.prefixLists()
	i := slices.IndexFunc(lists, func(l prefixList) bool { return l.ID == id })
	if i < 0 {
		return prefixList{}, false
	}
	return lists[i], true
}

// unknownPrefixList is the code for an unknown ID in the calls of managed prefix lists. All others write InvalidPrefixListId.
const unknownPrefixList = "InvalidPrefixListID.NotFound"

// findPrefixLists returns the prefix lists with the IDs, or all, that match the filters. unknown is the code for an ID that there is not.
func (s *Service) findPrefixLists(tx *state.Tx, ids []string, f filters, unknown string) ([]prefixList, error) {
	match, err := kind[prefixList]{tagType: "prefix-list", filters: map[string]func(prefixList) []string{
		"prefix-list-id":   one(prefixList.id),
		"prefix-list-name": one(func(v prefixList) string { return v.Name }),
		"owner-id":         func(prefixList) []string { return []string{"AWS"} },
	}}.matcher(tx, f)
	if err != nil {
		return nil, err
	}
	for _, id := range ids {
		if _, ok := s.prefixList(id); !ok {
			return nil, fault(unknown, "The prefix list ID '%s' does not exist", id)
		}
	}
	return slices.DeleteFunc(s.prefixLists(), func(l prefixList) bool { return !match(l) || len(ids) > 0 && !slices.Contains(ids, l.ID) }), nil
}

// DescribePrefixLists lists the prefix lists of AWS services.
func (s *Service) DescribePrefixLists(_ context.Context, in *api.DescribePrefixListsInput) (*api.DescribePrefixListsOutput, error) {
	return read(s, in.DryRun, func(tx *state.Tx, out *api.DescribePrefixListsOutput) error {
		found, err := s.findPrefixLists(tx, in.PrefixListIds, in.Filters, "InvalidPrefixListId.NotFound")
		if err != nil {
			return err
		}
		out.PrefixLists, out.NextToken, err = page(tx, found, query{maxResults: in.MaxResults, nextToken: in.NextToken}, prefixList.id, func(_ *state.Tx, l prefixList) api.PrefixList {
			return api.PrefixList{PrefixListId: &l.ID, PrefixListName: &l.Name, Cidrs: texts(l.CIDRs)}
		})
		return err
	})
}

// DescribeManagedPrefixLists lists the prefix lists of AWS services as managed prefix lists.
func (s *Service) DescribeManagedPrefixLists(_ context.Context, in *api.DescribeManagedPrefixListsInput) (*api.DescribeManagedPrefixListsOutput, error) {
	return read(s, in.DryRun, func(tx *state.Tx, out *api.DescribeManagedPrefixListsOutput) error {
		found, err := s.findPrefixLists(tx, in.PrefixListIds, in.Filters, unknownPrefixList)
		if err != nil {
			return err
		}
		out.PrefixLists, out.NextToken, err = page(tx, found, query{maxResults: in.MaxResults, nextToken: in.NextToken}, prefixList.id, func(_ *state.Tx, l prefixList) api.ManagedPrefixList {
			return api.ManagedPrefixList{
				PrefixListId: &l.ID, PrefixListName: &l.Name, PrefixListArn: new(fmt.Sprintf("arn:aws:ec2:%s:aws:prefix-list/%s", s.Region.Name, l.ID)),
				AddressFamily: new("IPv4"), OwnerId: new("AWS"), State: new("create-complete"),
			}
		})
		return err
	})
}

// GetManagedPrefixListEntries lists the addresses of a service.
func (s *Service) GetManagedPrefixListEntries(_ context.Context, in *api.GetManagedPrefixListEntriesInput) (*api.GetManagedPrefixListEntriesOutput, error) {
	return read(s, in.DryRun, func(tx *state.Tx, out *api.GetManagedPrefixListEntriesOutput) error {
		found, err := s.findPrefixLists(tx, []string{wire.Value(in.PrefixListId)}, nil, unknownPrefixList)
		if err != nil {
			return err
		}
		for _, p := range found[0].CIDRs {
			out.Entries = append(out.Entries, api.PrefixListEntry{Cidr: new(p.String())})
		}
		return nil
	})
}

// unsuccessful makes an item of an error of AWS's, for operations that report what failed one by one.
func unsuccessful(id string, err error) (api.UnsuccessfulItem, bool) {
	var e *wire.Error
	if !errors.As(err, &e) {
		return api.UnsuccessfulItem{}, false
	}
	return api.UnsuccessfulItem{ResourceId: &id, Error: &api.UnsuccessfulItemError{Code: &e.Code, Message: &e.Message}}, true
}
