package dataplane

import (
	"context"
	"encoding/base64"
	"maps"
	"sync"
	"time"

	"storefront/lab/ec2"
	"storefront/lab/iam"
	"storefront/lab/imds"
	"storefront/lab/region"
	"storefront/lab/state"
	"storefront/lab/sts"
)

// Metadata tells instances about themselves: it is the source of their metadata services.
type Metadata struct {
	Store  *state.Store
	Region region.Region
	EC2    *ec2.Service
	IAM    *iam.Service
	STS    *sts.Service
	Domain string // of private host names
	Now    func() time.Time
	// Notice returns the spot interruption notice of an instance and when its rebalance recommendation was made, each nil when there is none.
	Notice func(tx *state.Tx, instanceID string) (*imds.SpotAction, *time.Time)
	// Lifecycle returns where auto scaling wants an instance, and whether it belongs to a group.
	Lifecycle func(tx *state.Tx, instanceID string) (string, bool)

	mu       sync.Mutex
	sessions map[string]roleSession // by instance
}

// roleSession is a session that an instance was given.
type roleSession struct {
	sts.Session
	role string
	made time.Time
}

// renewBefore is how long before their end an instance's credentials are replaced, as EC2 does at least five minutes ahead.
const renewBefore = 30 * time.Minute

// Metadata implements imds.Source.
func (s *Metadata) Metadata(id string) (m imds.Metadata, err error) {
	err = s.Store.View(func(tx *state.Tx) error {
		v, err := s.EC2.Instance(tx, id)
		if err != nil {
			return err
		}
		var userData []byte // nil when there is none: decoding would make it empty
		if v.UserData != "" {
			if userData, err = base64.StdEncoding.DecodeString(v.UserData); err != nil {
				return err
			}
		}
		m = imds.Metadata{InstanceID: v.ID, ImageID: v.Image, InstanceType: v.Type, LifeCycle: "on-demand", Architecture: "x86_64", ReservationID: v.Reservation,
			LaunchIndex: int(v.Index), Launched: v.Launched, Account: s.Region.Account, Region: s.Region.Name, Zone: v.Zone.Name, ZoneID: v.Zone.ID, SubnetID: v.Subnet, VPCID: v.VPC,
			Tags: s.EC2.Tags(tx, v.ID), UserData: userData, EndpointDisabled: v.Metadata.Endpoint == "disabled", TokensRequired: v.Metadata.Tokens == "required", TagsInMetadata: v.Metadata.Tags == "enabled"}
		if v.SpotRequest != "" {
			m.LifeCycle = "spot"
		}
		m.SpotAction, m.Rebalance = s.Notice(tx, id)
		m.LifecycleState, _ = s.Lifecycle(tx, id)
		s.addRole(tx, v, &m)
		return s.addNetwork(tx, v, &m)
	})
	return m, err
}

func (s *Metadata) addRole(tx *state.Tx, v ec2.Instance, m *imds.Metadata) {
	if v.Profile == nil {
		return
	}
	m.ProfileARN, m.ProfileID = v.Profile.ARN, v.Profile.ID
	if profile, ok := s.IAM.Profile(tx, v.Profile.ARN); ok {
		m.Role = profile.Role
	}
}

func (s *Metadata) addNetwork(tx *state.Tx, v ec2.Instance, m *imds.Metadata) error {
	if len(v.Interfaces) == 0 {
		return nil
	}
	eni, err := s.EC2.Interface(tx, v.Interfaces[0])
	if err != nil {
		return err
	}
	subnet, err := s.EC2.Subnet(tx, v.Subnet)
	if err != nil {
		return err
	}
	vpc, err := s.EC2.VPC(tx, v.VPC)
	if err != nil {
		return err
	}
	m.InterfaceID, m.MAC, m.LocalIPv4, m.Hostname = eni.ID, eni.MAC, eni.Address.String(), privateName(eni.Address, s.Domain)
	if eni.Public.Address.IsValid() {
		m.PublicIPv4 = eni.Public.Address.String()
	}
	m.SubnetCIDR, m.SecurityGroupIDs = subnet.CIDR.String(), eni.SecurityGroups
	for _, b := range vpc.CIDRs {
		m.VPCCIDRs = append(m.VPCCIDRs, b.CIDR.String())
	}
	for _, id := range eni.SecurityGroups {
		group, err := s.EC2.SecurityGroup(tx, id)
		if err != nil {
			return err
		}
		m.SecurityGroups = append(m.SecurityGroups, group.Name)
	}
	return nil
}

// Credentials implements imds.Source. The same credentials are handed out until they are about to end, or the instance gets another role.
func (s *Metadata) Credentials(_ context.Context, id string) (imds.Credentials, error) {
	m, err := s.Metadata(id)
	if err != nil {
		return imds.Credentials{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.Now()
	session, ok := s.sessions[id]
	if !ok || session.role != m.Role || now.Add(renewBefore).After(session.Expires) {
		made, err := s.STS.ForInstance(m.Role, id)
		if err != nil {
			return imds.Credentials{}, err
		}
		if s.sessions == nil {
			s.sessions = map[string]roleSession{}
		}
		maps.DeleteFunc(s.sessions, func(_ string, old roleSession) bool { return now.After(old.Expires) }) // of instances that are gone
		session = roleSession{Session: made, role: m.Role, made: now}
		s.sessions[id] = session
	}
	return imds.Credentials{AccessKeyID: session.AccessKeyID, SecretAccessKey: session.Secret, Token: session.Token, LastUpdated: session.made, Expiration: session.Expires}, nil
}
