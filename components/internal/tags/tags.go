// Package tags builds the tag maps of components.
package tags

import (
	"maps"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// Named returns tags plus Name, which the AWS console shows. Tags that every resource shares are the provider's default tags.
func Named(name string) pulumi.StringMap {
	return pulumi.StringMap{"Name": pulumi.String(name)}
}

// With returns shared plus Name, for resources that AWS creates on our behalf and that the provider's default tags do not
// reach: instances, volumes and network interfaces of an auto scaling group.
func With(shared map[string]string, name string) map[string]string {
	all := maps.Clone(shared)
	if all == nil {
		all = map[string]string{}
	}
	all["Name"] = name
	return all
}
