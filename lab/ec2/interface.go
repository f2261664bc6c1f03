package ec2

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	api "storefront/lab/api/ec2"
	"storefront/lab/region"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// Interface is an elastic network interface.
type Interface struct {
	ID             string
	VPC            string
	Subnet         string
	Zone           region.Zone
	Type           string // "interface", or what a service made it: "nat_gateway", "vpc_endpoint", "network_load_balancer"
	Description    string
	Requester      string // who manages it, "" when the user does: "amazon-elb"
	MAC            string
	Address        netip.Addr // primary private address
	SecurityGroups []string
	NoSourceCheck  bool // no source/destination check
	Public         PublicAddress
	Attachment     *Attachment
}

// PublicAddress is the public address of an interface. Without an Allocation it belongs to Amazon and lives as long as the association.
type PublicAddress struct {
	Address     netip.Addr // the zero Addr when there is none
	Allocation  string
	Association string
}

// Attachment binds an interface to an instance, or to the service that manages it.
type Attachment struct {
	ID       string
	Instance string // "" when a service holds it
	Device   int
	At       time.Time
	Delete   bool // delete the interface when the instance terminates
}

func (v Interface) id() string { return v.ID }

// instance is the instance that holds the interface, or "".
func (v Interface) instance() string {
	if v.Attachment == nil {
		return ""
	}
	return v.Attachment.Instance
}

func (v Interface) status() string {
	if v.Attachment == nil {
		return "available"
	}
	return "in-use"
}

var interfaces = kind[Interface]{
	table: state.NewTable[Interface]("ec2.network-interface"), prefix: "eni", tagType: "network-interface",
	absent: "InvalidNetworkInterfaceID.NotFound", noun: "networkInterface ID",
	filters: map[string]func(Interface) []string{
		"network-interface-id":            one(Interface.id),
		"vpc-id":                          one(func(v Interface) string { return v.VPC }),
		"subnet-id":                       one(func(v Interface) string { return v.Subnet }),
		"availability-zone":               one(func(v Interface) string { return v.Zone.Name }),
		"description":                     one(func(v Interface) string { return v.Description }),
		"interface-type":                  one(func(v Interface) string { return v.Type }),
		"group-id":                        func(v Interface) []string { return v.SecurityGroups },
		"mac-address":                     one(func(v Interface) string { return v.MAC }),
		"private-ip-address":              one(func(v Interface) string { return v.Address.String() }),
		"addresses.private-ip-address":    one(func(v Interface) string { return v.Address.String() }),
		"association.public-ip":           one(func(v Interface) string { return v.Public.Address.String() }),
		"addresses.association.public-ip": one(func(v Interface) string { return v.Public.Address.String() }),
		"association.allocation-id":       one(func(v Interface) string { return v.Public.Allocation }),
		"association.association-id":      one(func(v Interface) string { return v.Public.Association }),
		"attachment.instance-id":          one(Interface.instance),
		"attachment.attachment-id":        func(v Interface) []string { return attached(v, func(a Attachment) string { return a.ID }) },
		"attachment.status":               func(v Interface) []string { return attached(v, func(Attachment) string { return "attached" }) },
		"attachment.device-index": func(v Interface) []string {
			return attached(v, func(a Attachment) string { return fmt.Sprint(a.Device) })
		},
		"attachment.delete-on-termination": func(v Interface) []string {
			return attached(v, func(a Attachment) string { return fmt.Sprint(a.Delete) })
		},
		"requester-id":      one(func(v Interface) string { return v.Requester }),
		"requester-managed": flag(func(v Interface) bool { return v.Requester != "" }),
		"source-dest-check": flag(func(v Interface) bool { return !v.NoSourceCheck }),
		"status":            one(Interface.status),
	},
}

func attached(v Interface, f func(Attachment) string) []string {
	if v.Attachment == nil {
		return nil
	}
	return []string{f(*v.Attachment)}
}

// newInterface completes an interface in a subnet with an ID, addresses and a MAC, and stores it. want is the address the client asked for, or nil.
func (s *Service) newInterface(tx *state.Tx, subnet Subnet, v Interface, want *string) (Interface, error) {
	if len(v.SecurityGroups) == 0 && v.Type == "interface" {
		def, err := defaultGroup(tx, subnet.VPC)
		if err != nil {
			return v, err
		}
		v.SecurityGroups = []string{def.ID}
	}
	if err := checkGroups(tx, subnet.VPC, v.SecurityGroups); err != nil {
		return v, err
	}
	v.VPC, v.Subnet, v.Zone = subnet.VPC, subnet.ID, subnet.Zone
	var err error
	if want != nil {
		v.Address, err = claimAddress(tx, subnet, *want)
	} else {
		v.Address, err = freeAddress(tx, subnet)
	}
	if err != nil {
		return v, err
	}
	if v.ID, err = interfaces.newID(tx); err != nil {
		return v, err
	}
	a := v.Address.As4()
	v.MAC = fmt.Sprintf("0a:ff:%02x:%02x:%02x:%02x", a[0], a[1], a[2], a[3])
	return v, interfaces.put(tx, v)
}

// attach records that an instance, or a service when instance is "", holds the interface.
func (s *Service) attach(tx *state.Tx, v Interface, instance string, device int, delete bool) (Interface, error) {
	id, err := region.NewID(tx, "eni-attach")
	if err != nil {
		return v, err
	}
	v.Attachment = &Attachment{ID: id, Instance: instance, Device: device, At: s.Now().UTC(), Delete: delete}
	return v, v.hold(tx)
}

// hold stores the interface with a new attachment, or without one, and tells its Elastic IP address.
func (v Interface) hold(tx *state.Tx) error {
	if v.Public.Allocation != "" {
		a, err := addresses.get(tx, v.Public.Allocation)
		if err != nil {
			return err
		}
		a.Instance = v.instance()
		if err := addresses.put(tx, a); err != nil {
			return err
		}
	}
	return interfaces.put(tx, v)
}

// removeInterface deletes an interface and lets its public address go.
func removeInterface(tx *state.Tx, v Interface) error {
	if v.Public.Allocation != "" {
		a, err := addresses.get(tx, v.Public.Allocation)
		if err != nil {
			return err
		}
		if err := disassociate(tx, a); err != nil {
			return err
		}
	}
	return interfaces.remove(tx, v.ID)
}

// CreateNetworkInterface creates an interface in a subnet.
func (s *Service) CreateNetworkInterface(ctx context.Context, in *api.CreateNetworkInterfaceInput) (*api.CreateNetworkInterfaceOutput, error) {
	return change(s, in.DryRun, func(tx *state.Tx, out *api.CreateNetworkInterfaceOutput) error {
		if wire.Value(in.SecondaryPrivateIpAddressCount) > 0 || len(in.PrivateIpAddresses) > 1 || len(in.Ipv6Addresses) > 0 || wire.Value(in.Ipv6AddressCount) > 0 || wire.Value(in.Ipv4PrefixCount) > 0 || wire.Value(in.Ipv6PrefixCount) > 0 {
			return unsupported("More than one private address on a network interface")
		}
		if err := checkSpecifications(in.TagSpecifications, "network-interface"); err != nil {
			return err
		}
		subnet, err := subnets.get(tx, wire.Value(in.SubnetId))
		if err != nil {
			return err
		}
		if t := wire.Or(in.InterfaceType, "interface"); t != "interface" {
			return invalid("interfaceType", t)
		}
		want := in.PrivateIpAddress
		if len(in.PrivateIpAddresses) == 1 {
			want = in.PrivateIpAddresses[0].PrivateIpAddress
		}
		id, err := s.once(tx, "CreateNetworkInterface", in.ClientToken, in, func() (string, error) {
			v, err := s.newInterface(tx, subnet, Interface{Type: "interface", Description: wire.Value(in.Description), SecurityGroups: in.Groups}, want)
			if err != nil {
				return "", err
			}
			return v.ID, tagNew(ctx, tx, v.ID, in.TagSpecifications, "network-interface")
		})
		if err != nil {
			return err
		}
		v, err := interfaces.get(tx, id)
		out.NetworkInterface, out.ClientToken = new(s.showInterface(tx, v)), in.ClientToken
		return err
	})
}

// DeleteNetworkInterface deletes an interface that is not attached.
func (s *Service) DeleteNetworkInterface(_ context.Context, in *api.DeleteNetworkInterfaceInput) (*api.DeleteNetworkInterfaceOutput, error) {
	return change(s, in.DryRun, func(tx *state.Tx, _ *api.DeleteNetworkInterfaceOutput) error {
		v, err := interfaces.get(tx, wire.Value(in.NetworkInterfaceId))
		if err != nil {
			return err
		}
		if v.Requester != "" {
			return fault("OperationNotPermitted", "You are not allowed to manage '%s' attachments.", v.Requester)
		}
		if v.Attachment != nil {
			return fault("InvalidNetworkInterface.InUse", "The network interface '%s' is currently in use.", v.ID)
		}
		return removeInterface(tx, v)
	})
}

// DescribeNetworkInterfaces lists network interfaces, also those that services manage.
func (s *Service) DescribeNetworkInterfaces(_ context.Context, in *api.DescribeNetworkInterfacesInput) (*api.DescribeNetworkInterfacesOutput, error) {
	return read(s, in.DryRun, func(tx *state.Tx, out *api.DescribeNetworkInterfacesOutput) (err error) {
		out.NetworkInterfaces, out.NextToken, err = describe(tx, interfaces, query{in.NetworkInterfaceIds, in.Filters, in.MaxResults, in.NextToken}, s.showInterface)
		return err
	})
}

func (s *Service) showInterface(tx *state.Tx, v Interface) api.NetworkInterface {
	out := api.NetworkInterface{
		NetworkInterfaceId: &v.ID, VpcId: &v.VPC, SubnetId: &v.Subnet, AvailabilityZone: &v.Zone.Name, InterfaceType: &v.Type, Description: &v.Description,
		MacAddress: &v.MAC, PrivateIpAddress: address(v.Address), PrivateDnsName: new(s.privateName(v.Address)), OwnerId: &s.Region.Account,
		RequesterId: wire.Optional(v.Requester), RequesterManaged: new(v.Requester != ""), SourceDestCheck: new(!v.NoSourceCheck), Status: new(v.status()),
		Groups: showGroups(tx, v.SecurityGroups), TagSet: showTags(tx, v.ID),
	}
	if p := v.Public; p.Address.IsValid() {
		owner := "amazon"
		if p.Allocation != "" {
			owner = s.Region.Account
		}
		out.Association = &api.NetworkInterfaceAssociation{
			PublicIp: address(p.Address), PublicDnsName: new(s.publicName(p.Address)), AllocationId: wire.Optional(p.Allocation), AssociationId: wire.Optional(p.Association), IpOwnerId: &owner,
		}
	}
	if a := v.Attachment; a != nil {
		owner := s.Region.Account
		if a.Instance == "" {
			owner = v.Requester
		}
		out.Attachment = &api.NetworkInterfaceAttachment{
			AttachmentId: &a.ID, InstanceId: wire.Optional(a.Instance), InstanceOwnerId: &owner, DeviceIndex: new(int64(a.Device)), NetworkCardIndex: new(int64(0)),
			AttachTime: &a.At, DeleteOnTermination: &a.Delete, Status: new("attached"),
		}
	}
	out.PrivateIpAddresses = []api.NetworkInterfacePrivateIpAddress{{
		Primary: new(true), PrivateIpAddress: out.PrivateIpAddress, PrivateDnsName: out.PrivateDnsName, Association: out.Association,
	}}
	return out
}

// showGroups names security groups.
func showGroups(tx *state.Tx, ids []string) []api.GroupIdentifier {
	var out []api.GroupIdentifier
	for _, id := range ids {
		g, _, err := groups.table.Get(tx, id)
		if err != nil {
			panic(err)
		}
		out = append(out, api.GroupIdentifier{GroupId: &id, GroupName: &g.Name})
	}
	return out
}

// privateDomain is the domain of private DNS names.
func (s *Service) privateDomain() string {
	if s.Region.Name == "us-east-1" {
		return "ec2.internal"
	}
	return s.Region.Name + ".compute.internal"
}

// privateName is the private DNS name of an address: ip-10-0-0-4.ec2.internal.
func (s *Service) privateName(a netip.Addr) string {
	return "ip-" + strings.ReplaceAll(a.String(), ".", "-") + "." + s.privateDomain()
}

// publicName is the public DNS name of an address: ec2-198-18-0-1.compute-1.amazonaws.com.
func (s *Service) publicName(a netip.Addr) string {
	domain := "compute-1"
	if s.Region.Name != "us-east-1" {
		domain = s.Region.Name + ".compute"
	}
	return "ec2-" + strings.ReplaceAll(a.String(), ".", "-") + "." + domain + ".amazonaws.com"
}

// checkGroups checks that security groups exist in a VPC.
func checkGroups(tx *state.Tx, vpc string, ids []string) error {
	for i, id := range ids {
		g, err := groups.get(tx, id)
		if err != nil {
			return err
		}
		if g.VPC != vpc {
			return fault("InvalidGroup.NotFound", "The security group '%s' does not exist in VPC '%s'", id, vpc)
		}
		if slices.Contains(ids[:i], id) {
			return fault("InvalidParameterValue", "Duplicate security group '%s'", id)
		}
	}
	return nil
}
