package elasticsearch

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"

	api "storefront/lab/api/opensearch"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// UpdateDomainConfig changes the options that a request gives; the data plane then makes them true.
func (s *Service) UpdateDomainConfig(_ context.Context, in *api.UpdateDomainConfigInput) (*api.UpdateDomainConfigOutput, error) {
	if wire.Value(in.DryRun) {
		return nil, unsupported("A dry run")
	}
	return state.Change(s.Store, func(tx *state.Tx, out *api.UpdateDomainConfigOutput) error {
		d, err := s.find(tx, in.DomainName)
		if err != nil {
			return err
		}
		if d.Status == deleting {
			return conflict("ResourceNotFoundException", "Domain not found: %s", d.Name)
		}
		if d.Status != active {
			return invalid("A change/update is in progress. Please wait for it to complete before requesting another change.")
		}
		if err := s.configure(tx, &d, in); err != nil {
			return err
		}
		d.Status = modifying
		out.DomainConfig = s.config(d)
		return domains.Put(tx, d.Name, d)
	})
}

// configure applies the options of a request and checks what comes out, piece by piece and then together.
func (s *Service) configure(tx *state.Tx, d *domain, in *api.UpdateDomainConfigInput) error {
	if err := refuse(in); err != nil {
		return err
	}
	before := d.Security
	for _, step := range []func() error{
		func() error { return d.setCluster(in.ClusterConfig) },
		func() error { return d.setVolume(in.EBSOptions) },
		func() error { return s.encrypt(tx, d, in.EncryptionAtRestOptions) },
		func() error { return d.secure(in) },
		func() error { return d.setMaster(in.AdvancedSecurityOptions, before) },
		func() error { return d.setAdvanced(in.AdvancedOptions) },
		func() error { return d.tune(in.AutoTuneOptions) },
		func() error { return d.schedule(in) },
		func() error { return s.publish(tx, d, in.LogPublishingOptions) },
		func() error { return s.place(tx, d, in.VPCOptions) },
		func() error { return s.setAccess(tx, d, in.AccessPolicies) },
	} {
		if err := step(); err != nil {
			return err
		}
	}
	return s.touch(tx, d)
}

// refuse refuses what the lab does not serve, rather than keep it without effect.
func refuse(in *api.UpdateDomainConfigInput) error {
	endpoint, cluster, security := wire.Value(in.DomainEndpointOptions), wire.Value(in.ClusterConfig), wire.Value(in.AdvancedSecurityOptions)
	for what, asked := range map[string]bool{
		"Amazon Cognito authentication": wire.Value(wire.Value(in.CognitoOptions).Enabled),
		"A custom endpoint":             wire.Value(endpoint.CustomEndpointEnabled),
		"UltraWarm storage":             wire.Value(cluster.WarmEnabled),
		"Cold storage":                  wire.Value(wire.Value(cluster.ColdStorageOptions).Enabled),
		"Multi-AZ with Standby":         wire.Value(cluster.MultiAZWithStandbyEnabled),
		"SAML authentication":           security.SAMLOptions != nil && wire.Value(security.SAMLOptions.Enabled),
		"JWT authentication":            security.JWTOptions != nil && wire.Value(security.JWTOptions.Enabled),
		"Anonymous access":              wire.Value(security.AnonymousAuthEnabled),
		"IPv6":                          wire.Or(in.IPAddressType, "ipv4") != "ipv4",
		"Natural language queries":      in.AIMLOptions != nil,
	} {
		if asked {
			return unsupported(what)
		}
	}
	return nil
}

// setAdvanced merges advanced options, of which AWS knows four.
func (d *domain) setAdvanced(given map[string]string) error {
	for name, value := range given {
		switch name {
		case "rest.action.multi.allow_explicit_index", "override_main_response_version":
			if value != "true" && value != "false" {
				return invalid("Invalid value for advanced option %s: %s", name, value)
			}
			if value != defaults().Advanced[name] {
				return unsupported(name + "=" + value)
			}
		case "indices.fielddata.cache.size", "indices.query.bool.max_clause_count":
			var n int
			if _, err := fmt.Sscanf(value, "%d", &n); err != nil || n < 0 {
				return invalid("Invalid value for advanced option %s: %s", name, value)
			}
		default:
			return invalid("Unrecognized advanced option '%s' passed", name)
		}
		d.Advanced[name] = value
	}
	return nil
}

// tune sets Auto-Tune, which small instance types do not have. It is kept and shown: the lab's nodes have nothing to tune.
func (d *domain) tune(given *api.AutoTuneOptions) error {
	if d.AutoTune.DesiredState == nil {
		desired := api.AutoTuneDesiredStateEnabled
		if burstable(*d.Cluster.InstanceType) {
			desired = api.AutoTuneDesiredStateDisabled
		}
		d.AutoTune = api.AutoTuneOptions{DesiredState: &desired, RollbackOnDisable: new(api.RollbackOnDisableNoRollback)}
	}
	overlay(&d.AutoTune, given)
	if given != nil && burstable(*d.Cluster.InstanceType) && *d.AutoTune.DesiredState == api.AutoTuneDesiredStateEnabled {
		return invalid("Autotune is not supported in t2/t3 instance types. Disable autotune or change your instance type.")
	}
	return nil
}

// schedule sets when AWS would work on the domain. The lab takes no snapshots and has no updates.
func (d *domain) schedule(in *api.UpdateDomainConfigInput) error {
	if in.SnapshotOptions != nil {
		d.SnapshotsAt = wire.Value(in.SnapshotOptions.AutomatedSnapshotStartHour)
	}
	if d.SnapshotsAt < 0 || d.SnapshotsAt > 23 {
		return invalid("Snapshot start hour must be between 0 and 23.")
	}
	overlay(&d.OffPeak, in.OffPeakWindowOptions)
	if !wire.Or(d.OffPeak.Enabled, true) {
		return invalid("Off-peak window cannot be disabled once enabled.")
	}
	if in.SoftwareUpdateOptions != nil {
		d.AutoUpdate = wire.Value(in.SoftwareUpdateOptions.AutoSoftwareUpdateEnabled)
	}
	return nil
}

// overlay replaces the members of target that given has.
func overlay[T any](target, given *T) {
	if given == nil {
		return
	}
	from, to := reflect.ValueOf(given).Elem(), reflect.ValueOf(target).Elem()
	for i := range from.NumField() {
		if f := from.Field(i); f.Kind() != reflect.Struct && !f.IsNil() {
			to.Field(i).Set(f)
		}
	}
}

// translate turns a value of one API into the shape of the same members in another.
func translate[To any](from any) (*To, error) {
	b, err := json.Marshal(from)
	if err != nil {
		return nil, fmt.Errorf("translating %T: %w", from, err)
	}
	to := new(To)
	if err := json.Unmarshal(b, to); err != nil {
		return nil, fmt.Errorf("translating %T into %T: %w", from, to, err)
	}
	return to, nil
}
