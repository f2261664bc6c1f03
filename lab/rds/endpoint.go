package rds

import (
	"context"
	"slices"
	"strings"

	api "storefront/lab/api/rds"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// endpoint is a custom endpoint of a cluster. Its members are the static ones, or all but the excluded ones, of its type.
type endpoint struct {
	ID         string
	ResourceID string
	Cluster    string
	Type       string // "READER" or "ANY"
	Static     []string
	Excluded   []string
}

const maxEndpoints = 5 // custom ones of a cluster

var endpoints = state.NewTable[endpoint]("rds.cluster-endpoint")

func (s *Service) endpointARN(e endpoint) string {
	return s.Region.ARN("rds", "cluster-endpoint:"+e.ID)
}

func findEndpoint(tx *state.Tx, id string) (endpoint, error) {
	e, ok, err := endpoints.Get(tx, strings.ToLower(id))
	if err == nil && !ok {
		err = fault("DBClusterEndpointNotFoundFault", "DBClusterEndpoint %s not found", id)
	}
	return e, err
}

// setMembers checks and takes over the members of an endpoint.
func (e *endpoint) setMembers(tx *state.Tx, c cluster, kind *string, static, excluded []string) error {
	wire.Set(&e.Type, kind)
	if e.Type != "READER" && e.Type != "ANY" {
		return invalidValue("Invalid custom endpoint type: %s. Valid values are READER and ANY.", e.Type)
	}
	if len(static) > 0 && len(excluded) > 0 {
		return invalidCombination("StaticMembers and ExcludedMembers can not both be specified.")
	}
	for _, id := range slices.Concat(static, excluded) {
		i, err := findInstance(tx, id)
		if err != nil {
			return err
		}
		if i.Cluster != c.ID {
			return invalidValue("DB instance %s is not a member of DB cluster %s.", id, c.ID)
		}
	}
	e.Static, e.Excluded = static, excluded
	return nil
}

// CreateDBClusterEndpoint makes a custom endpoint.
func (s *Service) CreateDBClusterEndpoint(_ context.Context, in *api.CreateDBClusterEndpointInput) (*api.CreateDBClusterEndpointOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, out *api.CreateDBClusterEndpointOutput) error {
		c, err := availableCluster(tx, wire.Value(in.DBClusterIdentifier))
		if err != nil {
			return err
		}
		e := endpoint{Cluster: c.ID}
		if e.ID, err = identifier("DBClusterEndpointIdentifier", in.DBClusterEndpointIdentifier, 63); err != nil {
			return err
		}
		if _, taken, err := endpoints.Get(tx, e.ID); err != nil || taken {
			return orExists(err, "DBClusterEndpointAlreadyExistsFault", "DB Cluster Endpoint already exists")
		}
		count := 0
		for _, other := range endpoints.All(tx) {
			if other.Cluster == c.ID {
				count++
			}
		}
		if count >= maxEndpoints {
			return fault("DBClusterEndpointQuotaExceededFault", "DB cluster %s already has %d custom endpoints.", c.ID, count)
		}
		if err := e.setMembers(tx, c, in.EndpointType, in.StaticMembers, in.ExcludedMembers); err != nil {
			return err
		}
		if e.ResourceID, err = resourceID(tx, "cluster-endpoint"); err != nil {
			return err
		}
		if err := tag(tx, s.endpointARN(e), in.Tags); err != nil {
			return err
		}
		*out = api.CreateDBClusterEndpointOutput(s.showEndpoint(e))
		return endpoints.Put(tx, e.ID, e)
	})
}

// ModifyDBClusterEndpoint changes the type or the members of a custom endpoint.
func (s *Service) ModifyDBClusterEndpoint(_ context.Context, in *api.ModifyDBClusterEndpointInput) (*api.ModifyDBClusterEndpointOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, out *api.ModifyDBClusterEndpointOutput) error {
		e, err := findEndpoint(tx, wire.Value(in.DBClusterEndpointIdentifier))
		if err != nil {
			return err
		}
		c, err := findCluster(tx, e.Cluster)
		if err != nil {
			return err
		}
		if err := e.setMembers(tx, c, in.EndpointType, in.StaticMembers, in.ExcludedMembers); err != nil {
			return err
		}
		*out = api.ModifyDBClusterEndpointOutput(s.showEndpoint(e))
		return endpoints.Put(tx, e.ID, e)
	})
}

// DeleteDBClusterEndpoint deletes a custom endpoint.
func (s *Service) DeleteDBClusterEndpoint(_ context.Context, in *api.DeleteDBClusterEndpointInput) (*api.DeleteDBClusterEndpointOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, out *api.DeleteDBClusterEndpointOutput) error {
		e, err := findEndpoint(tx, wire.Value(in.DBClusterEndpointIdentifier))
		if err != nil {
			return err
		}
		*out = api.DeleteDBClusterEndpointOutput(s.showEndpoint(e))
		out.Status = new(deleting)
		return s.removeEndpoint(tx, e)
	})
}

func (s *Service) removeEndpoint(tx *state.Tx, e endpoint) error {
	if err := tags.Delete(tx, s.endpointARN(e)); err != nil {
		return err
	}
	return endpoints.Delete(tx, e.ID)
}

// DescribeDBClusterEndpoints lists the endpoints of clusters: writer, reader and custom ones.
func (s *Service) DescribeDBClusterEndpoints(_ context.Context, in *api.DescribeDBClusterEndpointsInput) (*api.DescribeDBClusterEndpointsOutput, error) {
	return state.Read(s.Store, func(tx *state.Tx, out *api.DescribeDBClusterEndpointsOutput) error {
		list := []api.DBClusterEndpoint{}
		for _, c := range clusters.All(tx) {
			if wire.Or(in.DBClusterIdentifier, c.ID) == c.ID && in.DBClusterEndpointIdentifier == nil {
				list = append(list,
					api.DBClusterEndpoint{DBClusterIdentifier: &c.ID, Endpoint: new(s.writerEndpoint(c)), EndpointType: new("WRITER"), Status: new(available)},
					api.DBClusterEndpoint{DBClusterIdentifier: &c.ID, Endpoint: new(s.readerEndpoint(c)), EndpointType: new("READER"), Status: new(available)})
			}
		}
		for _, e := range endpoints.All(tx) {
			if wire.Or(in.DBClusterIdentifier, e.Cluster) == e.Cluster && strings.ToLower(wire.Or(in.DBClusterEndpointIdentifier, e.ID)) == e.ID {
				list = append(list, api.DBClusterEndpoint(s.showEndpoint(e)))
			}
		}
		list, err := filter(list, in.Filters, map[string]func(api.DBClusterEndpoint) []string{
			"db-cluster-endpoint-type":        one(func(e api.DBClusterEndpoint) string { return strings.ToLower(wire.Value(e.EndpointType)) }),
			"db-cluster-endpoint-custom-type": one(func(e api.DBClusterEndpoint) string { return strings.ToLower(wire.Value(e.CustomEndpointType)) }),
			"db-cluster-endpoint-id":          one(func(e api.DBClusterEndpoint) string { return wire.Value(e.DBClusterEndpointIdentifier) }),
			"db-cluster-endpoint-status":      one(func(e api.DBClusterEndpoint) string { return wire.Value(e.Status) }),
		})
		if err != nil {
			return err
		}
		key := func(e api.DBClusterEndpoint) string { return *e.Endpoint }
		slices.SortFunc(list, func(a, b api.DBClusterEndpoint) int { return strings.Compare(key(a), key(b)) })
		out.DBClusterEndpoints, out.Marker, err = page(list, key, in.Marker, in.MaxRecords)
		return err
	})
}

func (s *Service) showEndpoint(e endpoint) api.CreateDBClusterEndpointOutput {
	return api.CreateDBClusterEndpointOutput{
		DBClusterEndpointIdentifier: &e.ID, DBClusterEndpointArn: new(s.endpointARN(e)), DBClusterEndpointResourceIdentifier: &e.ResourceID, DBClusterIdentifier: &e.Cluster,
		Endpoint: new(s.customEndpoint(e)), EndpointType: new("CUSTOM"), CustomEndpointType: &e.Type, StaticMembers: e.Static, ExcludedMembers: e.Excluded, Status: new(available),
	}
}
