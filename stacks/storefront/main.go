// Command storefront is the Pulumi program of the stack: the shop and what it runs on.
package main

import (
	"os"

	"github.com/pulumi/pulumi/sdk/v3/go/common/constant"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"storefront/stacks/internal/administration"
	"storefront/stacks/internal/settings"
)

func main() {
	pulumi.Run(func(ctx *pulumi.Context) error {
		s, err := settings.Load(ctx)
		if err != nil {
			// Nothing is declared yet. Said here it is one line; returned, Pulumi would make three of it.
			if ctx.Log.Error(err.Error(), nil) == nil {
				os.Exit(constant.ExitStatusLoggedError)
			}
			return err
		}
		return deploy(ctx, s, administration.FirewallManager)
	})
}
