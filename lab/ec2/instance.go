package ec2

import (
	"fmt"
	"slices"
	"time"

	"storefront/lab/region"
	"storefront/lab/state"
)

// InstanceState is the state of an instance.
type InstanceState string

// The states of an instance. AWS page: "Instance lifecycle".
const (
	Pending      InstanceState = "pending"
	Running      InstanceState = "running"
	ShuttingDown InstanceState = "shutting-down"
	Terminated   InstanceState = "terminated"
	Stopping     InstanceState = "stopping"
	Stopped      InstanceState = "stopped"
)

// code is the number that AWS gives with the name.
func (s InstanceState) code() int64 {
	return map[InstanceState]int64{Pending: 0, Running: 16, ShuttingDown: 32, Terminated: 48, Stopping: 64, Stopped: 80}[s]
}

// Instance is a virtual machine as declared, and the state it is in.
type Instance struct {
	ID               string
	Reservation      string
	Index            int64 // within the launch
	ClientToken      string
	Image            string
	Type             string
	KeyName          string
	VPC              string
	Subnet           string
	Zone             region.Zone
	Interfaces       []string // IDs; the first is the primary one
	AutoPublic       bool     // has a public address of Amazon's while it runs
	UserData         string   // base64
	Profile          *Profile
	ProfileBinding   string // association ID "iip-assoc-..."
	Metadata         MetadataOptions
	Monitoring       bool
	EBSOptimized     bool
	NoTermination    bool // termination protection
	NoStop           bool // stop protection
	ShutdownBehavior string
	Credits          string // "standard" or "unlimited", burstable types only
	SpotRequest      string // "sir-...", "" on demand
	SpotBehavior     string // "terminate", "stop"
	Volumes          []string

	State      InstanceState
	Reason     Reason
	Refusal    *Refusal // nil when nothing stands against its start
	Transition string   // "User initiated (2026-01-02 03:04:05 GMT)"
	Launched   time.Time
	Terminated time.Time // zero until then
	Reboots    int       // counts requests to reboot: the data plane reboots the machine when it rises
}

// Reason says why an instance is in its state.
type Reason struct {
	Code    string // "Client.UserInitiatedShutdown", "Server.SpotInstanceTermination", ...
	Message string
}

// MetadataOptions configure the instance metadata service.
type MetadataOptions struct {
	Endpoint string // "enabled" or "disabled"
	Tokens   string // "required" or "optional"
	HopLimit int64  // 1..64
	Tags     string // "enabled" or "disabled"
}

func (v Instance) id() string { return v.ID }

// release takes an interface from the instance's list.
func (v *Instance) release(networkInterface string) {
	v.Interfaces = slices.DeleteFunc(v.Interfaces, func(id string) bool { return id == networkInterface })
}

var instances = kind[Instance]{
	table: state.NewTable[Instance]("ec2.instance"), prefix: "i", tagType: "instance", absent: "InvalidInstanceID.NotFound", noun: "instance ID",
	filters: map[string]func(Instance) []string{
		"instance-id":                            one(Instance.id),
		"reservation-id":                         one(func(v Instance) string { return v.Reservation }),
		"client-token":                           one(func(v Instance) string { return v.ClientToken }),
		"image-id":                               one(func(v Instance) string { return v.Image }),
		"instance-type":                          one(func(v Instance) string { return v.Type }),
		"key-name":                               one(func(v Instance) string { return v.KeyName }),
		"vpc-id":                                 one(func(v Instance) string { return v.VPC }),
		"network-interface.vpc-id":               one(func(v Instance) string { return v.VPC }),
		"subnet-id":                              one(func(v Instance) string { return v.Subnet }),
		"network-interface.subnet-id":            one(func(v Instance) string { return v.Subnet }),
		"availability-zone":                      one(func(v Instance) string { return v.Zone.Name }),
		"instance-state-name":                    one(func(v Instance) string { return string(v.State) }),
		"instance-state-code":                    one(func(v Instance) string { return fmt.Sprint(v.State.code()) }),
		"state-reason-code":                      one(func(v Instance) string { return v.Reason.Code }),
		"spot-instance-request-id":               one(func(v Instance) string { return v.SpotRequest }),
		"metadata-options.http-tokens":           one(func(v Instance) string { return v.Metadata.Tokens }),
		"metadata-options.http-endpoint":         one(func(v Instance) string { return v.Metadata.Endpoint }),
		"network-interface.network-interface-id": func(v Instance) []string { return v.Interfaces },
		"block-device-mapping.volume-id":         func(v Instance) []string { return v.Volumes },
		"architecture":                           func(Instance) []string { return []string{"x86_64"} },
		"hypervisor":                             func(Instance) []string { return []string{"xen"} },
		"tenancy":                                func(Instance) []string { return []string{"default"} },
		"root-device-type":                       func(Instance) []string { return []string{"ebs"} },
		"virtualization-type":                    func(Instance) []string { return []string{"hvm"} },
		"instance-lifecycle": func(v Instance) []string {
			if v.SpotRequest == "" {
				return nil
			}
			return []string{"spot"}
		},
		"iam-instance-profile.arn": func(v Instance) []string {
			if v.Profile == nil {
				return nil
			}
			return []string{v.Profile.ARN}
		},
	},
}

// instanceKind is the kind of instances with the filters that look at their primary interfaces.
func (s *Service) instanceKind(tx *state.Tx) kind[Instance] {
	primary := func(f func(Interface) []string) func(Instance) []string {
		return func(v Instance) []string {
			if len(v.Interfaces) == 0 {
				return nil
			}
			i, _, err := interfaces.table.Get(tx, v.Interfaces[0])
			if err != nil {
				panic(err)
			}
			return f(i)
		}
	}
	k := instances
	k.filters = map[string]func(Instance) []string{
		"private-ip-address": primary(func(i Interface) []string { return []string{i.Address.String()} }),
		"private-dns-name":   primary(func(i Interface) []string { return []string{s.privateName(i.Address)} }),
		"ip-address":         primary(func(i Interface) []string { return []string{i.Public.Address.String()} }),
		"instance.group-id":  primary(func(i Interface) []string { return i.SecurityGroups }),
		"group-id":           primary(func(i Interface) []string { return i.SecurityGroups }),
		"owner-id":           func(Instance) []string { return []string{s.Region.Account} },
	}
	for name, f := range instances.filters {
		k.filters[name] = f
	}
	return k
}

// forgotten reports whether an instance was terminated so long ago that AWS does not know it any more.
func (s *Service) forgotten(v Instance) bool {
	return v.State == Terminated && s.Now().Sub(v.Terminated) >= retention
}

// instance returns an instance that is still known.
func (s *Service) instance(tx *state.Tx, id string) (Instance, error) {
	v, err := instances.get(tx, id)
	if err == nil && s.forgotten(v) {
		err = fault(instances.absent, "The %s '%s' does not exist", instances.noun, id)
	}
	return v, err
}

// instanceList returns the instances of the IDs, with AWS's message for those that do not exist.
func (s *Service) instanceList(tx *state.Tx, ids []string) ([]Instance, error) {
	var found []Instance
	var absent []string
	for _, id := range ids {
		v, ok, err := instances.table.Get(tx, id)
		if err != nil {
			return nil, err
		}
		if !ok {
			if _, err := instances.get(tx, id); isMalformed(err) {
				return nil, err
			}
		}
		if !ok || s.forgotten(v) {
			absent = append(absent, id)
			continue
		}
		found = append(found, v)
	}
	switch len(absent) {
	case 0:
		return found, nil
	case 1:
		return nil, fault(instances.absent, "The instance ID %s does not exist", quoted(absent))
	}
	return nil, fault(instances.absent, "The instance IDs %s do not exist", quoted(absent))
}
