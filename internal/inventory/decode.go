package inventory

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/property"
)

// ErrFormat says that a file holds no resources that can be read.
var ErrFormat = errors.New("no exported state and no preview")

// Unknown is what the engine writes for a value that is not known before the deployment.
const Unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"

// Other marks that the engine puts where a value is not plain ("Deployment schema").
const (
	hidden        = "[secret]" // in previews
	signature     = "4dabf18193072939515e22adb298388d"
	secretMark    = "1b47061264138c4ac30d75fd1eb44270"
	referenceMark = "5cf8f73096256a8f31e491e813e4eb8e"
)

// state is what is read of a resource in a state or a preview.
type state struct {
	URN                  string
	Type                 string
	ID                   string
	Parent               string
	Delete               bool // on its way out, after a replacement
	Inputs, Outputs      map[string]any
	PropertyDependencies map[string][]string
}

// deployment is what was deployed.
type deployment struct{ Resources []state }

// Decode reads a stack out of what `pulumi stack export` or `pulumi preview --json --show-sames` writes, or out of the checkpoint that Pulumi's
// backend in files keeps. Secrets stay what they are there: hidden. The error is ErrFormat.
func Decode(file []byte) (*Stack, error) {
	var f struct {
		Deployment *deployment
		Checkpoint *struct{ Latest *deployment }
		Steps      []struct {
			Op       string
			NewState *state
		}
	}
	if err := json.Unmarshal(file, &f); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	if f.Checkpoint != nil {
		f.Deployment = f.Checkpoint.Latest
		if f.Deployment == nil {
			f.Deployment = new(deployment) // made, and never deployed
		}
	}
	var s Stack
	switch {
	case f.Deployment != nil:
		for _, r := range f.Deployment.Resources {
			if !r.Delete {
				s.resources = append(s.resources, r.resource())
			}
		}
	case f.Steps != nil:
		seen := map[string]bool{} // a replacement has several steps
		for _, step := range f.Steps {
			if n := step.NewState; n != nil && !seen[n.URN] {
				seen[n.URN] = true
				s.resources = append(s.resources, n.resource())
			}
		}
	default:
		return nil, fmt.Errorf("%w: neither deployment nor checkpoint nor steps are there", ErrFormat)
	}
	return &s, nil
}

func (r *state) resource() *Resource {
	return &Resource{
		Type: r.Type, URN: r.URN, Name: nameOf(r.URN), ID: r.ID, Parent: r.Parent,
		Inputs: properties(r.Inputs), Outputs: properties(r.Outputs), Dependencies: r.PropertyDependencies,
	}
}

// nameOf returns the last of the four parts of a URN. A name may hold the separator itself.
func nameOf(urn string) string {
	parts := strings.SplitN(urn, "::", 4)
	return parts[len(parts)-1]
}

func properties(m map[string]any) property.Map {
	out := make(map[string]property.Value, len(m))
	for key, v := range m {
		out[key] = Plain(v)
	}
	return property.NewMap(out)
}

// Plain returns the value that JSON stands for. Of a secret only that it is one is known.
func Plain(v any) property.Value {
	secret := property.New(property.Computed).WithSecret(true)
	switch v := v.(type) {
	case bool:
		return property.New(v)
	case float64:
		return property.New(v)
	case string:
		switch v {
		case Unknown:
			return property.New(property.Computed)
		case hidden:
			return secret
		}
		return property.New(v)
	case []any:
		list := make([]property.Value, len(v))
		for i, e := range v {
			list[i] = Plain(e)
		}
		return property.New(property.NewArray(list))
	case map[string]any:
		switch v[signature] {
		case nil:
			return property.New(properties(v))
		case secretMark:
			return secret
		case referenceMark:
			return Plain(v["urn"])
		}
		return property.New(property.Computed) // an output, or a file
	}
	return property.Value{}
}
