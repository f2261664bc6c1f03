package main

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
)

// protections are the properties by which AWS is told to refuse a deletion.
var protections = []string{"deletionProtection", "enableDeletionProtection"}

// mayDestroy refuses before anything is destroyed when AWS would refuse in the middle of it: with the fleets gone and the database there.
func (w *workspace) mayDestroy(ctx context.Context) error {
	export, err := w.pulumi(ctx, "stack", "export", "--stack", w.stack).Output()
	if err != nil {
		return fmt.Errorf("reading the stack's state: %w", err)
	}
	names, err := protected(export)
	if err != nil || len(names) == 0 {
		return err
	}
	settings := filepath.Join("stacks", "storefront", "Pulumi."+w.stack+".yaml")
	return fmt.Errorf("the stack %s is protected (%s), and nothing was destroyed: set `storefront:protect: false` in %s, run `make up`, then `make down` (both with STACK=%s)",
		w.stack, strings.Join(names, ", "), settings, w.stack)
}

// protected names the resources of an exported state that have deletion protection.
func protected(export []byte) (names []string, err error) {
	var state struct {
		Deployment apitype.DeploymentV3 `json:"deployment"`
	}
	if err := json.Unmarshal(export, &state); err != nil {
		return nil, fmt.Errorf("reading the stack's state: %w", err)
	}
	for _, r := range state.Deployment.Resources {
		if slices.ContainsFunc(protections, func(p string) bool { return r.Outputs[p] == true }) {
			names = append(names, r.URN.Name())
		}
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}
