package rds

import (
	"context"
	"strings"

	api "storefront/lab/api/rds"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// CreateDBClusterParameterGroup makes an empty group for clusters.
func (s *Service) CreateDBClusterParameterGroup(_ context.Context, in *api.CreateDBClusterParameterGroupInput) (*api.CreateDBClusterParameterGroupOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, out *api.CreateDBClusterParameterGroupOutput) error {
		g, err := s.createGroup(tx, clusterGroups, in.DBClusterParameterGroupName, in.DBParameterGroupFamily, in.Description, in.Tags)
		out.DBClusterParameterGroup = s.showClusterGroup(g)
		return err
	})
}

// CopyDBClusterParameterGroup copies a group with its values.
func (s *Service) CopyDBClusterParameterGroup(_ context.Context, in *api.CopyDBClusterParameterGroupInput) (*api.CopyDBClusterParameterGroupOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, out *api.CopyDBClusterParameterGroupOutput) error {
		g, err := s.copyGroup(tx, clusterGroups, in.SourceDBClusterParameterGroupIdentifier, in.TargetDBClusterParameterGroupIdentifier, in.TargetDBClusterParameterGroupDescription, in.Tags)
		out.DBClusterParameterGroup = s.showClusterGroup(g)
		return err
	})
}

// ModifyDBClusterParameterGroup sets up to 20 parameters.
func (s *Service) ModifyDBClusterParameterGroup(_ context.Context, in *api.ModifyDBClusterParameterGroupInput) (*api.ModifyDBClusterParameterGroupOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, out *api.ModifyDBClusterParameterGroupOutput) error {
		g, err := s.modifyGroup(tx, clusterGroups, in.DBClusterParameterGroupName, func(values map[string]setting) error { return s.change(values, in.Parameters) })
		out.DBClusterParameterGroupName = &g.Name
		return err
	})
}

// ResetDBClusterParameterGroup takes parameters back to their defaults.
func (s *Service) ResetDBClusterParameterGroup(_ context.Context, in *api.ResetDBClusterParameterGroupInput) (*api.ResetDBClusterParameterGroupOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, out *api.ResetDBClusterParameterGroupOutput) error {
		g, err := s.modifyGroup(tx, clusterGroups, in.DBClusterParameterGroupName, reset(in.ResetAllParameters, in.Parameters))
		out.DBClusterParameterGroupName = &g.Name
		return err
	})
}

// DeleteDBClusterParameterGroup deletes a group that no cluster uses.
func (s *Service) DeleteDBClusterParameterGroup(_ context.Context, in *api.DeleteDBClusterParameterGroupInput) (*api.DeleteDBClusterParameterGroupOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, _ *api.DeleteDBClusterParameterGroupOutput) error {
		used := false
		for _, c := range clusters.All(tx) {
			used = used || c.Parameters == strings.ToLower(wire.Value(in.DBClusterParameterGroupName))
		}
		return s.deleteGroup(tx, clusterGroups, in.DBClusterParameterGroupName, used)
	})
}

// DescribeDBClusterParameterGroups lists the groups, or one by its name.
func (s *Service) DescribeDBClusterParameterGroups(_ context.Context, in *api.DescribeDBClusterParameterGroupsInput) (*api.DescribeDBClusterParameterGroupsOutput, error) {
	return state.Read(s.Store, func(tx *state.Tx, out *api.DescribeDBClusterParameterGroupsOutput) error {
		list, marker, err := s.listGroups(tx, clusterGroups, in.DBClusterParameterGroupName, in.Marker, in.MaxRecords)
		for _, g := range list {
			out.DBClusterParameterGroups = append(out.DBClusterParameterGroups, *s.showClusterGroup(g))
		}
		out.Marker = marker
		return err
	})
}

// DescribeDBClusterParameters lists the parameters of a group.
func (s *Service) DescribeDBClusterParameters(_ context.Context, in *api.DescribeDBClusterParametersInput) (*api.DescribeDBClusterParametersOutput, error) {
	return state.Read(s.Store, func(tx *state.Tx, out *api.DescribeDBClusterParametersOutput) error {
		g, err := s.findGroup(tx, clusterGroups, wire.Value(in.DBClusterParameterGroupName))
		if err != nil {
			return err
		}
		out.Parameters, out.Marker, err = s.listParameters(g.Values, in.Source, in.Marker, in.MaxRecords)
		return err
	})
}

// DescribeEngineDefaultClusterParameters lists the defaults of a family.
func (s *Service) DescribeEngineDefaultClusterParameters(_ context.Context, in *api.DescribeEngineDefaultClusterParametersInput) (*api.DescribeEngineDefaultClusterParametersOutput, error) {
	defaults, err := s.engineDefaults(in.DBParameterGroupFamily, in.Marker, in.MaxRecords)
	return &api.DescribeEngineDefaultClusterParametersOutput{EngineDefaults: defaults}, err
}

func (s *Service) engineDefaults(family, marker *string, maxRecords *int64) (*api.EngineDefaults, error) {
	if wire.Value(family) != s.family() {
		return nil, invalidValue("ParameterGroupFamily %s is not a valid parameter group family", wire.Value(family))
	}
	list, next, err := s.listParameters(nil, nil, marker, maxRecords)
	return &api.EngineDefaults{DBParameterGroupFamily: family, Parameters: list, Marker: next}, err
}

func (s *Service) showClusterGroup(g group) *api.DBClusterParameterGroup {
	return &api.DBClusterParameterGroup{
		DBClusterParameterGroupArn: new(s.groupARN(clusterGroups, g.Name)), DBClusterParameterGroupName: &g.Name,
		DBParameterGroupFamily: &g.Family, Description: &g.Description,
	}
}
