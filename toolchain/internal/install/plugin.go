package install

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"storefront/toolchain/internal/cache"
	"storefront/toolchain/internal/gobuild"
	"storefront/toolchain/internal/upstream"
)

const pluginName = "pulumi-resource-aws"

// PulumiHome is the clone's own PULUMI_HOME.
func (i *Installer) PulumiHome() string { return filepath.Join(i.Root, ".pulumi") }

// plugin makes the aws plugin known to bin/pulumi. It lands where `pulumi plugin install` puts it, so that the engine
// finds it without the warning that it gives for plugins on PATH.
func (i *Installer) plugin(ctx context.Context, version string) error {
	key, err := cache.Key(filepath.Join(i.toolchain(), "awsplugin"), filepath.Join(i.toolchain(), "internal", "upstream"))
	if err != nil {
		return err
	}
	program := filepath.Join("plugins", "resource-aws-v"+version, pluginName)
	target := filepath.Join(i.PulumiHome(), program)
	if i.Mode != Build {
		if own := filepath.Join(i.Home, program); i.Home != "" && i.Home != i.PulumiHome() && isProgram(own) {
			return place(own, target)
		}
	}
	if i.Mode != System {
		if dir, found := i.Cache.Find(pluginName, key); found {
			return place(filepath.Join(dir, pluginName), target)
		}
	}
	if i.Mode != Build {
		if isProgram(target) && !i.built(target) {
			return nil // downloaded earlier
		}
		if i.online(ctx) {
			err := i.Log.Step(ctx, "download the aws plugin "+version, func(ctx context.Context) error {
				return i.pulumi(ctx, "plugin", "install", "resource", "aws", "v"+version, "--reinstall")
			})
			if err == nil || ctx.Err() != nil {
				return err
			}
			i.Log.Note("%v", err)
		}
	}
	if i.Mode == System {
		return i.errNoWay("the aws plugin " + version)
	}
	dir, err := i.build(ctx, pluginName, key, "build the aws plugin "+version+" from Go modules (the longest step)", i.buildPlugin)
	if err != nil {
		return err
	}
	return place(filepath.Join(dir, pluginName), target)
}

// built reports whether a plugin is an earlier build of ours, perhaps of other sources.
func (i *Installer) built(program string) bool {
	out, err := exec.Command("go", "version", "-m", program).Output()
	return err == nil && strings.Contains(string(out), "storefront/toolchain/awsplugin")
}

func (i *Installer) pulumi(ctx context.Context, args ...string) error {
	c := exec.CommandContext(ctx, filepath.Join(i.Root, "bin", cliName), args...)
	c.Env = append(os.Environ(), "PULUMI_HOME="+i.PulumiHome(), "PULUMI_SKIP_UPDATE_CHECK=true")
	c.Cancel = func() error { return c.Process.Signal(os.Interrupt) }
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("pulumi %s: %w\n%s", strings.Join(args, " "), err, strings.TrimSpace(string(out)))
	}
	return nil
}

func (i *Installer) buildPlugin(ctx context.Context, dir string) error {
	return i.withSources(ctx, func(module, modfile string) error {
		return gobuild.Run(ctx, module, "build", "-trimpath", "-ldflags", "-s -w", "-modfile", modfile,
			"-o", filepath.Join(dir, pluginName), ".")
	})
}

// TestPlugin runs the aws plugin's own tests against the sources that it is built from.
func (i *Installer) TestPlugin(ctx context.Context, args ...string) error {
	return i.withSources(ctx, func(module, modfile string) error {
		return gobuild.Stream(ctx, module, os.Stdout, os.Stderr,
			append([]string{"test", "-trimpath", "-modfile", modfile}, args...)...)
	})
}

// withSources calls use with the plugin's module and a go.mod that points to edited upstream sources, which live only
// as long. -trimpath keeps their place out of the Go build cache's keys, so that a later run compiles nothing twice.
func (i *Installer) withSources(ctx context.Context, use func(module, modfile string) error) error {
	work, err := os.MkdirTemp("", "storefront-awsplugin-")
	if err != nil {
		return fmt.Errorf("make a build directory: %w", err)
	}
	defer os.RemoveAll(work)
	module := filepath.Join(i.toolchain(), "awsplugin")
	modfile, err := upstream.Prepare(ctx, module, filepath.Join(work, "src"))
	if err != nil {
		return err
	}
	return use(module, modfile)
}
