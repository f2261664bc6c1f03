// Package drift tells what a refresh found changed outside of Pulumi, without what is known to change by itself.
package drift

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"storefront/internal/plan"
)

// ErrKnown is the class of all errors of the list of what is known to change by itself.
var ErrKnown = errors.New("known drift")

// Known says of some properties why a change of theirs is no drift.
type Known struct {
	Types      []string `yaml:"types" json:"types"`           // as path.Match takes them, but * is any
	Properties []string `yaml:"properties" json:"properties"` // as path.Match takes them; what lies within is covered too
	Reason     string   `yaml:"reason" json:"reason"`
}

//go:embed known.yaml
var committed []byte

// Committed returns the committed list. The error is ErrKnown.
func Committed() ([]Known, error) { return parse(committed) }

func parse(text []byte) ([]Known, error) {
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	var list []Known
	if err := d.Decode(&list); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKnown, err)
	}
	for i, k := range list {
		if k.Reason == "" || len(k.Types) == 0 || len(k.Properties) == 0 {
			return nil, fmt.Errorf("%w: entry %d: types, properties and a reason are all needed", ErrKnown, i+1)
		}
		for _, pattern := range slices.Concat(k.Types, k.Properties) {
			if _, err := path.Match(pattern, ""); err != nil {
				return nil, fmt.Errorf("%w: entry %d: %q: %w", ErrKnown, i+1, pattern, err)
			}
		}
	}
	return list, nil
}

// covers says whether a change of a property is known.
func (k Known) covers(kind, property string) bool {
	return slices.ContainsFunc(k.Types, func(pattern string) bool { return matches(pattern, kind) }) &&
		slices.ContainsFunc(k.Properties, func(pattern string) bool { return within(pattern, property) })
}

func matches(pattern, name string) bool {
	ok, _ := path.Match(pattern, name) // patterns were checked
	return ok || pattern == "*"
}

// within says whether a property is one that the pattern names, or lies in one.
func within(pattern, property string) bool {
	for i, r := range property {
		if (r == '.' || r == '[') && matches(pattern, property[:i]) {
			return true
		}
	}
	return matches(pattern, property)
}

// stale says whether nothing of a stack could match any more.
func (k Known) stale(has map[string][]string) bool {
	for kind, properties := range has {
		for _, property := range properties {
			for _, pattern := range k.Properties {
				if end := strings.IndexAny(pattern, ".["); end >= 0 {
					pattern = pattern[:end]
				}
				if matches(pattern, property) && slices.ContainsFunc(k.Types, func(p string) bool { return matches(p, kind) }) {
					return false
				}
			}
		}
	}
	return true
}

// Report is the answer to the question for drift.
type Report struct {
	Drifted []plan.Change `json:"drifted"` // plan.Update: not as deployed; plan.Delete: gone
	Known   []Match       `json:"known"`   // what was left out
	Stale   []Known       `json:"stale"`   // entries of the list to remove
	Looked  int           `json:"looked"`  // at how many resources
}

// Match is a change that was left out.
type Match struct {
	URN      string        `json:"urn"`
	Property plan.Property `json:"property"`
	Reason   string        `json:"reason"`
}

// Compare parts what a refresh found into drift and what is known.
func Compare(r *plan.Refreshed, list []Known) *Report {
	report := &Report{Drifted: []plan.Change{}, Known: []Match{}, Stale: []Known{}, Looked: r.Unchanged + len(r.Changes)}
	for _, k := range list {
		if k.stale(r.Has) {
			report.Stale = append(report.Stale, k)
		}
	}
	for _, c := range r.Changes {
		left := []plan.Property{}
		for _, p := range c.Properties {
			at := slices.IndexFunc(list, func(k Known) bool { return k.covers(c.Type, p.Path) })
			if at < 0 {
				left = append(left, p)
				continue
			}
			report.Known = append(report.Known, Match{c.URN, p, list[at].Reason})
		}
		if len(left) > 0 || len(c.Properties) == 0 {
			c.Properties = left
			report.Drifted = append(report.Drifted, c)
		}
	}
	return report
}
