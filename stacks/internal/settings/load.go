package settings

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// Load returns the settings of the running program. The SDK reads single keys only; that a key is unknown shows in the
// whole configuration, which the engine passes in PULUMI_CONFIG.
func Load(ctx *pulumi.Context) (Settings, error) {
	all := map[string]string{}
	if err := json.Unmarshal([]byte(os.Getenv(pulumi.EnvConfig)), &all); err != nil {
		return Settings{}, fmt.Errorf("%w: %s is not a JSON object: %w", ErrSetting, pulumi.EnvConfig, err)
	}
	values := map[string]string{}
	for key, value := range all {
		if name, ours := strings.CutPrefix(key, Namespace+":"); ours {
			values[name] = value
		}
	}
	root := ctx.RootDirectory()
	if root == "" {
		return Settings{}, fmt.Errorf("%w: %s is not set: the language host is too old", ErrSetting, pulumi.EnvPulumiRootDirectory)
	}
	return Parse(values, root)
}
