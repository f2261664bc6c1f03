package elasticsearch

import (
	"context"
	"strings"

	legacy "storefront/lab/api/elasticsearch"
	api "storefront/lab/api/opensearch"
	"storefront/lab/wire"
)

// Legacy answers the API of 2015, Amazon Elasticsearch Service. The shapes of both APIs have the same members; what differs are the names of some of them,
// versions ("7.10" is "Elasticsearch_7.10") and instance types ("m5.large.elasticsearch" is "m5.large.search").
type Legacy struct{ service *Service }

var _ legacy.API = Legacy{}

// Legacy returns the API of 2015 on the same domains.
func (s *Service) Legacy() Legacy { return Legacy{s} }

// defaultLegacyVersion is what AWS makes when a request of the API of 2015 names none. The lab does not serve it.
const defaultLegacyVersion = "1.5"

// toVersion is a version in the API of 2021: the former names only those of Elasticsearch without their engine.
func toVersion(v string) string {
	if strings.Contains(v, "_") {
		return v
	}
	return "Elasticsearch_" + v
}

func fromVersion(v string) string { return strings.TrimPrefix(v, "Elasticsearch_") }

func toType(t *string) *string { return swapSuffix(t, ".elasticsearch", ".search") }

func fromType(t *string) *string { return swapSuffix(t, ".search", ".elasticsearch") }

func swapSuffix(t *string, from, to string) *string {
	if t == nil {
		return nil
	}
	if name, ok := strings.CutSuffix(*t, from); ok {
		return new(name + to)
	}
	return t
}

func toCluster(in *legacy.ElasticsearchClusterConfig) (*api.ClusterConfig, error) {
	if in == nil {
		return nil, nil
	}
	out, err := translate[api.ClusterConfig](in)
	if err != nil {
		return nil, err
	}
	out.InstanceType, out.DedicatedMasterType, out.WarmType = toType(out.InstanceType), toType(out.DedicatedMasterType), toType(out.WarmType)
	return out, nil
}

func fromCluster(in *api.ClusterConfig) (*legacy.ElasticsearchClusterConfig, error) {
	out, err := translate[legacy.ElasticsearchClusterConfig](in)
	if err != nil {
		return nil, err
	}
	out.InstanceType, out.DedicatedMasterType, out.WarmType = fromType(out.InstanceType), fromType(out.DedicatedMasterType), fromType(out.WarmType)
	return out, nil
}

func fromStatus(in *api.DomainStatus) (*legacy.ElasticsearchDomainStatus, error) {
	out, err := translate[legacy.ElasticsearchDomainStatus](in)
	if err != nil {
		return nil, err
	}
	out.ElasticsearchVersion = new(fromVersion(*in.EngineVersion))
	out.ElasticsearchClusterConfig, err = fromCluster(in.ClusterConfig)
	return out, err
}

func fromConfig(in *api.DomainConfig) (*legacy.ElasticsearchDomainConfig, error) {
	out, err := translate[legacy.ElasticsearchDomainConfig](in)
	if err != nil {
		return nil, err
	}
	status, err := translate[legacy.OptionStatus](in.ClusterConfig.Status)
	if err != nil {
		return nil, err
	}
	out.ElasticsearchVersion = &legacy.ElasticsearchVersionStatus{Options: new(fromVersion(*in.EngineVersion.Options)), Status: status}
	cluster, err := fromCluster(in.ClusterConfig.Options)
	out.ElasticsearchClusterConfig = &legacy.ElasticsearchClusterConfigStatus{Options: cluster, Status: status}
	return out, err
}

// answer passes a request on to the operation of 2021 whose shapes have the same members, and translates what it answers.
func answer[O, I, P any](ctx context.Context, in any, operation func(context.Context, *I) (*P, error)) (*O, error) {
	request, err := translate[I](in)
	if err != nil {
		return nil, err
	}
	out, err := operation(ctx, request)
	if err != nil {
		return nil, err
	}
	return translate[O](out)
}

// CreateElasticsearchDomain is CreateDomain.
func (l Legacy) CreateElasticsearchDomain(ctx context.Context, in *legacy.CreateElasticsearchDomainInput) (*legacy.CreateElasticsearchDomainOutput, error) {
	request, err := translate[api.CreateDomainInput](in)
	if err != nil {
		return nil, err
	}
	request.EngineVersion = new(toVersion(wire.Or(in.ElasticsearchVersion, defaultLegacyVersion)))
	if request.ClusterConfig, err = toCluster(in.ElasticsearchClusterConfig); err != nil {
		return nil, err
	}
	out, err := l.service.CreateDomain(ctx, request)
	if err != nil {
		return nil, err
	}
	status, err := fromStatus(out.DomainStatus)
	return &legacy.CreateElasticsearchDomainOutput{DomainStatus: status}, err
}

// UpdateElasticsearchDomainConfig is UpdateDomainConfig.
func (l Legacy) UpdateElasticsearchDomainConfig(ctx context.Context, in *legacy.UpdateElasticsearchDomainConfigInput) (*legacy.UpdateElasticsearchDomainConfigOutput, error) {
	request, err := translate[api.UpdateDomainConfigInput](in)
	if err != nil {
		return nil, err
	}
	if request.ClusterConfig, err = toCluster(in.ElasticsearchClusterConfig); err != nil {
		return nil, err
	}
	out, err := l.service.UpdateDomainConfig(ctx, request)
	if err != nil {
		return nil, err
	}
	config, err := fromConfig(out.DomainConfig)
	return &legacy.UpdateElasticsearchDomainConfigOutput{DomainConfig: config}, err
}

// UpgradeElasticsearchDomain is UpgradeDomain.
func (l Legacy) UpgradeElasticsearchDomain(ctx context.Context, in *legacy.UpgradeElasticsearchDomainInput) (*legacy.UpgradeElasticsearchDomainOutput, error) {
	_, err := l.service.UpgradeDomain(ctx, &api.UpgradeDomainInput{DomainName: in.DomainName, TargetVersion: new(toVersion(*in.TargetVersion)), PerformCheckOnly: in.PerformCheckOnly})
	return nil, err
}
