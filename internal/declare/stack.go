package declare

import (
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"

	"gopkg.in/yaml.v3"

	"storefront/internal/clone"
	"storefront/internal/inventory"
)

// owners are the settings that the owner of a deployment must make, and no committed file can: without them the stack refuses its
// profile. They count only where the committed settings are silent.
var owners = map[string]map[string]string{
	"prod": {"storefront:certificateArn": "arn:aws:acm:us-east-1:" + account + ":certificate/11111111-2222-3333-4444-555555555555"},
}

// LeftOut are the types of resources that Stack leaves out, because the program makes them only where it finds that the account may: policies of
// Firewall Manager.
func LeftOut() []string { return []string{"aws:fms/policy:Policy"} }

// Stack returns what the project's own stack declares with the committed settings of a profile, whose stack has the same name. root is
// the clone. It needs neither the shop's program nor certificates of databases: what is in files does not matter here.
func Stack(ctx context.Context, root, profile string) (*inventory.Stack, error) {
	all, err := Stacks(ctx, root, profile)
	return all[profile], err
}

// Given returns the stack that a file tells of, as inventory.Read reads it; without a file, what Stack returns in the clone around the
// working directory.
func Given(ctx context.Context, file string, in io.Reader, profile string) (*inventory.Stack, error) {
	if file != "" {
		return inventory.Read(file, in)
	}
	root, err := clone.Root()
	if err != nil {
		return nil, err
	}
	return Stack(ctx, root, profile)
}

// Stacks returns what Stack does for several profiles, and links the program once.
func Stacks(ctx context.Context, root string, profiles ...string) (map[string]*inventory.Stack, error) {
	dir, err := os.MkdirTemp("", "storefront-declare")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	empty, program := filepath.Join(dir, "empty"), filepath.Join(dir, "storefront")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		return nil, err
	}
	build := exec.CommandContext(ctx, "go", "build", "-o", program, "./stacks/storefront")
	build.Dir = root
	if said, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("building the stack's program: %w\n%s", err, said)
	}
	all := map[string]*inventory.Stack{}
	for _, profile := range profiles {
		config, err := settings(filepath.Join(root, "stacks", "storefront", "Pulumi."+profile+".yaml"))
		if err != nil {
			return nil, err
		}
		for key, value := range owners[profile] {
			if config[key] == "" {
				config[key] = value
			}
		}
		// Whether the account administers Firewall Manager is nobody's to say here.
		maps.Copy(config, map[string]string{"storefront:artifact": empty, "storefront:databaseCA": empty, "storefront:firewallManager": "off"})
		p := &Program{
			Path: program, Root: root, Project: "storefront", Stack: profile, Config: config,
			Answers: map[string]any{"accountId": account, "value": "ami-0123456789abcdef0", "randomPassword": "Drawn0123456789"},
		}
		if all[profile], err = p.Run(ctx); err != nil {
			return nil, fmt.Errorf("profile %s: %w", profile, err)
		}
	}
	return all, nil
}

func settings(path string) (map[string]string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("settings of the stack: %w", err)
	}
	var file struct{ Config map[string]string }
	if err := yaml.Unmarshal(text, &file); err != nil {
		return nil, fmt.Errorf("settings of the stack: %s: %w", filepath.Base(path), err)
	}
	return file.Config, nil
}
