package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

// pluginFile is how a Pulumi SDK module names the plugin that it drives.
const pluginFile = "pulumi-plugin.json"

// module is one entry of `go list -m -json`.
type module struct {
	Path, Version, Dir string
	Main, Indirect     bool
	Replace            *module
}

// modules lists the modules that the program in dir is built from.
func modules(ctx context.Context, dir string) ([]module, error) {
	out, err := goOutput(ctx, dir, "list", "-m", "-json=Path,Version,Dir,Main,Indirect,Replace", "all")
	if err != nil {
		return nil, err
	}
	var found []module
	for decoder := json.NewDecoder(strings.NewReader(string(out))); ; {
		var m module
		if err := decoder.Decode(&m); errors.Is(err, io.EOF) {
			return found, nil
		} else if err != nil {
			return nil, fmt.Errorf("read the list of modules: %w", err)
		}
		found = append(found, m)
	}
}

// GetRequiredPackages names the plugins behind the Pulumi SDKs that the program's module requires.
func (h *host) GetRequiredPackages(
	ctx context.Context, r *pulumirpc.GetRequiredPackagesRequest,
) (*pulumirpc.GetRequiredPackagesResponse, error) {
	packages, err := requiredPackages(ctx, r.GetInfo())
	if err != nil {
		return nil, err
	}
	return &pulumirpc.GetRequiredPackagesResponse{Packages: packages}, nil
}

// GetRequiredPlugins is GetRequiredPackages for engines older than packages.
func (h *host) GetRequiredPlugins(
	ctx context.Context, r *pulumirpc.GetRequiredPluginsRequest,
) (*pulumirpc.GetRequiredPluginsResponse, error) {
	packages, err := requiredPackages(ctx, &pulumirpc.ProgramInfo{ProgramDirectory: r.GetInfo().GetProgramDirectory()})
	if err != nil {
		return nil, err
	}
	response := &pulumirpc.GetRequiredPluginsResponse{}
	for _, p := range packages {
		response.Plugins = append(response.Plugins, &pulumirpc.PluginDependency{
			Name: p.Name, Kind: p.Kind, Version: p.Version, Server: p.Server,
		})
	}
	return response, nil
}

func requiredPackages(ctx context.Context, info *pulumirpc.ProgramInfo) ([]*pulumirpc.PackageDependency, error) {
	opts, err := optionsOf(info)
	if err != nil {
		return nil, err
	}
	if opts.binary != "" {
		return nil, nil // there may be no sources; the engine learns of plugins as resources arrive
	}
	all, err := modules(ctx, info.GetProgramDirectory())
	if err != nil {
		return nil, err
	}
	var found []*pulumirpc.PackageDependency
	for _, m := range all {
		if m.Main || m.Dir == "" { // a module without a directory has no package in the build
			continue
		}
		dependency, err := pluginOf(m)
		if err != nil {
			return nil, err
		}
		if dependency != nil {
			found = append(found, dependency)
		}
	}
	return found, nil
}

// pluginOf returns the plugin that a module drives, or nil when the module is no Pulumi SDK.
func pluginOf(m module) (*pulumirpc.PackageDependency, error) {
	path, err := findPluginFile(m.Dir)
	if err != nil || path == "" {
		return nil, err
	}
	about, err := plugin.LoadPulumiPluginJSON(path)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	if !about.Resource {
		return nil, nil
	}
	d := &pulumirpc.PackageDependency{Name: about.Name, Kind: "resource", Version: about.Version, Server: about.Server}
	if d.Name == "" {
		return nil, fmt.Errorf("%s names no plugin", path)
	}
	if d.Version == "" {
		d.Version = m.Version
	}
	if p := about.Parameterization; p != nil {
		d.Parameterization = &pulumirpc.PackageParameterization{Name: p.Name, Version: p.Version, Value: p.Value}
	}
	return d, nil
}

// findPluginFile looks where Pulumi's generators put the file: in a module's root, in go/, or one directory below.
func findPluginFile(dir string) (string, error) {
	for _, pattern := range []string{pluginFile, "*/" + pluginFile, "go/*/" + pluginFile} {
		matches, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			return "", fmt.Errorf("look for %s in %s: %w", pluginFile, dir, err)
		}
		slices.Sort(matches)
		for _, path := range matches {
			if stat, err := os.Stat(path); err == nil && stat.Mode().IsRegular() {
				return path, nil
			} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return "", fmt.Errorf("look for %s in %s: %w", pluginFile, dir, err)
			}
		}
	}
	return "", nil
}
