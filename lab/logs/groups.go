package logs

import (
	"context"
	"slices"
	"strings"

	api "storefront/lab/api/logs"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// CreateLogGroup implements the operation of that name.
func (s *Service) CreateLogGroup(_ context.Context, in *api.CreateLogGroupInput) (*api.CreateLogGroupOutput, error) {
	g := group{Name: *in.LogGroupName, Class: "STANDARD", KMSKeyID: wire.Value(in.KmsKeyId), Created: s.millis(), Tags: in.Tags}
	if in.LogGroupClass != nil {
		g.Class = *in.LogGroupClass
	}
	if !validName.MatchString(g.Name) {
		return nil, invalid("1 validation error detected: Value '%s' at 'logGroupName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\.\\-_/#A-Za-z0-9]+", g.Name)
	}
	return &api.CreateLogGroupOutput{}, s.store.Update(func(tx *state.Tx) error {
		if _, ok, err := groups.Get(tx, g.Name); err != nil {
			return err
		} else if ok {
			return exists("log group")
		}
		return groups.Put(tx, g.Name, g)
	})
}

// DeleteLogGroup implements the operation of that name.
func (s *Service) DeleteLogGroup(_ context.Context, in *api.DeleteLogGroupInput) (*api.DeleteLogGroupOutput, error) {
	return &api.DeleteLogGroupOutput{}, s.store.Update(func(tx *state.Tx) error {
		g, err := s.find(tx, in.LogGroupName, nil)
		if err != nil {
			return err
		}
		if err := deleteAll(tx, streams, g.Name+"\x00"); err != nil {
			return err
		}
		if err := deleteAll(tx, events, g.Name+"\x00"); err != nil {
			return err
		}
		if err := deleteAll(tx, filters, g.Name+"\x00"); err != nil {
			return err
		}
		return groups.Delete(tx, g.Name)
	})
}

// deleteAll deletes every key with a prefix.
func deleteAll[T any](tx *state.Tx, table state.Table[T], prefix string) error {
	var keys []string
	for k := range table.WithPrefix(tx, prefix) {
		keys = append(keys, k)
	}
	for _, k := range keys {
		if err := table.Delete(tx, k); err != nil {
			return err
		}
	}
	return nil
}

// DescribeLogGroups implements the operation of that name.
func (s *Service) DescribeLogGroups(_ context.Context, in *api.DescribeLogGroupsInput) (*api.DescribeLogGroupsOutput, error) {
	prefix, pattern := wire.Value(in.LogGroupNamePrefix), strings.ToLower(wire.Value(in.LogGroupNamePattern))
	if prefix != "" && pattern != "" {
		return nil, invalid("LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.")
	}
	limit := int64(50)
	if in.Limit != nil {
		limit = *in.Limit
	}
	out := &api.DescribeLogGroupsOutput{LogGroups: []api.LogGroup{}}
	return out, s.store.View(func(tx *state.Tx) error {
		matching := state.Where(groups.WithPrefix(tx, prefix), func(g group) bool {
			return strings.Contains(strings.ToLower(g.Name), pattern) && (in.LogGroupClass == nil || *in.LogGroupClass == g.Class)
		})
		items, next := state.Page(matching, wire.Value(in.NextToken), limit)
		for _, g := range items {
			out.LogGroups = append(out.LogGroups, s.describe(tx, g))
		}
		out.NextToken = next
		return nil
	})
}

func (s *Service) describe(tx *state.Tx, g group) api.LogGroup {
	var bytes int64
	for _, st := range streams.WithPrefix(tx, g.Name+"\x00") {
		bytes += st.Bytes
	}
	return api.LogGroup{LogGroupName: new(g.Name), LogGroupClass: new(g.Class), Arn: new(s.arn(g.Name) + ":*"), LogGroupArn: new(s.arn(g.Name)), CreationTime: new(g.Created), MetricFilterCount: new(int64(len(filtersOf(tx, g.Name)))), StoredBytes: new(bytes),
		RetentionInDays: wire.Optional(g.Retention), KmsKeyId: wire.Optional(g.KMSKeyID)}
}

// retentions are the values that PutRetentionPolicy takes, from its API reference.
var retentions = []int64{1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653}

// PutRetentionPolicy implements the operation of that name.
func (s *Service) PutRetentionPolicy(_ context.Context, in *api.PutRetentionPolicyInput) (*api.PutRetentionPolicyOutput, error) {
	if !slices.Contains(retentions, *in.RetentionInDays) {
		return nil, invalid("1 validation error detected: Value '%d' at 'retentionInDays' failed to satisfy constraint: Member must satisfy enum value set: %v", *in.RetentionInDays, retentions)
	}
	return &api.PutRetentionPolicyOutput{}, s.change(in.LogGroupName, nil, func(g *group) error { g.Retention = *in.RetentionInDays; return nil })
}

// DeleteRetentionPolicy implements the operation of that name.
func (s *Service) DeleteRetentionPolicy(_ context.Context, in *api.DeleteRetentionPolicyInput) (*api.DeleteRetentionPolicyOutput, error) {
	return &api.DeleteRetentionPolicyOutput{}, s.change(in.LogGroupName, nil, func(g *group) error { g.Retention = 0; return nil })
}

// AssociateKmsKey implements the operation of that name.
func (s *Service) AssociateKmsKey(_ context.Context, in *api.AssociateKmsKeyInput) (*api.AssociateKmsKeyOutput, error) {
	return &api.AssociateKmsKeyOutput{}, s.change(in.LogGroupName, in.ResourceIdentifier, func(g *group) error { g.KMSKeyID = *in.KmsKeyId; return nil })
}

// DisassociateKmsKey implements the operation of that name.
func (s *Service) DisassociateKmsKey(_ context.Context, in *api.DisassociateKmsKeyInput) (*api.DisassociateKmsKeyOutput, error) {
	return &api.DisassociateKmsKeyOutput{}, s.change(in.LogGroupName, in.ResourceIdentifier, func(g *group) error { g.KMSKeyID = ""; return nil })
}
