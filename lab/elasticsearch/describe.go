package elasticsearch

import (
	"context"

	api "storefront/lab/api/opensearch"
	"storefront/lab/region"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// changeID names a change of a domain's configuration.
func changeID(tx *state.Tx) (string, error) { return region.NewUUID(tx, "es.change") }

// DescribeDomain shows one domain.
func (s *Service) DescribeDomain(_ context.Context, in *api.DescribeDomainInput) (*api.DescribeDomainOutput, error) {
	return state.Read(s.Store, func(tx *state.Tx, out *api.DescribeDomainOutput) error {
		d, err := s.find(tx, in.DomainName)
		out.DomainStatus = s.status(d)
		return err
	})
}

// DescribeDomains shows the domains of some names; names of none are left out, as on AWS.
func (s *Service) DescribeDomains(_ context.Context, in *api.DescribeDomainsInput) (*api.DescribeDomainsOutput, error) {
	if len(in.DomainNames) > 5 {
		return nil, invalid("Please provide a maximum of 5 domain names to describe.")
	}
	return state.Read(s.Store, func(tx *state.Tx, out *api.DescribeDomainsOutput) error {
		out.DomainStatusList = []api.DomainStatus{}
		for _, name := range in.DomainNames {
			d, ok, err := domains.Get(tx, name)
			if err != nil {
				return err
			}
			if ok {
				out.DomainStatusList = append(out.DomainStatusList, *s.status(d))
			}
		}
		return nil
	})
}

// DescribeDomainConfig shows the options of a domain.
func (s *Service) DescribeDomainConfig(_ context.Context, in *api.DescribeDomainConfigInput) (*api.DescribeDomainConfigOutput, error) {
	return state.Read(s.Store, func(tx *state.Tx, out *api.DescribeDomainConfigOutput) error {
		d, err := s.find(tx, in.DomainName)
		out.DomainConfig = s.config(d)
		return err
	})
}

// ListDomainNames lists the domains, or those of one engine.
func (s *Service) ListDomainNames(_ context.Context, in *api.ListDomainNamesInput) (*api.ListDomainNamesOutput, error) {
	return state.Read(s.Store, func(tx *state.Tx, out *api.ListDomainNamesOutput) error {
		out.DomainNames = []api.DomainInfo{}
		for _, d := range domains.All(tx) {
			if kind := engine(d.Version); wire.Or(in.EngineType, kind) == kind {
				out.DomainNames = append(out.DomainNames, api.DomainInfo{DomainName: &d.Name, EngineType: &kind})
			}
		}
		return nil
	})
}

// DeleteDomain declares that a domain is to go, with its data.
func (s *Service) DeleteDomain(_ context.Context, in *api.DeleteDomainInput) (*api.DeleteDomainOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, out *api.DeleteDomainOutput) error {
		d, err := s.find(tx, in.DomainName)
		if err != nil {
			return err
		}
		d.Status = deleting
		out.DomainStatus = s.status(d)
		return domains.Put(tx, d.Name, d)
	})
}

// DescribeDomainChangeProgress shows how far the last change of a domain is.
func (s *Service) DescribeDomainChangeProgress(_ context.Context, in *api.DescribeDomainChangeProgressInput) (*api.DescribeDomainChangeProgressOutput, error) {
	return state.Read(s.Store, func(tx *state.Tx, out *api.DescribeDomainChangeProgressOutput) error {
		d, err := s.find(tx, in.DomainName)
		if err != nil {
			return err
		}
		if wire.Or(in.ChangeId, d.Change) != d.Change {
			return conflict("ResourceNotFoundException", "Change %s not found for the domain %s", *in.ChangeId, d.Name)
		}
		p, overall := progress(d), api.OverallChangeStatusCompleted
		if d.Status != active {
			overall = api.OverallChangeStatusProcessing
		}
		out.ChangeProgressStatus = &api.ChangeProgressStatusDetails{
			ChangeId: p.ChangeId, ConfigChangeStatus: p.ConfigChangeStatus, InitiatedBy: p.InitiatedBy, StartTime: p.StartTime, LastUpdatedTime: p.LastUpdatedTime,
			Status: &overall, CompletedProperties: []string{}, PendingProperties: []string{}, TotalNumberOfStages: new(int64(0)), ChangeProgressStages: []api.ChangeProgressStage{},
		}
		return nil
	})
}

// DescribeDomainAutoTunes lists what Auto-Tune has done: nothing.
func (s *Service) DescribeDomainAutoTunes(_ context.Context, in *api.DescribeDomainAutoTunesInput) (*api.DescribeDomainAutoTunesOutput, error) {
	return state.Read(s.Store, func(tx *state.Tx, out *api.DescribeDomainAutoTunesOutput) error {
		_, err := s.find(tx, in.DomainName)
		out.AutoTunes = []api.AutoTune{}
		return err
	})
}
