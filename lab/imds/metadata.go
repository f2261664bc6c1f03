package imds

import (
	"context"
	"time"
)

// Source knows the lab's instances. Its methods are called for every request, so that changes show at once.
type Source interface {
	// Metadata describes an instance.
	Metadata(instanceID string) (Metadata, error)
	// Credentials returns valid credentials of the instance's role. It is called only for an instance that has one.
	Credentials(ctx context.Context, instanceID string) (Credentials, error)
}

// Metadata is what an instance can learn about itself. Empty strings and nil pointers are absent: their paths answer 404.
type Metadata struct {
	InstanceID, ImageID, InstanceType string
	LifeCycle                         string // "on-demand" or "spot"
	Architecture                      string // "x86_64" or "arm64"
	ReservationID                     string
	LaunchIndex                       int
	Launched                          time.Time

	Account, Region, Zone, ZoneID string

	Hostname                   string // the private DNS name
	LocalIPv4                  string
	PublicIPv4, PublicHostname string
	MAC                        string
	InterfaceID                string
	SubnetID, SubnetCIDR       string
	VPCID                      string
	VPCCIDRs                   []string // the primary one first
	SecurityGroups             []string // names
	SecurityGroupIDs           []string

	ProfileARN, ProfileID string // of the instance profile
	Role                  string // name of its role

	Tags     map[string]string // shown only when TagsInMetadata is set
	UserData []byte            // nil is none

	SpotAction     *SpotAction // the interruption notice
	Rebalance      *time.Time  // when the rebalance recommendation was made
	LifecycleState string      // where auto scaling wants the instance: "InService", "Terminated", ...

	EndpointDisabled bool // HttpEndpoint is "disabled"
	TokensRequired   bool // HttpTokens is "required"
	TagsInMetadata   bool // InstanceMetadataTags is "enabled"
}

// SpotAction is a spot instance interruption notice.
type SpotAction struct {
	Action string // "terminate", "stop" or "hibernate"
	Time   time.Time
}

// Credentials are temporary credentials of a role.
type Credentials struct {
	AccessKeyID, SecretAccessKey, Token string
	LastUpdated, Expiration             time.Time
}
