package install

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"storefront/toolchain/internal/cache"
	"storefront/toolchain/internal/fetch"
	"storefront/toolchain/internal/progress"
)

func put(t *testing.T, path, text string, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
}

// clone makes a directory like a clone's, with a plugin in the user's own Pulumi home and no internet.
func clone(t *testing.T, mode Mode) (*Installer, *bytes.Buffer) {
	t.Helper()
	root := t.TempDir()
	put(t, filepath.Join(root, "go.mod"), "module x\n\nrequire (\n\tgithub.com/pulumi/pulumi-aws/sdk/v6 v6.0.1\n)\n", 0o644)
	put(t, filepath.Join(root, "toolchain/pulumi/go.mod"), "module y\n\nrequire github.com/pulumi/pulumi/pkg/v3 v3.300.0\n", 0o644)
	put(t, filepath.Join(root, "toolchain/languagehost/main.go"), "package main\n", 0o644)
	put(t, filepath.Join(root, "toolchain/awsplugin/main.go"), "package main\n", 0o644)
	put(t, filepath.Join(root, "toolchain/internal/upstream/a.go"), "package upstream\n", 0o644)
	home := filepath.Join(root, "home")
	put(t, filepath.Join(home, "plugins/resource-aws-v6.0.1/pulumi-resource-aws"), "plugin", 0o755)
	tools, err := cache.Open(filepath.Join(root, "cache"))
	if err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	return &Installer{
		Root: root, Mode: mode, Cache: tools, Log: &progress.Log{Out: &said}, Home: home,
		Source: fetch.Source{Archives: "http://127.0.0.1:1", Checksums: "http://127.0.0.1:1/%s"},
	}, &said
}

// systemPulumi puts an installed pulumi of some version on PATH.
func systemPulumi(t *testing.T, version string) string {
	t.Helper()
	dir := t.TempDir()
	put(t, filepath.Join(dir, "pulumi"), "#!/bin/sh\necho v"+version+"\n", 0o755)
	put(t, filepath.Join(dir, "pulumi-language-go"), "#!/bin/sh\n", 0o755)
	t.Setenv("PATH", dir+":/bin:/usr/bin")
	return dir
}

func TestInstalledToolsAreUsed(t *testing.T) {
	i, said := clone(t, Auto)
	dir := systemPulumi(t, "3.300.1")
	for range 2 {
		if err := i.All(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if to, err := os.Readlink(filepath.Join(i.Root, "bin/pulumi")); err != nil || to != filepath.Join(dir, "pulumi") {
		t.Errorf("bin/pulumi leads to %q, %v", to, err)
	}
	if text, err := os.ReadFile(filepath.Join(i.PulumiHome(), "plugins/resource-aws-v6.0.1/pulumi-resource-aws")); string(text) != "plugin" {
		t.Errorf("the plugin holds %q, %v", text, err)
	}
	if said.Len() != 0 {
		t.Errorf("not quiet: %s", said)
	}
}

func TestSystemModeNeverBuilds(t *testing.T) {
	i, said := clone(t, System)
	systemPulumi(t, "3.100.0")
	err := i.All(t.Context())
	if err == nil || !strings.Contains(err.Error(), "TOOLCHAIN=system") {
		t.Errorf("error is %v", err)
	}
	if !strings.Contains(said.String(), "older than v3.229.0") || !strings.Contains(said.String(), "not reachable") {
		t.Errorf("said %q", said)
	}
	if _, err := os.Stat(filepath.Join(i.Root, "bin/pulumi")); err == nil {
		t.Error("bin/pulumi is there")
	}
}

func TestBuiltToolsAreReused(t *testing.T) {
	i, said := clone(t, Build)
	systemPulumi(t, "3.300.1")
	cliKey, hostKey, err := i.cliKeys()
	if err != nil {
		t.Fatal(err)
	}
	pluginKey, err := cache.Key(filepath.Join(i.toolchain(), "awsplugin"), filepath.Join(i.toolchain(), "internal/upstream"))
	if err != nil {
		t.Fatal(err)
	}
	for tool, key := range map[string]string{cliName: cliKey, hostName: hostKey, pluginName: pluginKey} {
		put(t, filepath.Join(i.Root, "cache", tool+"-"+key, tool), "built "+tool, 0o755)
	}
	if err := i.All(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"bin/pulumi", "bin/pulumi-language-go", ".pulumi/plugins/resource-aws-v6.0.1/pulumi-resource-aws"} {
		if text, err := os.ReadFile(filepath.Join(i.Root, name)); !strings.HasPrefix(string(text), "built ") {
			t.Errorf("%s holds %q, %v", name, text, err)
		}
	}
	if said.Len() != 0 {
		t.Errorf("not quiet: %s", said)
	}
}

func TestFailedBuildSaysWhy(t *testing.T) {
	i, _ := clone(t, Build)
	err := i.All(t.Context())
	if err == nil || !strings.Contains(err.Error(), "pkg/v3") {
		t.Errorf("error is %v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(i.Root, "cache", "*-*")); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestParseMode(t *testing.T) {
	if _, err := ParseMode("fast"); err == nil {
		t.Error("TOOLCHAIN=fast is accepted")
	}
}

func TestAtLeast(t *testing.T) {
	for version, want := range map[string]bool{
		"v3.229.0": true, "3.229.1-dev.0\n": true, "v4.0.0+x": true, "v3.228.9": false, "v2.999.0": false, "": false, "v3.x.0": false,
	} {
		if got := atLeast(version, oldestCLI); got != want {
			t.Errorf("%q: %t", version, got)
		}
	}
}

// TestPinsAgree holds the engine to the release of the SDK that programs are built with.
func TestPinsAgree(t *testing.T) {
	cli, err := required("../../pulumi/go.mod", "github.com/pulumi/pulumi/pkg/v3")
	if err != nil {
		t.Fatal(err)
	}
	sdk, err := required("../../../go.mod", "github.com/pulumi/pulumi/sdk/v3")
	if err != nil {
		t.Fatal(err)
	}
	if cli != sdk {
		t.Errorf("the engine is %s, the SDK %s", cli, sdk)
	}
}
