// Package cache makes a Redis or Valkey cache on ElastiCache: a primary and replicas in several zones, one of which takes over
// when the primary is lost; TLS and a token from a secret to get in; data encrypted with the caller's key; slow and engine logs;
// alarms; a security group that lets in only who is named.
//
// A cache may be lost: there is no deletion protection on AWS, and nothing here stands in for it.
//
// Left out: cluster mode, global datastores, data tiering, serverless caches, users and groups (RBAC), rotation of the token.
package cache

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/elasticache"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"storefront/components/internal/naming"
	"storefront/components/internal/secret"
	"storefront/components/internal/securitygroup"
)

// Type is the component's type token.
const Type = "storefront:cache:Cache"

// ErrArgs says that the arguments cannot make a cache; the text tells which and why.
var ErrArgs = errors.New("cache arguments")

// Engine is a program that speaks the Redis protocol.
type Engine string

// Engines.
const (
	Redis  Engine = "redis"
	Valkey Engine = "valkey"
)

// Port is where caches listen.
const Port = 6379

const (
	idLimit    = 40 // of ElastiCache, in characters
	tokenSize  = 64 // letters and digits, of at most 128
	tokenField = "token"
)

// Args describe a cache.
type Args struct {
	Identifier string // the replication group's, unique in account and region: at most 40 lower case letters, digits and single hyphens, a letter first
	VpcID      pulumi.StringInput
	SubnetIDs  pulumi.StringArrayInput // in at least two zones, unless NoFailover
	KeyARN     pulumi.StringInput      // KMS key for data and snapshots

	SecretKeyARN pulumi.StringInput // KMS key for the token; nil means KeyARN
	LogKeyARN    pulumi.StringInput // KMS key for the logs; nil means KeyARN

	Engine  Engine // empty means Redis
	Version string // major and minor: "7.1" of Redis, "7.2" or "8.0" of Valkey

	NodeType string // "cache.r7g.large"
	Replicas int    // of the primary, 0 to 5
	// NoFailover leaves a lost primary lost until it is replaced, empty. Otherwise a replica in another zone takes over, which needs
	// at least one.
	NoFailover bool

	Eviction          string // maxmemory-policy; empty means allkeys-lru: a full cache forgets what was not asked for in the longest time
	SnapshotDays      int    // 0 to 35; 0 keeps none
	SnapshotWindow    string // UTC, "03:00-04:00"; empty means that
	MaintenanceWindow string // UTC, "sun:05:00-sun:06:00"; empty means that
	LogDays           int    // 0 means 30
	FinalSnapshot     bool   // keep the data when the cache is deleted
	ApplyImmediately  bool   // do not wait for the maintenance window
	RecoveryDays      int    // how long the deleted token can be restored, 7 to 30; 0 deletes it at once

	AlarmActions []pulumi.StringInput // topics that alarms are told to; empty leaves the alarms out
}

// Cache is a replication group.
type Cache struct {
	pulumi.ResourceState

	ID              pulumi.StringOutput `pulumi:"id"`
	PrimaryEndpoint pulumi.StringOutput `pulumi:"primaryEndpoint"` // host name; follows failovers
	ReaderEndpoint  pulumi.StringOutput `pulumi:"readerEndpoint"`  // host name; one of the replicas for each connection
	Port            pulumi.IntOutput    `pulumi:"port"`
	SecretARN       pulumi.StringOutput `pulumi:"secretArn"` // {"token": ...}
	SecurityGroupID pulumi.IDOutput     `pulumi:"securityGroupId"`

	name  string
	args  Args
	group *ec2.SecurityGroup
	token *secret.Secret
	cache *elasticache.ReplicationGroup
}

// New makes a cache. Errors of arguments are ErrArgs.
func New(ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption) (*Cache, error) {
	a := *args
	a.Engine, a.Eviction = cmp.Or(a.Engine, Redis), cmp.Or(a.Eviction, "allkeys-lru")
	a.SnapshotWindow, a.MaintenanceWindow = cmp.Or(a.SnapshotWindow, "03:00-04:00"), cmp.Or(a.MaintenanceWindow, "sun:05:00-sun:06:00")
	a.LogDays = cmp.Or(a.LogDays, 30)
	a.SecretKeyARN, a.LogKeyARN = cmp.Or(a.SecretKeyARN, a.KeyARN), cmp.Or(a.LogKeyARN, a.KeyARN)
	if err := check(&a); err != nil {
		return nil, fmt.Errorf("cache %s: %w", name, err)
	}
	c := &Cache{name: name, args: a}
	if err := ctx.RegisterComponentResource(Type, name, c, opts...); err != nil {
		return nil, err
	}
	child := pulumi.Parent(c)
	var err error
	if c.group, err = securitygroup.New(ctx, name, "Cache "+name, a.VpcID, child); err != nil {
		return nil, err
	}
	c.token, err = secret.New(ctx, name+"-token", &secret.Args{
		Description: "AUTH token of " + name, Field: tokenField, Length: tokenSize, KeyARN: a.SecretKeyARN, RecoveryDays: a.RecoveryDays,
	}, child)
	if err != nil {
		return nil, err
	}
	if err := c.makeGroup(ctx, child); err != nil {
		return nil, err
	}
	if err := c.makeAlarms(ctx, child); err != nil {
		return nil, err
	}
	c.ID, c.SecretARN, c.SecurityGroupID = c.cache.ReplicationGroupId, c.token.ARN, c.group.ID()
	c.PrimaryEndpoint, c.ReaderEndpoint, c.Port = c.cache.PrimaryEndpointAddress, c.cache.ReaderEndpointAddress, pulumi.Int(Port).ToIntOutput()
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{
		"id": c.ID, "primaryEndpoint": c.PrimaryEndpoint, "readerEndpoint": c.ReaderEndpoint, "port": c.Port,
		"secretArn": c.SecretARN, "securityGroupId": c.SecurityGroupID,
	})
}

var (
	versionForm = regexp.MustCompile(`^[1-9][0-9]?\.[0-9]{1,2}$`)
	nodeForm    = regexp.MustCompile(`^cache\.[a-z0-9-]+\.[a-z0-9-]+$`)
	evictions   = []string{
		"volatile-lru", "allkeys-lru", "volatile-lfu", "allkeys-lfu", "volatile-random", "allkeys-random", "volatile-ttl", "noeviction",
	}
)

func check(a *Args) error {
	major, _, _ := strings.Cut(a.Version, ".")
	switch {
	case a.Engine != Redis && a.Engine != Valkey:
		return fmt.Errorf("%w: engine %q: redis and valkey are allowed", ErrArgs, a.Engine)
	case !versionForm.MatchString(a.Version):
		return fmt.Errorf("%w: version %q: want major and minor, like 7.1", ErrArgs, a.Version)
	case a.Engine == Redis && major != "7" || a.Engine == Valkey && major != "7" && major != "8":
		return fmt.Errorf("%w: version %q of %s: 7 of redis, 7 and 8 of valkey are supported", ErrArgs, a.Version, a.Engine)
	case a.Identifier != naming.Short(naming.Identifier(a.Identifier), idLimit):
		return fmt.Errorf("%w: identifier %q: did you mean %q?", ErrArgs, a.Identifier, naming.Short(naming.Identifier(a.Identifier), idLimit))
	case !nodeForm.MatchString(a.NodeType):
		return fmt.Errorf("%w: node type %q: want one like cache.t4g.micro", ErrArgs, a.NodeType)
	case a.Replicas < 0 || a.Replicas > 5:
		return fmt.Errorf("%w: %d replicas: 0 to 5 are allowed", ErrArgs, a.Replicas)
	case a.Replicas == 0 && !a.NoFailover:
		return fmt.Errorf("%w: no replica could take over from the primary: want at least 1, or NoFailover", ErrArgs)
	case !slices.Contains(evictions, a.Eviction):
		return fmt.Errorf("%w: eviction %q: allowed are %s", ErrArgs, a.Eviction, strings.Join(evictions, ", "))
	case a.SnapshotDays < 0 || a.SnapshotDays > 35:
		return fmt.Errorf("%w: snapshots for %d days: 0 to 35 are allowed", ErrArgs, a.SnapshotDays)
	case a.RecoveryDays != 0 && (a.RecoveryDays < 7 || a.RecoveryDays > 30):
		return fmt.Errorf("%w: recovery of the token within %d days: 0, or 7 to 30, are allowed", ErrArgs, a.RecoveryDays)
	}
	return nil
}
