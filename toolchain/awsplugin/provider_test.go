package main

import (
	"context"
	"regexp"
	"strings"
	"testing"

	pf "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/pf/tfbridge"
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	shim "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfshim"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/protobuf/types/known/structpb"
)

// openServer returns the plugin's gRPC service, configured for an endpoint that nothing listens at.
func openServer(t *testing.T) pulumirpc.ResourceProviderServer {
	t.Helper()
	info, err := newProvider(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	server, err := pf.MakeMuxedServer(t.Context(), info.Name, info, []byte(`{"name":"aws"}`))(nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = server.Configure(t.Context(), &pulumirpc.ConfigureRequest{
		AcceptSecrets: true,
		Args: rpc(t, map[string]any{
			"region": "us-east-1", "accessKey": "a", "secretKey": "b", "skipCredentialsValidation": "true",
			"skipMetadataApiCheck": "true", "skipRequestingAccountId": "true", "s3UsePathStyle": "true",
			"endpoints":   `[{"sqs":"http://127.0.0.1:1"}]`,
			"defaultTags": `{"tags":{"project":"storefront"}}`,
		}),
	})
	if err != nil {
		t.Fatal(err)
	}
	return server
}

func rpc(t *testing.T, properties map[string]any) *structpb.Struct {
	t.Helper()
	s, err := plugin.MarshalProperties(resource.NewPropertyMapFromMap(properties), plugin.MarshalOptions{KeepUnknowns: true})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// check returns the inputs that the engine would store for a new resource named "shop", or what is wrong with them.
func check(t *testing.T, server pulumirpc.ResourceProviderServer, tok string, news map[string]any) (resource.PropertyMap, string) {
	t.Helper()
	response, err := server.Check(context.Background(), &pulumirpc.CheckRequest{
		Urn: "urn:pulumi:lab::storefront::" + tok + "::shop", News: rpc(t, news), RandomSeed: []byte("0123456789abcdef0123456789abcdef"),
	})
	if err != nil {
		return nil, err.Error()
	}
	var reasons []string
	for _, f := range response.Failures {
		reasons = append(reasons, f.Property+": "+f.Reason)
	}
	inputs, err := plugin.UnmarshalProperties(response.Inputs, plugin.MarshalOptions{KeepUnknowns: true, KeepSecrets: true})
	if err != nil {
		t.Fatal(err)
	}
	return inputs, strings.Join(reasons, "\n")
}

func TestAutomaticNames(t *testing.T) {
	server := openServer(t)
	long := strings.Repeat("x", 40)
	for _, c := range []struct {
		tok, property string
		args          map[string]any
		want          string // a regular expression; "" means no name at all
	}{
		{"aws:sqs/queue:Queue", "name", nil, `^shop-[0-9a-f]{7}$`},
		{"aws:sqs/queue:Queue", "name", map[string]any{"fifoQueue": true}, `^shop-[0-9a-f]{7}\.fifo$`},
		{"aws:sqs/queue:Queue", "name", map[string]any{"namePrefix": "p-"}, ``},
		{"aws:sqs/queue:Queue", "name", map[string]any{"name": "mine"}, `^mine$`},
		{"aws:s3/bucketV2:BucketV2", "bucket", nil, `^shop-[0-9a-f]{7}$`},
		{"aws:kms/alias:Alias", "name", map[string]any{"targetKeyId": "k"}, `^alias/shop-[0-9a-f]{7}$`},
		{"aws:lb/targetGroup:TargetGroup", "name", map[string]any{"port": 80, "protocol": "HTTP", "vpcId": "vpc-1"}, `^shop-[0-9a-f]{7}$`},
		{"aws:s3/bucketObjectv2:BucketObjectv2", "key", map[string]any{"bucket": "b", "content": "c"}, `^shop$`},
		{"aws:ec2/vpc:Vpc", "name", map[string]any{"cidrBlock": "10.0.0.0/16"}, ``},
	} {
		inputs, wrong := check(t, server, c.tok, c.args)
		if wrong != "" {
			t.Errorf("%s %v: %s", c.tok, c.args, wrong)
			continue
		}
		got := ""
		if v := inputs[resource.PropertyKey(c.property)]; v.IsString() {
			got = v.StringValue()
		}
		if c.want == "" && got != "" || !regexp.MustCompile(c.want).MatchString(got) {
			t.Errorf("%s %v: %s is %q, want %q", c.tok, c.args, c.property, got, c.want)
		}
	}
	if _, wrong := check(t, server, "aws:lb/loadBalancer:LoadBalancer", map[string]any{"name": long}); wrong == "" {
		t.Error("a load balancer's name of 40 characters is accepted")
	}
}

func TestRefusals(t *testing.T) {
	server := openServer(t)
	for _, c := range []struct {
		tok  string
		args map[string]any
		want string
	}{
		{"aws:sqs/queue:Queue", map[string]any{"colour": "blue"}, "colour"},
		{"aws:ec2/vpc:Vpc", map[string]any{"cidrBlock": "10.0.0.0/99"}, "cidrBlock"},
		{"aws:iam/rolePolicyAttachment:RolePolicyAttachment", map[string]any{"role": "r"}, "policyArn"},
		{"aws:nothing/here:Here", map[string]any{}, "aws:nothing/here:Here"},
	} {
		if _, wrong := check(t, server, c.tok, c.args); !strings.Contains(wrong, c.want) {
			t.Errorf("%s %v: %q does not name %q", c.tok, c.args, wrong, c.want)
		}
	}
}

func TestPolicyDocumentAsObject(t *testing.T) {
	inputs, wrong := check(t, openServer(t), "aws:iam/policy:Policy", map[string]any{
		"policy": map[string]any{"Version": "2012-10-17", "Statement": []any{}},
	})
	if got := inputs["policy"]; wrong != "" || !got.IsString() || got.StringValue() != `{"Statement":[],"Version":"2012-10-17"}` {
		t.Errorf("%v %s", got, wrong)
	}
}

// TestDefaultTags previews a creation: the provider's tags and the resource's own are there together.
func TestDefaultTags(t *testing.T) {
	server := openServer(t)
	const tok = "aws:sqs/queue:Queue"
	inputs, wrong := check(t, server, tok, map[string]any{"tags": map[string]any{"tier": "web"}})
	if wrong != "" {
		t.Fatal(wrong)
	}
	properties, err := plugin.MarshalProperties(inputs, plugin.MarshalOptions{KeepUnknowns: true})
	if err != nil {
		t.Fatal(err)
	}
	created, err := server.Create(t.Context(), &pulumirpc.CreateRequest{
		Urn: "urn:pulumi:lab::storefront::" + tok + "::shop", Properties: properties, Preview: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	all := created.Properties.Fields["tagsAll"].GetStructValue().AsMap()
	if all["project"] != "storefront" || all["tier"] != "web" {
		t.Errorf("tagsAll is %v", all)
	}
}

// TestOverridesExist finds overrides of fields that upstream has renamed or dropped.
func TestOverridesExist(t *testing.T) {
	info, err := newProvider(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for name, resource := range info.Resources {
		overridesExist(t, name, resource.Fields, info.P.ResourcesMap().Get(name).Schema())
	}
	for name, function := range info.DataSources {
		overridesExist(t, "data."+name, function.Fields, info.P.DataSourcesMap().Get(name).Schema())
	}
}

func overridesExist(t *testing.T, path string, of map[string]*tfbridge.SchemaInfo, schemas shim.SchemaMap) {
	t.Helper()
	for name, field := range of {
		schema, ok := schemas.GetOk(name)
		if !ok {
			t.Errorf("%s has no %s", path, name)
			continue
		}
		if field.Elem == nil {
			continue
		}
		block, ok := schema.Elem().(shim.Resource)
		if !ok {
			t.Errorf("%s.%s is no block", path, name)
			continue
		}
		overridesExist(t, path+"."+name, field.Elem.Fields, block.Schema())
	}
}

// TestIdentities finds the resources that have no ID upstream, and no override that computes one: they end the plugin
// as soon as they are made.
func TestIdentities(t *testing.T) {
	info, err := newProvider(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	mux, ok := info.P.(interface{ ResourceIsPF(string) bool })
	if !ok {
		t.Fatal("the bridge does not say any more which half of the provider has a resource")
	}
	for name, bridged := range info.Resources {
		if !mux.ResourceIsPF(name) {
			continue // the plugin SDK gives every resource an ID
		}
		upstream, has := info.P.ResourcesMap().Get(name).Schema().GetOk("id")
		switch plain := has && upstream.Computed() && upstream.Type() == shim.TypeString; {
		case plain && bridged.ComputeID != nil:
			t.Errorf("%s: an override computes its ID, and upstream has one", name)
		case plain:
		case bridged.ComputeID == nil:
			t.Errorf("%s: upstream has no ID, and no override computes one", name)
		default:
			id, err := bridged.ComputeID(t.Context(), everyProperty(info.P.ResourcesMap().Get(name).Schema()))
			if err != nil || !regexp.MustCompile(`^x([,:]x)?$`).MatchString(string(id)) {
				t.Errorf("%s: its ID is %q, %v", name, id, err)
			}
		}
	}
}

// everyProperty sets what a resource has.
func everyProperty(schemas shim.SchemaMap) resource.PropertyMap {
	all := resource.PropertyMap{}
	schemas.Range(func(name string, _ shim.Schema) bool {
		all[resource.PropertyKey(tfbridge.TerraformToPulumiNameV2(name, schemas, nil))] = resource.NewProperty("x")
		return true
	})
	return all
}
