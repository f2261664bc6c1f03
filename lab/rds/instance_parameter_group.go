package rds

import (
	"context"
	"strings"

	api "storefront/lab/api/rds"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// CreateDBParameterGroup makes an empty group for instances.
func (s *Service) CreateDBParameterGroup(_ context.Context, in *api.CreateDBParameterGroupInput) (*api.CreateDBParameterGroupOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, out *api.CreateDBParameterGroupOutput) error {
		g, err := s.createGroup(tx, instanceGroups, in.DBParameterGroupName, in.DBParameterGroupFamily, in.Description, in.Tags)
		out.DBParameterGroup = s.showInstanceGroup(g)
		return err
	})
}

// CopyDBParameterGroup copies a group with its values.
func (s *Service) CopyDBParameterGroup(_ context.Context, in *api.CopyDBParameterGroupInput) (*api.CopyDBParameterGroupOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, out *api.CopyDBParameterGroupOutput) error {
		g, err := s.copyGroup(tx, instanceGroups, in.SourceDBParameterGroupIdentifier, in.TargetDBParameterGroupIdentifier, in.TargetDBParameterGroupDescription, in.Tags)
		out.DBParameterGroup = s.showInstanceGroup(g)
		return err
	})
}

// ModifyDBParameterGroup sets up to 20 parameters.
func (s *Service) ModifyDBParameterGroup(_ context.Context, in *api.ModifyDBParameterGroupInput) (*api.ModifyDBParameterGroupOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, out *api.ModifyDBParameterGroupOutput) error {
		g, err := s.modifyGroup(tx, instanceGroups, in.DBParameterGroupName, func(values map[string]setting) error { return s.change(values, in.Parameters) })
		out.DBParameterGroupName = &g.Name
		return err
	})
}

// ResetDBParameterGroup takes parameters back to their defaults.
func (s *Service) ResetDBParameterGroup(_ context.Context, in *api.ResetDBParameterGroupInput) (*api.ResetDBParameterGroupOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, out *api.ResetDBParameterGroupOutput) error {
		g, err := s.modifyGroup(tx, instanceGroups, in.DBParameterGroupName, reset(in.ResetAllParameters, in.Parameters))
		out.DBParameterGroupName = &g.Name
		return err
	})
}

// DeleteDBParameterGroup deletes a group that no instance uses.
func (s *Service) DeleteDBParameterGroup(_ context.Context, in *api.DeleteDBParameterGroupInput) (*api.DeleteDBParameterGroupOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, _ *api.DeleteDBParameterGroupOutput) error {
		used := false
		for _, i := range instances.All(tx) {
			used = used || i.Parameters == strings.ToLower(wire.Value(in.DBParameterGroupName))
		}
		return s.deleteGroup(tx, instanceGroups, in.DBParameterGroupName, used)
	})
}

// DescribeDBParameterGroups lists the groups, or one by its name.
func (s *Service) DescribeDBParameterGroups(_ context.Context, in *api.DescribeDBParameterGroupsInput) (*api.DescribeDBParameterGroupsOutput, error) {
	return state.Read(s.Store, func(tx *state.Tx, out *api.DescribeDBParameterGroupsOutput) error {
		list, marker, err := s.listGroups(tx, instanceGroups, in.DBParameterGroupName, in.Marker, in.MaxRecords)
		for _, g := range list {
			out.DBParameterGroups = append(out.DBParameterGroups, *s.showInstanceGroup(g))
		}
		out.Marker = marker
		return err
	})
}

// DescribeDBParameters lists the parameters of a group.
func (s *Service) DescribeDBParameters(_ context.Context, in *api.DescribeDBParametersInput) (*api.DescribeDBParametersOutput, error) {
	return state.Read(s.Store, func(tx *state.Tx, out *api.DescribeDBParametersOutput) error {
		g, err := s.findGroup(tx, instanceGroups, wire.Value(in.DBParameterGroupName))
		if err != nil {
			return err
		}
		out.Parameters, out.Marker, err = s.listParameters(g.Values, in.Source, in.Marker, in.MaxRecords)
		return err
	})
}

// DescribeEngineDefaultParameters lists the defaults of a family.
func (s *Service) DescribeEngineDefaultParameters(_ context.Context, in *api.DescribeEngineDefaultParametersInput) (*api.DescribeEngineDefaultParametersOutput, error) {
	defaults, err := s.engineDefaults(in.DBParameterGroupFamily, in.Marker, in.MaxRecords)
	return &api.DescribeEngineDefaultParametersOutput{EngineDefaults: defaults}, err
}

func (s *Service) showInstanceGroup(g group) *api.DBParameterGroup {
	return &api.DBParameterGroup{
		DBParameterGroupArn: new(s.groupARN(instanceGroups, g.Name)), DBParameterGroupName: &g.Name,
		DBParameterGroupFamily: &g.Family, Description: &g.Description,
	}
}
