package ssm

import (
	"context"
	"fmt"
	"iter"

	api "storefront/lab/api/ssm"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// GetParameterHistory implements the operation of that name.
func (s *Service) GetParameterHistory(_ context.Context, in *api.GetParameterHistoryInput) (*api.GetParameterHistoryOutput, error) {
	out := &api.GetParameterHistoryOutput{Parameters: []api.ParameterHistory{}}
	return out, s.store.View(func(tx *state.Tx) error {
		p, _, _, err := s.find(tx, *in.Name)
		if err != nil {
			return err
		}
		limit := int64(50)
		if in.MaxResults != nil {
			limit = *in.MaxResults
		}
		versions, next := state.Page(p.history(), wire.Value(in.NextToken), limit)
		out.NextToken = next
		for _, v := range versions {
			value, err := s.value(tx, p, v, wire.Value(in.WithDecryption))
			if err != nil {
				return err
			}
			out.Parameters = append(out.Parameters, api.ParameterHistory{Name: new(p.Name), Type: new(p.Type), Tier: new(p.Tier), DataType: new(p.DataType), Value: new(value), Version: new(v.Number), LastModifiedDate: new(v.Modified), LastModifiedUser: new(v.User),
				Description: wire.Optional(p.Description), AllowedPattern: wire.Optional(p.AllowedPattern), KeyId: wire.Optional(p.KeyID), Labels: []string{}, Policies: []api.ParameterInlinePolicy{}})
		}
		return nil
	})
}

// history yields the versions, oldest first, by their numbers.
func (p parameter) history() iter.Seq2[string, version] {
	return func(yield func(string, version) bool) {
		for _, v := range p.Versions {
			if !yield(fmt.Sprintf("%012d", v.Number), v) {
				return
			}
		}
	}
}

// UnlabelParameterVersion implements the operation of that name. The lab puts no labels on versions, so every label is one that the version does not have.
func (s *Service) UnlabelParameterVersion(_ context.Context, in *api.UnlabelParameterVersionInput) (*api.UnlabelParameterVersionOutput, error) {
	return &api.UnlabelParameterVersionOutput{InvalidLabels: in.Labels, RemovedLabels: []string{}}, s.store.View(func(tx *state.Tx) error {
		_, _, _, err := s.find(tx, fmt.Sprintf("%s:%d", *in.Name, *in.ParameterVersion))
		return err
	})
}
