package elasticsearch

import (
	"context"
	"slices"
	"strings"

	api "storefront/lab/api/opensearch"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// defaultVersion is what AWS makes when a request of the API of 2021 names none.
const defaultVersion = "OpenSearch_2.15"

// versions that the lab serves, newest first. The engine is one; what differs is how it presents itself.
func versions() []string {
	return []string{"OpenSearch_2.17", "OpenSearch_2.15", "OpenSearch_2.13", "OpenSearch_2.11", "OpenSearch_2.9", "OpenSearch_2.7", "OpenSearch_2.5", "OpenSearch_2.3",
		"OpenSearch_1.3", "Elasticsearch_7.10"}
}

func checkVersion(v string) (string, error) {
	if !slices.Contains(versions(), v) {
		return "", invalid("Engine version %s is not supported in this region. Supported: %s.", v, strings.Join(versions(), ", "))
	}
	return v, nil
}

// ListVersions lists the versions that a domain can have.
func (s *Service) ListVersions(_ context.Context, in *api.ListVersionsInput) (*api.ListVersionsOutput, error) {
	return &api.ListVersionsOutput{Versions: versions()}, nil
}

// GetCompatibleVersions lists what domains can be upgraded to: nothing here.
func (s *Service) GetCompatibleVersions(_ context.Context, in *api.GetCompatibleVersionsInput) (*api.GetCompatibleVersionsOutput, error) {
	return state.Read(s.Store, func(tx *state.Tx, out *api.GetCompatibleVersionsOutput) error {
		sources := versions()
		if in.DomainName != nil {
			d, err := s.find(tx, in.DomainName)
			if err != nil {
				return err
			}
			sources = []string{d.Version}
		}
		out.CompatibleVersions = []api.CompatibleVersionsMap{}
		for _, v := range sources {
			out.CompatibleVersions = append(out.CompatibleVersions, api.CompatibleVersionsMap{SourceVersion: &v, TargetVersions: []string{}})
		}
		return nil
	})
}

// UpgradeDomain refuses: no version of the lab can be upgraded.
func (s *Service) UpgradeDomain(_ context.Context, in *api.UpgradeDomainInput) (*api.UpgradeDomainOutput, error) {
	return nil, s.Store.View(func(tx *state.Tx) error {
		d, err := s.find(tx, in.DomainName)
		if err != nil {
			return err
		}
		return invalid("The target version %s is not compatible with the current version %s of the domain.", wire.Value(in.TargetVersion), d.Version)
	})
}

// GetUpgradeStatus refuses for a domain that has never been upgraded, as every domain here.
func (s *Service) GetUpgradeStatus(_ context.Context, in *api.GetUpgradeStatusInput) (*api.GetUpgradeStatusOutput, error) {
	return nil, s.Store.View(func(tx *state.Tx) error {
		d, err := s.find(tx, in.DomainName)
		if err != nil {
			return err
		}
		return conflict("ResourceNotFoundException", "There are no upgrades for the domain %s", d.Name)
	})
}

// GetUpgradeHistory lists the upgrades of a domain: none.
func (s *Service) GetUpgradeHistory(_ context.Context, in *api.GetUpgradeHistoryInput) (*api.GetUpgradeHistoryOutput, error) {
	return state.Read(s.Store, func(tx *state.Tx, out *api.GetUpgradeHistoryOutput) error {
		_, err := s.find(tx, in.DomainName)
		out.UpgradeHistories = []api.UpgradeHistory{}
		return err
	})
}
