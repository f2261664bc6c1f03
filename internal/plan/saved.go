package plan

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
)

// saved reads what `pulumi preview --save-plan` writes. It holds what is wanted and not what is there, so the old values are Deployed.
func saved(file []byte) (*Plan, error) {
	var d apitype.DeploymentPlanV1
	if err := json.Unmarshal(file, &d); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	p := &Plan{Changes: []Change{}}
	for urn, r := range d.ResourcePlans {
		c := Change{URN: string(urn), Type: typeOf(string(urn)), Name: nameOf(string(urn)), Properties: []Property{}}
		for _, op := range r.Steps {
			kind, changes, err := kindOf(op)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", urn, err)
			}
			if changes && (c.Kind == "" || slices.Index(Kinds(), kind) < slices.Index(Kinds(), c.Kind)) {
				c.Kind = kind
			}
		}
		if c.Kind == "" {
			p.Unchanged++
			continue
		}
		if r.Goal != nil && c.Kind != Delete {
			c.Properties = wanted(r.Goal.InputDiff)
		}
		p.Changes = append(p.Changes, c)
	}
	p.sort()
	return p, nil
}

func wanted(d apitype.PlanDiffV1) []Property {
	s := step{old: values{Inputs: map[string]any{}}, new: values{Inputs: map[string]any{}}, detail: map[string]apitype.PropertyDiff{}}
	for key, v := range d.Adds {
		s.new.Inputs[key], s.detail[key] = v, apitype.PropertyDiff{Kind: apitype.DiffAdd}
	}
	for key, v := range d.Updates {
		s.old.Inputs[key], s.new.Inputs[key], s.detail[key] = Deployed, v, apitype.PropertyDiff{Kind: apitype.DiffUpdate}
	}
	for _, key := range d.Deletes {
		s.old.Inputs[key], s.detail[key] = Deployed, apitype.PropertyDiff{Kind: apitype.DiffDelete}
	}
	return s.properties(Update)
}
