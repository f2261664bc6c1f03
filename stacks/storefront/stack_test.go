package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"gopkg.in/yaml.v3"

	"storefront/stacks/internal/settings"
)

// cloud is a mocked AWS that gives every resource what any resource may have.
type cloud struct {
	mu        sync.Mutex
	resources []pulumi.MockResourceArgs
}

func (c *cloud) Call(args pulumi.MockCallArgs) (resource.PropertyMap, error) {
	if args.Provider == "" {
		return nil, fmt.Errorf("%s names no provider", args.Token)
	}
	answer := map[string]any{"accountId": "123456789012", "value": "ami-0123456789abcdef0"}
	return resource.NewPropertyMapFromMap(answer), nil
}

func (c *cloud) NewResource(args pulumi.MockResourceArgs) (string, resource.PropertyMap, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.resources = append(c.resources, args)
	const secret = "arn:aws:secretsmanager:us-east-1:123456789012:secret:rds!cluster-1-AbCdEf"
	out := resource.NewPropertyMapFromMap(map[string]any{
		"arn": "arn:aws:any:us-east-1:123456789012:thing/" + args.Name, "name": args.Name, "bucket": args.Name + "-1",
		"dnsName": "lb.example", "zoneId": "Z1", "arnSuffix": "suffix/1", "latestVersion": 1.0, "keyId": "key-1",
		"endpoint": "writer.example", "readerEndpoint": "reader.example", "masterUserSecrets": []any{map[string]any{"secretArn": secret}},
	})
	maps.Copy(out, args.Inputs)
	return args.Name + "-id", out, nil
}

// up deploys the stack with the files that it names by default.
func up(t *testing.T, values map[string]string) *cloud {
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
	s, err := settings.Parse(values, dir)
	if err != nil {
		t.Fatal(err)
	}
	c := &cloud{}
	if err := pulumi.RunErr(func(ctx *pulumi.Context) error { return deploy(ctx, s) }, pulumi.WithMocks("storefront", "test", c)); err != nil {
		t.Fatal(err)
	}
	return c
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
		if aws < 75 {
			t.Errorf("%s: %d resources: is that the whole stack?", profile, aws)
		}
	}
}

func TestProfilesFlipCostAgainstSafety(t *testing.T) {
	for profile, want := range map[string]struct {
		gateways, instances, scaling int
		protected                    bool
	}{
		"lab": {1, 2, 0, false}, "dev": {1, 2, 0, false}, "prod": {3, 3, 1, true},
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
	want := []string{"appautoscaling", "autoscaling", "cloudwatch", "ec2", "elbv2", "iam", "kms", "logs", "rds", "s3", "secretsmanager", "ssm", "sts"}
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
