package main

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"gopkg.in/yaml.v3"

	"storefront/internal/golden"
	"storefront/stacks/internal/settings"
)

// drawn is what the mocked AWS draws at random: every secret of the stack is made of it.
const drawn = "Drawn0123456789"

// cloud is a mocked AWS that gives every resource what any resource may have.
type cloud struct {
	mu            sync.Mutex
	resources     []pulumi.MockResourceArgs
	administrator bool // of Firewall Manager
	asked         string
	held          chan struct{} // if not nil, nothing is made until it is closed
}

func (c *cloud) administers(_ context.Context, region, endpoint string) (bool, error) {
	c.asked = region + " " + endpoint
	return c.administrator, nil
}

func (c *cloud) Call(args pulumi.MockCallArgs) (resource.PropertyMap, error) {
	if args.Provider == "" {
		return nil, fmt.Errorf("%s names no provider", args.Token)
	}
	answer := map[string]any{"accountId": "123456789012", "value": "ami-0123456789abcdef0", "randomPassword": drawn}
	return resource.NewPropertyMapFromMap(answer), nil
}

func (c *cloud) NewResource(args pulumi.MockResourceArgs) (string, resource.PropertyMap, error) {
	if c.held != nil && strings.HasPrefix(args.TypeToken, "aws:") {
		<-c.held
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.resources = append(c.resources, args)
	const secret = "arn:aws:secretsmanager:us-east-1:123456789012:secret:rds!cluster-1-AbCdEf"
	out := resource.NewPropertyMapFromMap(map[string]any{
		"arn": "arn:aws:any:us-east-1:123456789012:" + args.TypeToken + "/" + args.Name, "name": args.Name, "bucket": args.Name + "-1",
		"dnsName": "lb.example", "zoneId": "Z1", "arnSuffix": "suffix/1", "latestVersion": 1.0, "keyId": "key-1",
		"endpoint": "writer.example", "readerEndpoint": "reader.example", "url": "https://sqs.example/1/" + args.Name,
		"primaryEndpointAddress": "primary.example", "readerEndpointAddress": "replica.example", "masterUserSecrets": []any{map[string]any{"secretArn": secret}},
	})
	maps.Copy(out, args.Inputs)
	return args.Name + "-id", out, nil
}

// up deploys the stack with the files that it names by default.
func up(t *testing.T, values map[string]string) *cloud {
	t.Helper()
	c := &cloud{}
	c.up(t, values)
	return c
}

func (c *cloud) up(t *testing.T, values map[string]string) {
	t.Helper()
	s := parse(t, values)
	if err := pulumi.RunErr(func(ctx *pulumi.Context) error { return deploy(ctx, s, c.administers) }, pulumi.WithMocks("storefront", "test", c)); err != nil {
		t.Fatal(err)
	}
}

// parse makes settings, and the files that they name by default.
func parse(t *testing.T, values map[string]string) settings.Settings {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"bin/shopd", "certificates/rds.pem"} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if values["profile"] == "prod" {
		values = maps.Clone(values)
		values["certificateArn"] = "arn:aws:acm:us-east-1:123456789012:certificate/11111111-2222-3333-4444-555555555555"
	}
	s, err := settings.Parse(values, dir)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestProgramWaitsForNothing holds every resource back until the whole stack is declared: a program that looks into an output, to see whether it is a
// secret for example, waits for it, and then nothing that it declares later is made meanwhile.
func TestProgramWaitsForNothing(t *testing.T) {
	c, s := &cloud{held: make(chan struct{})}, parse(t, map[string]string{"profile": "prod"})
	err := pulumi.RunErr(func(ctx *pulumi.Context) error {
		declared := make(chan error, 1)
		go func() { declared <- deploy(ctx, s, c.administers) }()
		defer close(c.held)
		select {
		case err := <-declared:
			return err
		case <-time.After(10 * time.Second):
			return errors.New("the program waits for resources")
		}
	}, pulumi.WithMocks("storefront", "test", c))
	if err != nil {
		t.Fatal(err)
	}
}

func (c *cloud) count(token string) int {
	n := 0
	for _, r := range c.resources {
		if r.TypeToken == token {
			n++
		}
	}
	return n
}

func (c *cloud) one(t *testing.T, token string) pulumi.MockResourceArgs {
	t.Helper()
	for _, r := range c.resources {
		if r.TypeToken == token {
			return r
		}
	}
	t.Fatalf("no %s", token)
	return pulumi.MockResourceArgs{}
}

func (c *cloud) named(t *testing.T, token, name string) pulumi.MockResourceArgs {
	t.Helper()
	for _, r := range c.resources {
		if r.TypeToken == token && r.Name == name {
			return r
		}
	}
	t.Fatalf("no %s %s", token, name)
	return pulumi.MockResourceArgs{}
}

// suffixes returns what follows a prefix in the names of a type's resources, sorted.
func (c *cloud) suffixes(token, prefix string) []string {
	var found []string
	for _, r := range c.resources {
		if suffix, ok := strings.CutPrefix(r.Name, prefix); ok && r.TypeToken == token {
			found = append(found, suffix)
		}
	}
	slices.Sort(found)
	return found
}

// A resource without our provider would go to whatever AWS account is around.
func TestEveryResourceNamesTheProvider(t *testing.T) {
	for _, profile := range []string{"lab", "dev", "prod"} {
		c := up(t, map[string]string{"profile": profile})
		aws := 0
		for _, r := range c.resources {
			if !strings.HasPrefix(r.TypeToken, "aws:") {
				continue
			}
			aws++
			if !strings.Contains(r.Provider, "pulumi:providers:aws::aws") {
				t.Errorf("%s: %s %s has the provider %q", profile, r.TypeToken, r.Name, r.Provider)
			}
		}
		if aws < 150 {
			t.Errorf("%s: %d resources: is that the whole stack?", profile, aws)
		}
	}
}

func TestProfilesFlipCostAgainstSafety(t *testing.T) {
	for profile, want := range map[string]struct {
		gateways, instances, scaling, caches, nodes, recovery int
		masters, protected                                    bool
	}{
		"lab": {1, 2, 0, 2, 2, 0, false, false}, "dev": {1, 2, 0, 2, 2, 0, false, false}, "prod": {3, 3, 1, 3, 3, 30, true, true},
	} {
		c := up(t, map[string]string{"profile": profile})
		if got := c.count("aws:ec2/natGateway:NatGateway"); got != want.gateways {
			t.Errorf("%s: %d NAT gateways, want %d", profile, got, want.gateways)
		}
		if got := c.count("aws:rds/clusterInstance:ClusterInstance"); got != want.instances {
			t.Errorf("%s: %d database instances, want %d", profile, got, want.instances)
		}
		if got := c.count("aws:appautoscaling/target:Target"); got != want.scaling {
			t.Errorf("%s: %d scaling targets, want %d", profile, got, want.scaling)
		}
		db, balancer := c.one(t, "aws:rds/cluster:Cluster").Inputs, c.one(t, "aws:lb/loadBalancer:LoadBalancer").Inputs
		if db["deletionProtection"].BoolValue() != want.protected || db["skipFinalSnapshot"].BoolValue() == want.protected ||
			balancer["enableDeletionProtection"].BoolValue() != want.protected {
			t.Errorf("%s: protection is not %v: %v, %v", profile, want.protected, db, balancer)
		}
		cache, secret := c.one(t, "aws:elasticache/replicationGroup:ReplicationGroup").Inputs, c.one(t, "aws:secretsmanager/secret:Secret").Inputs
		if cache["numCacheClusters"].NumberValue() != float64(want.caches) || !cache["multiAzEnabled"].BoolValue() || !cache["automaticFailoverEnabled"].BoolValue() {
			t.Errorf("%s: cache %v", profile, cache)
		}
		if secret["recoveryWindowInDays"].NumberValue() != float64(want.recovery) {
			t.Errorf("%s: secret %v", profile, secret)
		}
		nodes := c.one(t, "aws:elasticsearch/domain:Domain").Inputs["clusterConfig"].ObjectValue()
		if nodes["instanceCount"].NumberValue() != float64(want.nodes) || nodes["dedicatedMasterEnabled"].BoolValue() != want.masters {
			t.Errorf("%s: search domain %v", profile, nodes)
		}
	}
}

// A URN that changes is a resource that users lose and get anew.
func TestURNs(t *testing.T) {
	c := up(t, map[string]string{"profile": "lab"})
	var urns []string
	for _, r := range c.resources {
		if strings.HasPrefix(r.TypeToken, "pulumi:") {
			continue
		}
		chain := ""
		if p := resource.URN(r.RegisterRPC.GetParent()); p.IsValid() && p.Type() != resource.RootStackType {
			chain = string(p.QualifiedType()) + "$"
		}
		urns = append(urns, chain+r.TypeToken+"::"+r.Name)
	}
	golden.Compare(t, "testdata/urns.txt", strings.Join(slices.Sorted(slices.Values(urns)), "\n")+"\n")
}

// Each role of the shop is told what it needs, and its servers may do no more.
func TestFleets(t *testing.T) {
	c := up(t, map[string]string{"profile": "lab"})
	common := []string{"AWS_REGION", "SHOP_DB_CA", "SHOP_DB_NAME", "SHOP_DB_SECRET_ARN", "SHOP_DB_WRITER", "SHOP_LISTEN", "SHOP_QUEUE_URL"}
	for fleet, want := range map[string]struct {
		command             string
		environment, grants []string
		reaches             []string
	}{
		"product": {
			"shopd product order", []string{"SHOP_CACHE", "SHOP_CACHE_SECRET_ARN", "SHOP_DB_READER", "SHOP_ORDER_SECRET_ARN"},
			[]string{"artifacts", "cache", "database", "instance", "order-key", "queue"}, []string{"aws", "cache", "database"},
		},
		"summary": {
			"shopd summary", []string{"SHOP_SEARCH"}, []string{"artifacts", "database", "instance", "queue", "search"}, []string{"aws", "database", "search"},
		},
	} {
		name := "storefront-test-" + fleet
		script, err := base64.StdEncoding.DecodeString(c.named(t, "aws:ec2/launchTemplate:LaunchTemplate", name).Inputs["userData"].StringValue())
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(script), "ExecStart=/opt/shop/"+want.command+"\n") {
			t.Errorf("%s does not run %q:\n%s", fleet, want.command, script)
		}
		var variables []string
		for _, m := range regexp.MustCompile(`(?m)^([A-Z_]+)=`).FindAllSubmatch(script, -1) {
			variables = append(variables, string(m[1]))
		}
		if diff := cmp.Diff(slices.Sorted(slices.Values(append(want.environment, common...))), variables); diff != "" {
			t.Errorf("environment of %s (-want +got):\n%s", fleet, diff)
		}
		if diff := cmp.Diff(want.grants, c.suffixes("aws:iam/rolePolicy:RolePolicy", name+"-")); diff != "" {
			t.Errorf("grants of %s (-want +got):\n%s", fleet, diff)
		}
		if diff := cmp.Diff(want.reaches, c.suffixes("aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule", name+"-to-")); diff != "" {
			t.Errorf("%s reaches (-want +got):\n%s", fleet, diff)
		}
	}
}

// Another endpoint is the only thing that makes a provider other than AWS's own.
func TestEndpoint(t *testing.T) {
	p := up(t, map[string]string{"profile": "dev"}).one(t, "pulumi:providers:aws").Inputs
	if p["skipCredentialsValidation"].IsBool() && p["skipCredentialsValidation"].BoolValue() {
		t.Error("credentials are not validated")
	}
	for _, key := range []resource.PropertyKey{"endpoints", "s3UsePathStyle", "accessKey", "secretKey"} {
		if v, ok := p[key]; ok {
			t.Errorf("%s is set for AWS: %v", key, v)
		}
	}
	const at = "http://127.0.0.1:4566"
	p = up(t, map[string]string{"profile": "lab", "endpoint": at}).one(t, "pulumi:providers:aws").Inputs
	endpoints := p["endpoints"].ArrayValue()[0].ObjectValue().Mappable()
	want := []string{
		"acm", "appautoscaling", "autoscaling", "backup", "cloudtrail", "cloudwatch", "ec2", "elasticache", "elasticsearch", "elbv2", "fms", "iam", "kms", "logs", "opensearch",
		"rds", "s3", "secretsmanager", "sns", "sqs", "ssm", "sts", "wafv2",
	}
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(endpoints))); diff != "" {
		t.Errorf("services (-want +got):\n%s", diff)
	}
	for service, url := range endpoints {
		if url != at {
			t.Errorf("%s is at %s", service, url)
		}
	}
}

// The committed configurations are read as they are, and default providers are off.
func TestCommittedConfiguration(t *testing.T) {
	read := func(path string, into any) {
		t.Helper()
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := yaml.Unmarshal(b, into); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"lab", "dev", "prod"} {
		var file struct{ Config map[string]string }
		read("Pulumi."+name+".yaml", &file)
		values := map[string]string{}
		for key, value := range file.Config {
			values[strings.TrimPrefix(key, "storefront:")] = value
		}
		c := up(t, values)
		if got := values["profile"]; got != name {
			t.Errorf("stack %s has the profile %s", name, got)
		}
		if _, local := c.one(t, "pulumi:providers:aws").Inputs["endpoints"]; local != (name == "lab") {
			t.Errorf("stack %s: an endpoint of its own: %v", name, local)
		}
	}
	var project struct {
		Config map[string][]string
	}
	read("../../Pulumi.yaml", &project)
	if diff := cmp.Diff([]string{"*"}, project.Config["pulumi:disable-default-providers"]); diff != "" {
		t.Errorf("default providers are not off: %s", diff)
	}
}
