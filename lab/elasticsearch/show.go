package elasticsearch

import (
	"strings"
	"time"

	api "storefront/lab/api/opensearch"
	"storefront/lab/wire"
)

// status shows a domain as it is. The endpoint appears once the domain is active.
func (s *Service) status(d domain) *api.DomainStatus {
	out := &api.DomainStatus{
		ARN: new(s.arn(d.Name)), DomainId: new(s.Region.Account + "/" + d.Name), DomainName: &d.Name, EngineVersion: &d.Version, IPAddressType: new("ipv4"),
		Created: new(true), Deleted: new(d.Status == deleting), Processing: new(d.Status != active), UpgradeProcessing: new(false), DomainProcessingStatus: &d.Status,
		AccessPolicies: &d.Access, AdvancedOptions: d.Advanced, AdvancedSecurityOptions: &d.Security, ClusterConfig: &d.Cluster,
		CognitoOptions: &api.CognitoOptions{Enabled: new(false)}, DomainEndpointOptions: &d.Endpoint, EBSOptions: &d.Volume, EncryptionAtRestOptions: &d.Encryption,
		NodeToNodeEncryptionOptions: &d.NodeToNode, LogPublishingOptions: d.Logs, OffPeakWindowOptions: &d.OffPeak,
		AutoTuneOptions:       &api.AutoTuneOptionsOutput{State: d.AutoTune.DesiredState},
		SnapshotOptions:       &api.SnapshotOptions{AutomatedSnapshotStartHour: &d.SnapshotsAt},
		SoftwareUpdateOptions: &api.SoftwareUpdateOptions{AutoSoftwareUpdateEnabled: &d.AutoUpdate},
		VPCOptions:            s.placed(d), ServiceSoftwareOptions: software(d), ChangeProgressDetails: progress(d), ModifyingProperties: []api.ModifyingProperties{},
	}
	if d.Status == active || d.Status == modifying {
		out.Endpoints = map[string]string{"vpc": s.host(d)}
	}
	return out
}

func (s *Service) placed(d domain) *api.VPCDerivedInfo {
	return &api.VPCDerivedInfo{VPCId: &d.VPC, SubnetIds: d.Subnets, SecurityGroupIds: d.Groups, AvailabilityZones: d.Zones}
}

// software is the service software of a domain, for which there never is an update.
func software(d domain) *api.ServiceSoftwareOptions {
	return &api.ServiceSoftwareOptions{
		CurrentVersion: new(strings.NewReplacer(".", "_").Replace(d.Version) + "_R20241003"), NewVersion: new(""), UpdateAvailable: new(false), Cancellable: new(false),
		UpdateStatus: new("COMPLETED"), Description: new("There is no software update available for this domain."), AutomatedUpdateDate: new(time.Unix(0, 0).UTC()),
		OptionalDeployment: new(true),
	}
}

// progress is how far the last change of the configuration is.
func progress(d domain) *api.ChangeProgressDetails {
	state := api.ConfigChangeStatusCompleted
	if d.Status != active {
		state = api.ConfigChangeStatusApplyingChanges
	}
	return &api.ChangeProgressDetails{ChangeId: &d.Change, ConfigChangeStatus: &state, InitiatedBy: new("CUSTOMER"), StartTime: &d.Updated, LastUpdatedTime: &d.Updated}
}

// config shows the options of a domain, each with its state.
func (s *Service) config(d domain) *api.DomainConfig {
	stamp := &api.OptionStatus{CreationDate: &d.Created, UpdateDate: &d.Updated, UpdateVersion: &d.Changes, State: new(api.OptionStateActive), PendingDeletion: new(false)}
	if d.Status != active {
		stamp.State = new(api.OptionStateProcessing)
	}
	tuned := &api.AutoTuneStatus{CreationDate: &d.Created, UpdateDate: &d.Updated, UpdateVersion: &d.Changes, State: d.AutoTune.DesiredState, PendingDeletion: new(false)}
	v := s.status(d)
	return &api.DomainConfig{
		AccessPolicies:              &api.AccessPoliciesStatus{Options: v.AccessPolicies, Status: stamp},
		AdvancedOptions:             &api.AdvancedOptionsStatus{Options: v.AdvancedOptions, Status: stamp},
		AdvancedSecurityOptions:     &api.AdvancedSecurityOptionsStatus{Options: v.AdvancedSecurityOptions, Status: stamp},
		AutoTuneOptions:             &api.AutoTuneOptionsStatus{Options: &d.AutoTune, Status: tuned},
		ChangeProgressDetails:       v.ChangeProgressDetails,
		ClusterConfig:               &api.ClusterConfigStatus{Options: v.ClusterConfig, Status: stamp},
		CognitoOptions:              &api.CognitoOptionsStatus{Options: v.CognitoOptions, Status: stamp},
		DomainEndpointOptions:       &api.DomainEndpointOptionsStatus{Options: v.DomainEndpointOptions, Status: stamp},
		EBSOptions:                  &api.EBSOptionsStatus{Options: v.EBSOptions, Status: stamp},
		EncryptionAtRestOptions:     &api.EncryptionAtRestOptionsStatus{Options: v.EncryptionAtRestOptions, Status: stamp},
		EngineVersion:               &api.VersionStatus{Options: v.EngineVersion, Status: stamp},
		IPAddressType:               &api.IPAddressTypeStatus{Options: v.IPAddressType, Status: stamp},
		LogPublishingOptions:        &api.LogPublishingOptionsStatus{Options: v.LogPublishingOptions, Status: stamp},
		ModifyingProperties:         v.ModifyingProperties,
		NodeToNodeEncryptionOptions: &api.NodeToNodeEncryptionOptionsStatus{Options: v.NodeToNodeEncryptionOptions, Status: stamp},
		OffPeakWindowOptions:        &api.OffPeakWindowOptionsStatus{Options: v.OffPeakWindowOptions, Status: stamp},
		SnapshotOptions:             &api.SnapshotOptionsStatus{Options: v.SnapshotOptions, Status: stamp},
		SoftwareUpdateOptions:       &api.SoftwareUpdateOptionsStatus{Options: v.SoftwareUpdateOptions, Status: stamp},
		VPCOptions:                  &api.VPCDerivedInfoStatus{Options: v.VPCOptions, Status: stamp},
	}
}

// engine is the type of a version's engine: "Elasticsearch" of "Elasticsearch_7.10".
func engine(version string) string {
	name, _, _ := strings.Cut(version, "_")
	return name
}

// fine tells whether fine-grained access control is on.
func (d domain) fine() bool { return wire.Value(d.Security.Enabled) }
