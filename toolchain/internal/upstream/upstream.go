// Package upstream prepares the sources that the aws plugin is built from.
//
// The whole Terraform AWS provider takes 24 minutes and 7.7 GB to compile on two cores, and it sleeps for minutes
// where a cloud answers at once. So the plugin is built from copies of two modules out of the module cache, edited in a
// build directory: the provider keeps only the services in Services and a flatter AWS WAF, and the plugin SDK's waiters can be
// shortened at run time (see WaitScale). `go build -overlay` would be the lighter way, but refuses files of the module cache.
// Upstream code is never stored in this repository, and go.sum still guards what is copied.
//
// Every edit must find exactly what it expects; anything else is an error, so that a new upstream version cannot
// silently lose one.
package upstream

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Modules that are copied and edited, under the paths that other modules import them by.
const (
	providerModule = "github.com/hashicorp/terraform-provider-aws"
	sdkModule      = "github.com/hashicorp/terraform-plugin-sdk/v2"
)

// Prepare fills dir, which must be empty or absent, with the edited sources and returns the go.mod to build with:
// `go build -modfile FILE`, run in module, the directory of the plugin's own module.
func Prepare(ctx context.Context, module, dir string) (modfile string, err error) {
	dir, err = filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("build directory: %w", err)
	}
	provider, sdk := filepath.Join(dir, "terraform-provider-aws"), filepath.Join(dir, "terraform-plugin-sdk")
	from, err := download(ctx, module, providerModule)
	if err != nil {
		return "", err
	}
	if err := trim(from, provider); err != nil {
		return "", fmt.Errorf("trim %s: %w", providerModule, err)
	}
	if err := limitNesting(provider); err != nil {
		return "", fmt.Errorf("limit nesting: %w", err)
	}
	from, err = download(ctx, module, sdkModule)
	if err != nil {
		return "", err
	}
	if err := copyTree(from, sdk, isSource); err != nil {
		return "", err
	}
	if err := scaleWaits(sdk, provider); err != nil {
		return "", fmt.Errorf("scale waits: %w", err)
	}
	modfile = filepath.Join(dir, "go.mod")
	for _, name := range []string{"go.mod", "go.sum"} {
		text, err := os.ReadFile(filepath.Join(module, name))
		if err != nil {
			return "", err
		}
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
			return "", err
		}
	}
	_, err = goTool(ctx, module, "mod", "edit",
		"-replace", providerModule+"="+provider, "-replace", sdkModule+"="+sdk, modfile)
	return modfile, err
}

// download makes sure that the module that stands for path is in the module cache and returns its directory there.
func download(ctx context.Context, module, path string) (string, error) {
	var listed struct {
		Path, Version string
		Replace       *struct{ Path, Version string }
	}
	if err := goJSON(ctx, module, &listed, "list", "-m", "-json", path); err != nil {
		return "", err
	}
	if listed.Replace != nil {
		listed.Path, listed.Version = listed.Replace.Path, listed.Replace.Version
	}
	var found struct{ Dir, Error string }
	if err := goJSON(ctx, module, &found, "mod", "download", "-json", listed.Path+"@"+listed.Version); err != nil {
		return "", err
	}
	if found.Error != "" || found.Dir == "" {
		return "", fmt.Errorf("download %s@%s: %s", listed.Path, listed.Version, found.Error)
	}
	return found.Dir, nil
}

func goJSON(ctx context.Context, dir string, into any, args ...string) error {
	out, err := goTool(ctx, dir, args...)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(out, into); err != nil {
		return fmt.Errorf("go %s: %w", strings.Join(args, " "), err)
	}
	return nil
}

func goTool(ctx context.Context, dir string, args ...string) ([]byte, error) {
	var said bytes.Buffer
	c := exec.CommandContext(ctx, "go", args...)
	c.Dir, c.Stderr = dir, &said
	out, err := c.Output()
	if err != nil {
		return nil, fmt.Errorf("go %s: %w\n%s", strings.Join(args, " "), err, bytes.TrimSpace(said.Bytes()))
	}
	return out, nil
}
