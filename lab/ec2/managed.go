package ec2

import (
	"fmt"

	"storefront/lab/state"
	"storefront/lab/wire"
)

// ManagedInterface describes an interface that an AWS service puts into a customer's subnet.
type ManagedInterface struct {
	Subnet         string
	SecurityGroups []string // of the subnet's VPC
	Description    string   // "ELB app/name/0123456789abcdef"
	RequesterID    string   // "amazon-elb", "amazon-rds", ...
	InterfaceType  string   // "interface" unless AWS has a type of its own for it
	Public         bool     // give it a public address that Amazon owns; its VPC must have an internet gateway
	PrivateAddress string   // the private address to take; "" takes the next free one
}

// CreateManagedInterface creates an interface for a service, attached to it: users can neither delete nor detach it, and subnet and
// security groups cannot be deleted while it is there. It fails as AWS does for subnets and groups that do not exist or have no free address.
func (s *Service) CreateManagedInterface(tx *state.Tx, m ManagedInterface) (Interface, error) {
	subnet, err := subnets.get(tx, m.Subnet)
	if err != nil {
		return Interface{}, err
	}
	if m.InterfaceType == "" {
		m.InterfaceType = "interface"
	}
	v, err := s.newInterface(tx, subnet, Interface{
		Type: m.InterfaceType, Description: m.Description, Requester: m.RequesterID, SecurityGroups: m.SecurityGroups,
		NoSourceCheck: m.InterfaceType == "nat_gateway",
	}, wire.Optional(m.PrivateAddress))
	if err != nil {
		return v, err
	}
	if m.Public {
		if v.Public.Address, err = freePublicAddress(tx); err != nil {
			return v, err
		}
	}
	return s.attach(tx, v, "", 1, false)
}

// DeleteManagedInterface deletes an interface that CreateManagedInterface made. One that is gone is no error.
func (s *Service) DeleteManagedInterface(tx *state.Tx, id string) error {
	v, ok, err := interfaces.table.Get(tx, id)
	if err != nil || !ok {
		return err
	}
	if v.Requester == "" {
		return fmt.Errorf("network interface %s is the user's, not a service's", id)
	}
	return removeInterface(tx, v)
}

// SetManagedInterfaceGroups replaces the security groups of a managed interface.
func (s *Service) SetManagedInterfaceGroups(tx *state.Tx, id string, securityGroups []string) error {
	v, err := interfaces.get(tx, id)
	if err != nil {
		return err
	}
	if err := checkGroups(tx, v.VPC, securityGroups); err != nil {
		return err
	}
	v.SecurityGroups = securityGroups
	return interfaces.put(tx, v)
}

// SetPublicAddress gives a managed interface a public address that Amazon owns, or takes it away.
func (s *Service) SetPublicAddress(tx *state.Tx, id string, public bool) (Interface, error) {
	v, err := interfaces.get(tx, id)
	if err != nil || v.Public.Address.IsValid() == public {
		return v, err
	}
	v.Public = PublicAddress{}
	if public {
		if v.Public.Address, err = freePublicAddress(tx); err != nil {
			return v, err
		}
	}
	return v, interfaces.put(tx, v)
}

// Interface returns a network interface, or AWS's error InvalidNetworkInterfaceID.NotFound.
func (s *Service) Interface(tx *state.Tx, id string) (Interface, error) {
	return interfaces.get(tx, id)
}
