package elasticsearch

import (
	"context"
	"slices"

	legacy "storefront/lab/api/elasticsearch"
	api "storefront/lab/api/opensearch"
	"storefront/lab/state"
)

// DescribeElasticsearchDomain is DescribeDomain.
func (l Legacy) DescribeElasticsearchDomain(ctx context.Context, in *legacy.DescribeElasticsearchDomainInput) (*legacy.DescribeElasticsearchDomainOutput, error) {
	out, err := l.service.DescribeDomain(ctx, &api.DescribeDomainInput{DomainName: in.DomainName})
	if err != nil {
		return nil, err
	}
	status, err := fromStatus(out.DomainStatus)
	return &legacy.DescribeElasticsearchDomainOutput{DomainStatus: status}, err
}

// DescribeElasticsearchDomains is DescribeDomains.
func (l Legacy) DescribeElasticsearchDomains(ctx context.Context, in *legacy.DescribeElasticsearchDomainsInput) (*legacy.DescribeElasticsearchDomainsOutput, error) {
	found, err := l.service.DescribeDomains(ctx, &api.DescribeDomainsInput{DomainNames: in.DomainNames})
	if err != nil {
		return nil, err
	}
	out := &legacy.DescribeElasticsearchDomainsOutput{DomainStatusList: []legacy.ElasticsearchDomainStatus{}}
	for _, d := range found.DomainStatusList {
		status, err := fromStatus(&d)
		if err != nil {
			return nil, err
		}
		out.DomainStatusList = append(out.DomainStatusList, *status)
	}
	return out, nil
}

// DescribeElasticsearchDomainConfig is DescribeDomainConfig.
func (l Legacy) DescribeElasticsearchDomainConfig(ctx context.Context, in *legacy.DescribeElasticsearchDomainConfigInput) (*legacy.DescribeElasticsearchDomainConfigOutput, error) {
	out, err := l.service.DescribeDomainConfig(ctx, &api.DescribeDomainConfigInput{DomainName: in.DomainName})
	if err != nil {
		return nil, err
	}
	config, err := fromConfig(out.DomainConfig)
	return &legacy.DescribeElasticsearchDomainConfigOutput{DomainConfig: config}, err
}

// DeleteElasticsearchDomain is DeleteDomain.
func (l Legacy) DeleteElasticsearchDomain(ctx context.Context, in *legacy.DeleteElasticsearchDomainInput) (*legacy.DeleteElasticsearchDomainOutput, error) {
	out, err := l.service.DeleteDomain(ctx, &api.DeleteDomainInput{DomainName: in.DomainName})
	if err != nil {
		return nil, err
	}
	status, err := fromStatus(out.DomainStatus)
	return &legacy.DeleteElasticsearchDomainOutput{DomainStatus: status}, err
}

// ListElasticsearchVersions is ListVersions.
func (l Legacy) ListElasticsearchVersions(ctx context.Context, _ *legacy.ListElasticsearchVersionsInput) (*legacy.ListElasticsearchVersionsOutput, error) {
	out := &legacy.ListElasticsearchVersionsOutput{}
	for _, v := range versions() {
		out.ElasticsearchVersions = append(out.ElasticsearchVersions, fromVersion(v))
	}
	return out, nil
}

// GetCompatibleElasticsearchVersions is GetCompatibleVersions.
func (l Legacy) GetCompatibleElasticsearchVersions(ctx context.Context, in *legacy.GetCompatibleElasticsearchVersionsInput) (*legacy.GetCompatibleElasticsearchVersionsOutput, error) {
	found, err := l.service.GetCompatibleVersions(ctx, &api.GetCompatibleVersionsInput{DomainName: in.DomainName})
	if err != nil {
		return nil, err
	}
	out := &legacy.GetCompatibleElasticsearchVersionsOutput{CompatibleElasticsearchVersions: []legacy.CompatibleVersionsMap{}}
	for _, m := range found.CompatibleVersions {
		out.CompatibleElasticsearchVersions = append(out.CompatibleElasticsearchVersions, legacy.CompatibleVersionsMap{SourceVersion: new(fromVersion(*m.SourceVersion)), TargetVersions: m.TargetVersions})
	}
	return out, nil
}

// ListElasticsearchInstanceTypes lists the types that domains of a version can have.
func (l Legacy) ListElasticsearchInstanceTypes(_ context.Context, in *legacy.ListElasticsearchInstanceTypesInput) (*legacy.ListElasticsearchInstanceTypesOutput, error) {
	if _, err := checkVersion(toVersion(*in.ElasticsearchVersion)); err != nil {
		return nil, err
	}
	known, out := legacy.New(l).Enums["ESPartitionInstanceType"], &legacy.ListElasticsearchInstanceTypesOutput{}
	for _, t := range l.service.instanceTypes() {
		if name := *fromType(&t); slices.Contains(known, name) {
			out.ElasticsearchInstanceTypes = append(out.ElasticsearchInstanceTypes, name)
		}
	}
	return out, nil
}

// DescribeElasticsearchInstanceTypeLimits is DescribeInstanceTypeLimits.
func (l Legacy) DescribeElasticsearchInstanceTypeLimits(ctx context.Context, in *legacy.DescribeElasticsearchInstanceTypeLimitsInput) (*legacy.DescribeElasticsearchInstanceTypeLimitsOutput, error) {
	request := &api.DescribeInstanceTypeLimitsInput{DomainName: in.DomainName, EngineVersion: new(toVersion(*in.ElasticsearchVersion)), InstanceType: toType(in.InstanceType)}
	out, err := l.service.DescribeInstanceTypeLimits(ctx, request)
	if err != nil {
		return nil, err
	}
	return translate[legacy.DescribeElasticsearchInstanceTypeLimitsOutput](out)
}

// DeleteElasticsearchServiceRole refuses while a domain is in a VPC. The role itself is IAM's to delete, with DeleteServiceLinkedRole.
func (l Legacy) DeleteElasticsearchServiceRole(context.Context, *legacy.DeleteElasticsearchServiceRoleInput) (*legacy.DeleteElasticsearchServiceRoleOutput, error) {
	return nil, l.service.Store.View(func(tx *state.Tx) error {
		if domains.Len(tx) > 0 {
			return invalid("You cannot delete the service-linked role while a domain uses it.")
		}
		return unsupported("DeleteElasticsearchServiceRole (use DeleteServiceLinkedRole of IAM)")
	})
}

// DescribeDomainAutoTunes lists what Auto-Tune has done.
func (l Legacy) DescribeDomainAutoTunes(ctx context.Context, in *legacy.DescribeDomainAutoTunesInput) (*legacy.DescribeDomainAutoTunesOutput, error) {
	return answer[legacy.DescribeDomainAutoTunesOutput](ctx, in, l.service.DescribeDomainAutoTunes)
}

// DescribeDomainChangeProgress shows how far the last change of a domain is.
func (l Legacy) DescribeDomainChangeProgress(ctx context.Context, in *legacy.DescribeDomainChangeProgressInput) (*legacy.DescribeDomainChangeProgressOutput, error) {
	return answer[legacy.DescribeDomainChangeProgressOutput](ctx, in, l.service.DescribeDomainChangeProgress)
}

// ListDomainNames lists the domains.
func (l Legacy) ListDomainNames(ctx context.Context, in *legacy.ListDomainNamesInput) (*legacy.ListDomainNamesOutput, error) {
	return answer[legacy.ListDomainNamesOutput](ctx, in, l.service.ListDomainNames)
}

// GetUpgradeStatus refuses for a domain that has never been upgraded.
func (l Legacy) GetUpgradeStatus(ctx context.Context, in *legacy.GetUpgradeStatusInput) (*legacy.GetUpgradeStatusOutput, error) {
	return answer[legacy.GetUpgradeStatusOutput](ctx, in, l.service.GetUpgradeStatus)
}

// GetUpgradeHistory lists the upgrades of a domain.
func (l Legacy) GetUpgradeHistory(ctx context.Context, in *legacy.GetUpgradeHistoryInput) (*legacy.GetUpgradeHistoryOutput, error) {
	return answer[legacy.GetUpgradeHistoryOutput](ctx, in, l.service.GetUpgradeHistory)
}

// AddTags adds tags, or changes their values.
func (l Legacy) AddTags(ctx context.Context, in *legacy.AddTagsInput) (*legacy.AddTagsOutput, error) {
	return answer[legacy.AddTagsOutput](ctx, in, l.service.AddTags)
}

// RemoveTags removes tags by their keys.
func (l Legacy) RemoveTags(ctx context.Context, in *legacy.RemoveTagsInput) (*legacy.RemoveTagsOutput, error) {
	return answer[legacy.RemoveTagsOutput](ctx, in, l.service.RemoveTags)
}

// ListTags lists the tags of a domain.
func (l Legacy) ListTags(ctx context.Context, in *legacy.ListTagsInput) (*legacy.ListTagsOutput, error) {
	return answer[legacy.ListTagsOutput](ctx, in, l.service.ListTags)
}
