package install

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"storefront/toolchain/internal/cache"
	"storefront/toolchain/internal/gobuild"
)

// oldestCLI is the first release that previews a refresh without taking the stack's lock on a file backend, which
// `make drift` relies on (CHANGELOG of Pulumi 3.229.0).
var oldestCLI = [3]int{3, 229, 0}

const (
	cliName  = "pulumi"
	hostName = "pulumi-language-go"
)

// cli makes bin/pulumi, with a Go language host where the engine finds it.
func (i *Installer) cli(ctx context.Context, version string) error {
	cliKey, hostKey, err := i.cliKeys()
	if err != nil {
		return err
	}
	bin := filepath.Join(i.Root, "bin")
	if i.Mode != Build {
		if path := i.systemCLI(ctx); path != "" {
			return linkTo(path, filepath.Join(bin, cliName))
		}
	}
	if i.Mode != System {
		cliDir, cliFound := i.Cache.Find(cliName, cliKey)
		hostDir, hostFound := i.Cache.Find(hostName, hostKey)
		if cliFound && hostFound {
			return i.placeCLI(cliDir, hostDir)
		}
	}
	if i.Mode != Build {
		if dir, err := i.downloadedCLI(ctx, version); dir != "" || err != nil {
			if err != nil {
				return err
			}
			return i.placeCLI(dir, dir)
		}
	}
	if i.Mode == System {
		return i.errNoWay("pulumi " + strings.Join(versionText(oldestCLI), ".") + " or newer")
	}
	cliDir, err := i.build(ctx, cliName, cliKey, "build pulumi "+version+" from Go modules", i.buildCLI(version))
	if err != nil {
		return err
	}
	hostDir, err := i.build(ctx, hostName, hostKey, "build the Go language host", i.buildHost)
	if err != nil {
		return err
	}
	return i.placeCLI(cliDir, hostDir)
}

func (i *Installer) cliKeys() (cli, host string, err error) {
	if cli, err = cache.Key(filepath.Join(i.toolchain(), "pulumi")); err != nil {
		return "", "", err
	}
	host, err = cache.Key(filepath.Join(i.toolchain(), "languagehost"))
	return cli, host, err
}

// placeCLI puts both programs into bin: the engine looks for the host beside itself.
func (i *Installer) placeCLI(cliDir, hostDir string) error {
	bin := filepath.Join(i.Root, "bin")
	if err := place(filepath.Join(hostDir, hostName), filepath.Join(bin, hostName)); err != nil {
		return err
	}
	return place(filepath.Join(cliDir, cliName), filepath.Join(bin, cliName))
}

// systemCLI returns the installed pulumi when it is recent enough and has a Go language host, else "".
func (i *Installer) systemCLI(ctx context.Context) string {
	path, err := exec.LookPath(cliName)
	if err != nil {
		return ""
	}
	path, err = filepath.EvalSymlinks(path)
	if err != nil || filepath.Dir(path) == filepath.Join(i.Root, "bin") {
		return "" // bin may be on PATH: what this program made is not an installation
	}
	if _, err := exec.LookPath(hostName); err != nil && !isProgram(filepath.Join(filepath.Dir(path), hostName)) {
		i.Log.Note("%s has no %s beside it", path, hostName)
		return ""
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	c := exec.CommandContext(ctx, path, "version")
	c.Env = append(os.Environ(), "PULUMI_SKIP_UPDATE_CHECK=true")
	out, err := c.Output()
	if err != nil {
		i.Log.Note("%s version: %v", path, err)
		return ""
	}
	if !atLeast(string(out), oldestCLI) {
		i.Log.Note("%s is %s, older than v%s", path, strings.TrimSpace(string(out)), strings.Join(versionText(oldestCLI), "."))
		return ""
	}
	return path
}

// atLeast reads "v3.259.0" or "3.259.0-dev" and compares; what cannot be read is too old.
func atLeast(text string, oldest [3]int) bool {
	core, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimSpace(text), "v"), "-")
	core, _, _ = strings.Cut(core, "+")
	parts := strings.Split(core, ".")
	if len(parts) != len(oldest) {
		return false
	}
	for n, part := range parts {
		number, err := strconv.Atoi(part)
		if err != nil || number < oldest[n] {
			return false
		}
		if number > oldest[n] {
			return true
		}
	}
	return true
}

func versionText(v [3]int) []string {
	return []string{strconv.Itoa(v[0]), strconv.Itoa(v[1]), strconv.Itoa(v[2])}
}

// downloadedCLI returns a directory with Pulumi's own release, or "" when there is no internet.
func (i *Installer) downloadedCLI(ctx context.Context, version string) (string, error) {
	const tool = "pulumi-release"
	if dir, found := i.Cache.Find(tool, version); found {
		return dir, nil
	}
	if !i.online(ctx) {
		return "", ctx.Err()
	}
	dir, err := i.build(ctx, tool, version, "download pulumi "+version, func(ctx context.Context, dir string) error {
		return i.Source.CLI(ctx, version, dir)
	})
	if err != nil && ctx.Err() == nil && i.Mode != System {
		i.Log.Note("%v", err)
		return "", nil // the next way may work
	}
	return dir, err
}

func (i *Installer) buildCLI(version string) func(context.Context, string) error {
	return func(ctx context.Context, dir string) error {
		flags := "-s -w -X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=" + version
		return gobuild.Run(ctx, filepath.Join(i.toolchain(), "pulumi"), "build", "-ldflags", flags,
			"-o", filepath.Join(dir, cliName), "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi")
	}
}

func (i *Installer) buildHost(ctx context.Context, dir string) error {
	return gobuild.Run(ctx, filepath.Join(i.toolchain(), "languagehost"), "build", "-ldflags", "-s -w",
		"-o", filepath.Join(dir, hostName), ".")
}

// build is a step that fills the cache entry of a tool.
func (i *Installer) build(
	ctx context.Context, tool, key, what string, fill func(context.Context, string) error,
) (string, error) {
	waiting := func() { i.Log.Note("%s: another run does this; waiting for it", what) }
	return i.Cache.Fill(ctx, tool, key, waiting, func(ctx context.Context, dir string) error {
		err := i.Log.Step(ctx, what, func(ctx context.Context) error { return fill(ctx, dir) })
		if err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
		return nil
	})
}
