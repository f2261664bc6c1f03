package ec2

import (
	"context"
	"slices"

	api "storefront/lab/api/ec2"
	"storefront/lab/region"
	"storefront/lab/state"
	"storefront/lab/wire"
)

func showProfile(v Instance, state string) *api.IamInstanceProfileAssociation {
	return &api.IamInstanceProfileAssociation{
		AssociationId: &v.ProfileBinding, InstanceId: &v.ID, State: &state, IamInstanceProfile: &api.IamInstanceProfile{Arn: &v.Profile.ARN, Id: &v.Profile.ID},
	}
}

// bind gives an instance a profile under a new association ID.
func (s *Service) bind(tx *state.Tx, v Instance, spec *api.IamInstanceProfileSpecification) (*api.IamInstanceProfileAssociation, error) {
	if spec == nil {
		return nil, missing("IamInstanceProfile")
	}
	profile, err := s.profile(tx, spec)
	if err != nil {
		return nil, err
	}
	v.Profile = &profile
	if v.ProfileBinding, err = region.NewID(tx, "iip-assoc"); err != nil {
		return nil, err
	}
	return showProfile(v, "associating"), instances.put(tx, v)
}

func (s *Service) findBinding(tx *state.Tx, id *string) (Instance, error) {
	found := instances.where(tx, func(v Instance) bool { return v.ProfileBinding != "" && v.ProfileBinding == wire.Value(id) })
	if len(found) == 0 {
		return Instance{}, fault("NoSuchAssociation", "An invalid association-id of '%s' was given", wire.Value(id))
	}
	return found[0], nil
}

// AssociateIamInstanceProfile gives a profile to an instance that has none.
func (s *Service) AssociateIamInstanceProfile(_ context.Context, in *api.AssociateIamInstanceProfileInput) (*api.AssociateIamInstanceProfileOutput, error) {
	return change(s, nil, func(tx *state.Tx, out *api.AssociateIamInstanceProfileOutput) error {
		v, err := s.instance(tx, wire.Value(in.InstanceId))
		if err != nil {
			return err
		}
		if v.State == Terminated || v.State == ShuttingDown {
			return incorrectState(v, "associated")
		}
		if v.Profile != nil {
			return fault("IncorrectState", "There is an existing association for instance %s", v.ID)
		}
		out.IamInstanceProfileAssociation, err = s.bind(tx, v, in.IamInstanceProfile)
		return err
	})
}

// ReplaceIamInstanceProfileAssociation gives an instance another profile.
func (s *Service) ReplaceIamInstanceProfileAssociation(_ context.Context, in *api.ReplaceIamInstanceProfileAssociationInput) (*api.ReplaceIamInstanceProfileAssociationOutput, error) {
	return change(s, nil, func(tx *state.Tx, out *api.ReplaceIamInstanceProfileAssociationOutput) error {
		v, err := s.findBinding(tx, in.AssociationId)
		if err != nil {
			return err
		}
		out.IamInstanceProfileAssociation, err = s.bind(tx, v, in.IamInstanceProfile)
		return err
	})
}

// DisassociateIamInstanceProfile takes the profile from an instance.
func (s *Service) DisassociateIamInstanceProfile(_ context.Context, in *api.DisassociateIamInstanceProfileInput) (*api.DisassociateIamInstanceProfileOutput, error) {
	return change(s, nil, func(tx *state.Tx, out *api.DisassociateIamInstanceProfileOutput) error {
		v, err := s.findBinding(tx, in.AssociationId)
		if err != nil {
			return err
		}
		out.IamInstanceProfileAssociation = showProfile(v, "disassociating")
		v.Profile, v.ProfileBinding = nil, ""
		return instances.put(tx, v)
	})
}

// DescribeIamInstanceProfileAssociations lists which instance has which profile.
func (s *Service) DescribeIamInstanceProfileAssociations(_ context.Context, in *api.DescribeIamInstanceProfileAssociationsInput) (*api.DescribeIamInstanceProfileAssociationsOutput, error) {
	return read(s, nil, func(tx *state.Tx, out *api.DescribeIamInstanceProfileAssociationsOutput) error {
		k := instances
		k.tagType, k.filters = "", map[string]func(Instance) []string{
			"instance-id": one(Instance.id),
			"state":       func(Instance) []string { return []string{"associated"} },
		}
		match, err := k.matcher(tx, in.Filters)
		if err != nil {
			return err
		}
		for _, id := range in.AssociationIds {
			if _, err := s.findBinding(tx, &id); err != nil {
				return err
			}
		}
		found := instances.where(tx, func(v Instance) bool {
			return v.Profile != nil && match(v) && (len(in.AssociationIds) == 0 || slices.Contains(in.AssociationIds, v.ProfileBinding))
		})
		out.IamInstanceProfileAssociations, out.NextToken, err = page(tx, found, query{maxResults: in.MaxResults, nextToken: in.NextToken}, Instance.id,
			func(_ *state.Tx, v Instance) api.IamInstanceProfileAssociation { return *showProfile(v, "associated") })
		return err
	})
}
