package main

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	shim "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfshim"
)

// TestConformance compares every bridged type with the Go SDK: the same properties by the same names, of the same
// types down to the last nested field, the same of them inputs, the same inputs required.
func TestConformance(t *testing.T) {
	info, err := newProvider(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	sdk := parseGoSDK(t)
	if sdk.version != version {
		t.Errorf("the plugin is %s, programs use the SDK %s", version, sdk.version)
	}
	t.Run("provider", func(t *testing.T) {
		want, ok := sdk.resources["pulumi:providers:aws"]
		if !ok {
			t.Fatal("not in the SDK")
		}
		got := bridged(info.P.Schema(), info.Config, func(_ string, s shim.Schema) bool { return s.Optional() || s.Required() })
		report(t, "provider", differences("", got, want.inputs))
	})
	for _, name := range slices.Sorted(maps.Keys(info.Resources)) {
		t.Run(name, func(t *testing.T) { conformResource(t, info, sdk, name) })
	}
	for _, name := range slices.Sorted(maps.Keys(info.DataSources)) {
		t.Run("data."+name, func(t *testing.T) { conformFunction(t, info, sdk, name) })
	}
}

// missing are properties that the Go SDK has and this plugin refuses, by type, with what their paths contain. The
// SDK is generated from a slightly newer Terraform provider, which Pulumi patches.
var missing = map[string][]string{
	"aws_cloudfront_distribution": {"grpcConfig"},
	"aws_cognito_user_pool":       {"emailMfaConfiguration", "signInPolicy", "userPoolTier", "webAuthnConfiguration"},
	"aws_db_instance":             {"name"}, // deprecated: pulumi-aws translates it to dbName
	"aws_rds_integration":         {"dataFilter"},
	"aws_s3_object_copy":          {"overrideProvider"},
	"aws_wafv2_rule_group":        {"Statement"}, // pulumi-aws nests statements deeper
	"aws_wafv2_web_acl":           {"Statement"},
	"data.aws_rds_certificate":    {"defaultForNewLaunches"},
	"data.aws_rds_engine_version": {
		"supportsCertificateRotationWithoutRestart", "supportsIntegrations", "supportsLocalWriteForwarding",
	},
	"data.aws_vpc_endpoint_service": {"serviceRegions", "region"},
}

// report fails for every difference that is not known, and for every known one that is no more.
func report(t *testing.T, name string, differences []string) {
	t.Helper()
	seen := map[string]bool{}
	for _, d := range differences {
		path, what, _ := strings.Cut(d, ": ")
		known := slices.IndexFunc(missing[name], func(part string) bool {
			return strings.HasSuffix(what, onlySDK) && strings.Contains(path[strings.LastIndex(path, ".")+1:], part)
		})
		if known < 0 {
			t.Error(d)
			continue
		}
		seen[missing[name][known]] = true
	}
	for _, part := range missing[name] {
		if !seen[part] {
			t.Errorf("%s is not missing any more", part)
		}
	}
}

func conformResource(t *testing.T, info tfbridge.ProviderInfo, sdk *goSDK, name string) {
	resource := info.Resources[name]
	upstream, ok := info.P.ResourcesMap().GetOk(name)
	if !ok {
		t.Fatal("the Terraform provider has no such resource")
	}
	want, ok := sdk.resources[string(resource.Tok)]
	if !ok {
		t.Fatalf("the SDK has no resource %s", resource.Tok)
	}
	fields, schemas := resource.Fields, upstream.Schema()
	isInput := func(name string, s shim.Schema) bool {
		return name != "id" && (s.Optional() || s.Required()) && !computedOnly(fields[name])
	}
	found := differences("in", bridged(schemas, fields, isInput), want.inputs)
	notID := func(name string, _ shim.Schema) bool { return name != "id" }
	report(t, name, append(found, differences("out", bridged(schemas, fields, notID), want.outputs)...))
	schemas.Range(func(name string, s shim.Schema) bool {
		if !isInput(name, s) {
			return true
		}
		property := tfbridge.TerraformToPulumiNameV2(name, schemas, fields)
		if got := s.Required() && !hasDefault(fields[name]); got != want.required[property] {
			t.Errorf("%s: required is %t, in the SDK %t", property, got, want.required[property])
		}
		return true
	})
}

func computedOnly(info *tfbridge.SchemaInfo) bool {
	return info != nil && info.MarkAsComputedOnly != nil && *info.MarkAsComputedOnly
}

func hasDefault(info *tfbridge.SchemaInfo) bool {
	return info != nil && (info.Default != nil || info.MarkAsOptional != nil && *info.MarkAsOptional)
}

func conformFunction(t *testing.T, info tfbridge.ProviderInfo, sdk *goSDK, name string) {
	function := info.DataSources[name]
	upstream, ok := info.P.DataSourcesMap().GetOk(name)
	if !ok {
		t.Fatal("the Terraform provider has no such data source")
	}
	want, ok := sdk.functions[string(function.Tok)]
	if !ok {
		t.Fatalf("the SDK has no function %s", function.Tok)
	}
	schemas := upstream.Schema()
	inputs := bridged(schemas, function.Fields, func(_ string, s shim.Schema) bool { return s.Optional() || s.Required() })
	found := differences("in", inputs, want.inputs)
	outputs := bridged(schemas, function.Fields, everything)
	outputs["id"] = scalar("string") // the bridge adds it
	report(t, "data."+name, append(found, differences("out", outputs, want.outputs)...))
}
