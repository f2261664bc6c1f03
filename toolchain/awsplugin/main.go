// Command pulumi-resource-aws is Pulumi's aws plugin, built from Go modules only: the Terraform AWS provider, cut down
// to the services that this project uses, under the Pulumi Terraform bridge with the tokens of pulumi-aws v6.
//
// The environment variable STOREFRONT_WAIT_SCALE (0 to 1, unset: 1) shortens the provider's fixed pauses, for use
// against the lab only; see storefront/toolchain/internal/upstream, which edits it in.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	pf "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/pf/tfbridge"
)

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "pulumi-resource-aws:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	info, err := newProvider(ctx)
	if err != nil {
		return err
	}
	// Programs in Go carry their types in the SDK; the engine itself asks for no more than name and version.
	schema, err := json.Marshal(map[string]string{"name": info.Name, "version": info.Version})
	if err != nil {
		return fmt.Errorf("describe the package: %w", err)
	}
	pf.MainWithMuxer(ctx, info.Name, info, schema)
	return nil
}
