package main

import (
	"context"
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

// InstallDependencies downloads the program's modules. Pulumi's own host runs `go mod tidy`; this one never edits
// go.mod: it belongs to the user, and in a repository of many packages tidying drops what others still need.
func (h *host) InstallDependencies(
	r *pulumirpc.InstallDependenciesRequest, server pulumirpc.LanguageRuntime_InstallDependenciesServer,
) error {
	ctx, done := h.during(server.Context())
	defer done()
	closer, stdout, stderr, err := rpcutil.MakeInstallDependenciesStreams(server, r.GetIsTerminal())
	if err != nil {
		return fmt.Errorf("stream the Go tool's output: %w", err)
	}
	dir := r.GetInfo().GetProgramDirectory()
	if dir == "" {
		dir = r.GetDirectory()
	}
	if err := runGo(ctx, dir, stdout, stderr, "mod", "download"); err != nil {
		closer.Close() //nolint:errcheck // the first error matters
		return err
	}
	return closer.Close()
}

// GetProgramDependencies lists the modules that the program requires, all of them when transitive ones are asked for.
func (h *host) GetProgramDependencies(
	ctx context.Context, r *pulumirpc.GetProgramDependenciesRequest,
) (*pulumirpc.GetProgramDependenciesResponse, error) {
	all, err := modules(ctx, r.GetInfo().GetProgramDirectory())
	if err != nil {
		return nil, err
	}
	response := &pulumirpc.GetProgramDependenciesResponse{}
	for _, m := range all {
		if m.Main || m.Indirect && !r.GetTransitiveDependencies() {
			continue
		}
		version := m.Version
		if m.Replace != nil && m.Replace.Version != "" {
			version = m.Replace.Version
		}
		response.Dependencies = append(response.Dependencies, &pulumirpc.DependencyInfo{Name: m.Path, Version: version})
	}
	return response, nil
}
