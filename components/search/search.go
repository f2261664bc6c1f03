// Package search makes an Elasticsearch or OpenSearch domain in a VPC, spread over its zones: encrypted at rest with the caller's
// key and between the nodes, HTTPS with TLS 1.2 or newer alone, open to the roles that are named and to no user with a password,
// with its logs and alarms.
//
// Left out: UltraWarm and cold storage, SAML and Cognito, custom endpoints, VPC endpoints of other accounts, Auto-Tune
// schedules, snapshots of one's own, and the roles and indices inside the domain, which belong to its master role.
package search

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"storefront/components/internal/naming"
	"storefront/components/internal/securitygroup"
)

// Type is the component's type token.
const Type = "storefront:search:Domain"

// ErrArgs says that the arguments cannot make a domain; the text tells which and why.
var ErrArgs = errors.New("search arguments")

// Engine is a search engine.
type Engine string

// Engines. A domain cannot change from one to the other.
const (
	Elasticsearch Engine = "elasticsearch"
	OpenSearch    Engine = "opensearch"
)

// Port is where domains listen: HTTPS.
const Port = 443

const nameLimit = 28 // of a domain, in characters

// Args describe a domain.
type Args struct {
	Name      string // the domain's, unique in account and region: 3 to 28 lower case letters, digits and single hyphens, a letter first
	Region    string
	AccountID pulumi.StringInput
	VpcID     pulumi.StringInput
	SubnetIDs []pulumi.StringInput // one in each zone that the domain is spread over, 1 to 3
	KeyARN    pulumi.StringInput   // KMS key for data
	LogKeyARN pulumi.StringInput   // KMS key for the logs; nil means KeyARN

	Engine  Engine // empty means Elasticsearch
	Version string // "7.10" of Elasticsearch, "2.17" of OpenSearch

	InstanceType string // of the data nodes, without the engine: "r6g.large"
	Nodes        int    // data nodes, a multiple of the zones
	MasterType   string // of the three dedicated masters; empty means none, data nodes elect one of themselves
	VolumeGiB    int    // of each data node, gp3, 10 to 16384; 0 means 10

	// MasterRoleARN may do everything inside the domain (fine-grained access control). It must be among RoleARNs.
	MasterRoleARN pulumi.StringInput
	RoleARNs      []pulumi.StringInput // who may send requests at all; what each may do, its own policy says: GrantRead, GrantReadWrite

	// RoleExists says that the account has the service-linked role already, which is one per account: the first domain in a VPC makes
	// it, all others find it.
	RoleExists bool
	// LogPolicy is the Logs policy of another domain, which covers this one's logs too. Nil makes it; a region has room for ten.
	LogPolicy pulumi.Resource
	LogDays   int // 0 means 30

	AlarmActions []pulumi.StringInput // topics that alarms are told to; empty leaves the alarms out
}

// Domain is a search domain.
type Domain struct {
	pulumi.ResourceState

	ARN             pulumi.StringOutput `pulumi:"arn"`
	Name            pulumi.StringOutput `pulumi:"name"`
	Endpoint        pulumi.StringOutput `pulumi:"endpoint"` // host name
	URL             pulumi.StringOutput `pulumi:"url"`      // https://endpoint
	SecurityGroupID pulumi.IDOutput     `pulumi:"securityGroupId"`
	LogPolicy       pulumi.Resource     // for the Args of the next domain

	name  string
	args  Args
	group *ec2.SecurityGroup
}

// New makes a domain. Errors of arguments are ErrArgs.
func New(ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption) (*Domain, error) {
	a := *args
	if a.Engine == "" {
		a.Engine = Elasticsearch
	}
	a.VolumeGiB, a.LogDays, a.LogKeyARN = cmp.Or(a.VolumeGiB, 10), cmp.Or(a.LogDays, 30), cmp.Or(a.LogKeyARN, a.KeyARN)
	if err := check(&a); err != nil {
		return nil, fmt.Errorf("search domain %s: %w", name, err)
	}
	d := &Domain{name: name, args: a}
	if err := ctx.RegisterComponentResource(Type, name, d, opts...); err != nil {
		return nil, err
	}
	child := pulumi.Parent(d)
	var err error
	if d.group, err = securitygroup.New(ctx, name, "Search domain "+name, a.VpcID, child); err != nil {
		return nil, err
	}
	logs, err := d.makeLogs(ctx, child)
	if err != nil {
		return nil, err
	}
	before := []pulumi.Resource{d.LogPolicy} // AWS tries to write before it accepts a log group
	role, err := d.makeRole(ctx, child)
	if err != nil {
		return nil, err
	}
	if role != nil {
		before = append(before, role)
	}
	made, err := d.makeDomain(ctx, logs, child, pulumi.DependsOn(before))
	if err != nil {
		return nil, err
	}
	if err := d.makeAlarms(ctx, child); err != nil {
		return nil, err
	}
	d.ARN, d.Name, d.Endpoint, d.SecurityGroupID = made.arn, made.name, made.endpoint, d.group.ID()
	d.URL = pulumi.Sprintf("https://%s", d.Endpoint)
	return d, ctx.RegisterResourceOutputs(d, pulumi.Map{
		"arn": d.ARN, "name": d.Name, "endpoint": d.Endpoint, "url": d.URL, "securityGroupId": d.SecurityGroupID,
	})
}

var (
	versionForm = regexp.MustCompile(`^[1-9]\.[0-9]{1,2}$`)
	typeForm    = regexp.MustCompile(`^[a-z][a-z0-9]+\.[a-z0-9]+$`)
)

func check(a *Args) error {
	zones, name := len(a.SubnetIDs), naming.Short(naming.Identifier(a.Name), nameLimit)
	switch {
	case a.Engine != Elasticsearch && a.Engine != OpenSearch:
		return fmt.Errorf("%w: engine %q: elasticsearch and opensearch are allowed", ErrArgs, a.Engine)
	case !versionForm.MatchString(a.Version):
		return fmt.Errorf("%w: version %q: want major and minor, like 7.10", ErrArgs, a.Version)
	case a.Name != name || len(a.Name) < 3:
		return fmt.Errorf("%w: name %q: did you mean %q? 3 to 28 characters are allowed", ErrArgs, a.Name, name)
	case zones < 1 || zones > 3:
		return fmt.Errorf("%w: %d subnets: 1 to 3 are allowed, each in a zone of its own", ErrArgs, zones)
	case a.Nodes < 1 || a.Nodes > 80 || a.Nodes%zones != 0:
		return fmt.Errorf("%w: %d data nodes in %d zones: want a multiple of the zones, at most 80", ErrArgs, a.Nodes, zones)
	case !typeForm.MatchString(a.InstanceType) || a.MasterType != "" && !typeForm.MatchString(a.MasterType):
		return fmt.Errorf("%w: instance types %q and %q: want them without the engine, like t3.small", ErrArgs, a.InstanceType, a.MasterType)
	case strings.HasPrefix(a.InstanceType, "t2."):
		return fmt.Errorf("%w: instance type %q cannot encrypt its data", ErrArgs, a.InstanceType)
	case a.VolumeGiB < 10 || a.VolumeGiB > 16384:
		return fmt.Errorf("%w: volumes of %d GiB: 10 to 16384 are allowed", ErrArgs, a.VolumeGiB)
	case a.MasterRoleARN == nil || len(a.RoleARNs) == 0:
		return fmt.Errorf("%w: no role may use the domain: want a master role and those that send requests", ErrArgs)
	}
	return nil
}

// makeRole makes the role with which the service puts its network interfaces into the VPC ("Using service-linked roles").
func (d *Domain) makeRole(ctx *pulumi.Context, child pulumi.ResourceOption) (pulumi.Resource, error) {
	if d.args.RoleExists {
		return nil, nil
	}
	service := "es.amazonaws.com"
	if d.args.Engine == OpenSearch {
		service = "opensearchservice.amazonaws.com"
	}
	role, err := iam.NewServiceLinkedRole(ctx, d.name, &iam.ServiceLinkedRoleArgs{AwsServiceName: pulumi.String(service)}, child)
	if err != nil {
		return nil, fmt.Errorf("creating the service-linked role: %w", err)
	}
	return role, nil
}
