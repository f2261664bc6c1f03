package iam

import (
	"context"
	"fmt"
	"strings"

	api "storefront/lab/api/iam"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// linkedRole names the service-linked role of each service that can have one, from "AWS services that work with IAM".
func linkedRole(service string) (name string, ok bool) {
	name, ok = map[string]string{
		"autoscaling.amazonaws.com":          "AWSServiceRoleForAutoScaling",
		"elasticloadbalancing.amazonaws.com": "AWSServiceRoleForElasticLoadBalancing",
		"rds.amazonaws.com":                  "AWSServiceRoleForRDS",
		"elasticache.amazonaws.com":          "AWSServiceRoleForElastiCache",
		"es.amazonaws.com":                   "AWSServiceRoleForAmazonElasticsearchService",
		"opensearchservice.amazonaws.com":    "AWSServiceRoleForAmazonOpenSearchService",
		"spot.amazonaws.com":                 "AWSServiceRoleForEC2Spot",
		"fms.amazonaws.com":                  "AWSServiceRoleForFMS",

		"rds.application-autoscaling.amazonaws.com": "AWSServiceRoleForApplicationAutoScaling_RDSCluster",
	}[service]
	return name, ok
}

// CreateServiceLinkedRole implements the operation of that name.
func (s *Service) CreateServiceLinkedRole(_ context.Context, in *api.CreateServiceLinkedRoleInput) (*api.CreateServiceLinkedRoleOutput, error) {
	service := *in.AWSServiceName
	name, ok := linkedRole(service)
	if !ok {
		return nil, noSuchEntity("Service role for %s cannot be found.", service)
	}
	if suffix := wire.Value(in.CustomSuffix); suffix != "" {
		if service != "autoscaling.amazonaws.com" {
			return nil, wire.Errorf(400, "InvalidInput", "Custom suffix is not allowed for %s", service)
		}
		name += "_" + suffix
	}
	r := role{Name: name, Path: "/aws-service-role/" + service + "/", Description: wire.Value(in.Description), MaxSession: 3600, ServiceLinked: service,
		Trust: fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":%q},"Action":"sts:AssumeRole"}]}`, service)}
	err := s.store.Update(func(tx *state.Tx) error {
		if _, ok, err := roles.Get(tx, name); err != nil {
			return err
		} else if ok {
			return wire.Errorf(400, "InvalidInput", "Service role name %s has been taken in this account, please try a different suffix.", name)
		}
		return s.createRole(tx, &r)
	})
	if err != nil {
		return nil, err
	}
	return &api.CreateServiceLinkedRoleOutput{Role: r.describe()}, nil
}

// DeleteServiceLinkedRole implements the operation of that name. The lab deletes at once; the task's ID names what was deleted.
func (s *Service) DeleteServiceLinkedRole(_ context.Context, in *api.DeleteServiceLinkedRoleInput) (*api.DeleteServiceLinkedRoleOutput, error) {
	out := &api.DeleteServiceLinkedRoleOutput{}
	return out, s.store.Update(func(tx *state.Tx) error {
		r, err := findRole(tx, *in.RoleName)
		if err != nil {
			return err
		}
		if r.ServiceLinked == "" {
			return noSuchEntity("The service-linked role with name %s cannot be found.", r.Name)
		}
		out.DeletionTaskId = new("task" + r.Path + r.Name + "/" + r.ID)
		return roles.Delete(tx, r.Name)
	})
}

// GetServiceLinkedRoleDeletionStatus implements the operation of that name.
func (s *Service) GetServiceLinkedRoleDeletionStatus(_ context.Context, in *api.GetServiceLinkedRoleDeletionStatusInput) (*api.GetServiceLinkedRoleDeletionStatusOutput, error) {
	if !strings.HasPrefix(*in.DeletionTaskId, "task/aws-service-role/") {
		return nil, noSuchEntity("Deletion task %s cannot be found.", *in.DeletionTaskId)
	}
	return &api.GetServiceLinkedRoleDeletionStatusOutput{Status: new("SUCCEEDED")}, nil
}
