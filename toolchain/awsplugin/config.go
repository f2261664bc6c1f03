package main

import "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"

// configOverrides are the provider's own settings that pulumi-aws changes. The Go SDK sets the same defaults itself;
// they are here for default providers, whose settings come from the stack's configuration.
func configOverrides() map[string]*tfbridge.SchemaInfo {
	return map[string]*tfbridge.SchemaInfo{
		"region": {
			Default:               &tfbridge.DefaultInfo{EnvVars: []string{"AWS_REGION", "AWS_DEFAULT_REGION"}},
			ForcesProviderReplace: tfbridge.True(),
		},
		"skip_region_validation":      {Default: &tfbridge.DefaultInfo{Value: true}},
		"skip_credentials_validation": {Default: &tfbridge.DefaultInfo{Value: false}},
		"skip_metadata_api_check":     {Type: "boolean"}, // upstream: a string, to tell false from unset
		"assume_role":                 {Name: "assumeRole", MaxItemsOne: tfbridge.True()},
		"access_key":                  {Secret: tfbridge.True()},
		"secret_key":                  {Secret: tfbridge.True()},
		"token":                       {Secret: tfbridge.True()},
	}
}
