//go:build linux

// Package small deploys a stack of a few seconds where the storefront would take too long: interrupted at many points (test/e2e), and a hundred times over
// (`make soak`). Its program, in program/, stands in the storefront's place: the same project, the same settings file, the same commands.
package small

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// settings is where a clone has the settings of its stacks.
const settings = "stacks/storefront"

// Clone makes a clone of the project in an empty or missing directory: what `bin/stack` needs of root, with the small program in the storefront's place.
func Clone(ctx context.Context, root, dir string) error {
	return CloneWith(ctx, root, dir, "./test/small/program")
}

// CloneWith is Clone with the program in a package of the project. The settings are the clone's own: Pulumi writes the salt of a new stack into them.
func CloneWith(ctx context.Context, root, dir, program string) error {
	if err := os.MkdirAll(filepath.Join(dir, settings), 0o755); err != nil {
		return fmt.Errorf("making a clone: %w", err)
	}
	for _, shared := range []string{"bin", ".pulumi"} {
		if err := os.Symlink(filepath.Join(root, shared), filepath.Join(dir, shared)); err != nil {
			return fmt.Errorf("making a clone: %w", err)
		}
	}
	binary := filepath.Join(dir, "program")
	build := exec.CommandContext(ctx, "go", "build", "-ldflags", "-s -w", "-o", binary, program) // half of the linker's time is the debugger's
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("building %s: %w\n%s", program, err, out)
	}
	project, err := os.ReadFile(filepath.Join(root, "Pulumi.yaml"))
	if err != nil {
		return err
	}
	built := bytes.Replace(project, []byte("\nruntime: go\n"), []byte("\nruntime: {name: go, options: {binary: "+binary+"}}\n"), 1)
	if bytes.Equal(built, project) {
		return fmt.Errorf("%s/Pulumi.yaml has no line `runtime: go`", root)
	}
	if err := os.WriteFile(filepath.Join(dir, "Pulumi.yaml"), built, 0o644); err != nil {
		return err
	}
	for _, stack := range []string{"lab", "dev", "prod"} {
		file := filepath.Join(settings, "Pulumi."+stack+".yaml")
		committed, err := os.ReadFile(filepath.Join(root, file))
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, file), committed, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// SetSize sets the size of a clone's stack: 1, as it is made, to 3 zones, queues and buckets.
func SetSize(dir string, size int) error {
	f, err := os.OpenFile(filepath.Join(dir, settings, "Pulumi.lab.yaml"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = fmt.Fprintf(f, "  storefront:size: %d\n", size)
	return err
}
