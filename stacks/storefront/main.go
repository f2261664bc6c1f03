// Command storefront is the Pulumi program of the stack: the shop and what it runs on.
package main

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"storefront/stacks/internal/settings"
)

func main() {
	pulumi.Run(func(ctx *pulumi.Context) error {
		s, err := settings.Load(ctx)
		if err != nil {
			return err
		}
		return deploy(ctx, s)
	})
}
