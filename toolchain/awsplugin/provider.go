package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/hashicorp/terraform-provider-aws/xpprovider"
	pf "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/pf/tfbridge"
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	shimv2 "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfshim/sdk-v2"
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/x/muxer"
	"github.com/pulumi/pulumi-terraform-bridge/v3/unstable/metadata"
)

// version is the release of pulumi-aws whose tokens and properties the plugin has.
const version = "6.66.3"

// newProvider returns the bridged provider: upstream's schema, the tokens in tokens.txt and the overrides beside it.
func newProvider(ctx context.Context) (tfbridge.ProviderInfo, error) {
	framework, sdk, err := xpprovider.GetProvider(ctx)
	if err != nil {
		return tfbridge.ProviderInfo{}, fmt.Errorf("make the Terraform provider: %w", err)
	}
	info := tfbridge.ProviderInfo{
		P:              pf.MuxShimWithPF(ctx, shimv2.NewProvider(sdk), framework),
		Name:           "aws",
		ResourcePrefix: "aws",
		Version:        version,
		Config:         configOverrides(),
		MetadataInfo:   tfbridge.NewProviderMetadata([]byte(`{}`)),
		// The framework half would refuse values that only the SDK half understands (pulumi-aws issue 2880).
		SkipValidateProviderConfigForPluginFramework: true,
	}
	if info.Resources, info.DataSources, err = tokenTable(); err != nil {
		return info, err
	}
	if err := override(&info); err != nil {
		return info, err
	}
	setAutonames(&info)
	return info, dispatch(&info)
}

// dispatch records which half of the provider (plugin SDK or framework) serves which token. Pulumi's generator
// precomputes it; at start-up it costs milliseconds and needs no generated file.
func dispatch(info *tfbridge.ProviderInfo) error {
	mux, ok := info.P.(interface {
		ResolveDispatch(*tfbridge.ProviderInfo) (muxer.DispatchTable, error)
	})
	if !ok {
		return errors.New("the bridge does not mux both halves of the provider: its interface has changed")
	}
	table, err := mux.ResolveDispatch(info)
	if err != nil {
		return fmt.Errorf("dispatch tokens: %w", err)
	}
	if err := metadata.Set(info.GetMetadata(), "mux", table); err != nil {
		return fmt.Errorf("dispatch tokens: %w", err)
	}
	return nil
}
