// Package plan reads what an operation of Pulumi changes, by resource and by property: out of a preview, a saved plan, or the engine's
// events of a refresh. Secrets are masked where values are read, so that no report of a plan can show one.
package plan

import (
	"errors"
	"slices"
	"strings"
)

// ErrFormat says that a file is none of those that this package reads.
var ErrFormat = errors.New("no preview, no saved plan and no events of the engine")

// ErrNothing says that a refresh had nothing to look at.
var ErrNothing = errors.New("nothing is deployed: the refresh looked at no resource")

// Kind is what becomes of a resource.
type Kind string

// Kinds, the most dangerous first.
const (
	Replace Kind = "replace" // deleted and made anew: what it holds and the address it has are lost
	Delete  Kind = "delete"
	Update  Kind = "update"
	Create  Kind = "create"
	Import  Kind = "import"
)

// Kinds returns all kinds, the most dangerous first, which is the order of every report.
func Kinds() []Kind { return []Kind{Replace, Delete, Update, Create, Import} }

// Plan is what an operation changes.
type Plan struct {
	Changes   []Change `json:"changes"` // by kind, in the order of Kinds, then by URN
	Unchanged int      `json:"unchanged"`
}

// Change is what becomes of one resource.
type Change struct {
	URN        string     `json:"urn"`
	Type       string     `json:"type"`
	Name       string     `json:"name"`
	Kind       Kind       `json:"kind"`
	Properties []Property `json:"properties"` // by path; none where a resource is deleted
}

// Property is what becomes of one property.
type Property struct {
	Path string `json:"path"` // as Pulumi writes it: "tags.Name", "ingress[0].toPort"; into a JSON document it goes on in the same way
	// Old and New are JSON values; nil is none. Secret stands for a secret, Unknown for what is known after the deployment only.
	Old    any  `json:"old,omitempty"`
	New    any  `json:"new,omitempty"`
	Forces bool `json:"forces,omitempty"` // forces the replacement
}

// What stands for values that are not shown.
const (
	Secret  = "[secret]"
	Unknown = "[unknown]"
	// Deployed stands for the old values in a saved plan, which has none.
	Deployed = "[as deployed]"
)

// Count returns how many resources a kind of change becomes of.
func (p *Plan) Count(k Kind) (n int) {
	for _, c := range p.Changes {
		if c.Kind == k {
			n++
		}
	}
	return n
}

func (p *Plan) sort() {
	kinds := Kinds()
	slices.SortFunc(p.Changes, func(a, b Change) int {
		if d := slices.Index(kinds, a.Kind) - slices.Index(kinds, b.Kind); d != 0 {
			return d
		}
		return strings.Compare(a.URN, b.URN)
	})
}

// nameOf returns the last of the four parts of a URN. A name may hold the separator itself.
func nameOf(urn string) string {
	parts := strings.SplitN(urn, "::", 4)
	return parts[len(parts)-1]
}

// typeOf returns the type in a URN, without those of its parents.
func typeOf(urn string) string {
	parts := strings.SplitN(urn, "::", 4)
	if len(parts) < 4 {
		return ""
	}
	return parts[2][strings.LastIndex(parts[2], "$")+1:]
}
