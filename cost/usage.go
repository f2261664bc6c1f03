package cost

import (
	_ "embed"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

//go:embed usage.yaml
var assumptions []byte

// ErrUsage says that an assumption cannot be replaced; the text tells why.
var ErrUsage = errors.New("assumed usage")

// Assumption is one thing that an estimate takes for granted about a month.
type Assumption struct {
	Name  string  `json:"name" yaml:"name"`
	Unit  string  `json:"unit" yaml:"unit"`
	Value float64 `json:"value" yaml:"-"`
	What  string  `json:"what" yaml:"what"`
}

// Usage is what an estimate assumes of a month.
type Usage []Assumption

// AssumedUsage returns what usage.yaml assumes of a profile.
func AssumedUsage(profile string) (Usage, error) {
	var rows []struct {
		Assumption  `yaml:",inline"`
		Prod, Small float64
	}
	if err := yaml.Unmarshal(assumptions, &rows); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUsage, err)
	}
	var u Usage
	for _, row := range rows {
		row.Value = row.Small
		if profile == "prod" {
			row.Value = row.Prod
		}
		u = append(u, row.Assumption)
	}
	return u, nil
}

// Assume replaces one assumption, given as "name=number". The error is ErrUsage.
func (u Usage) Assume(text string) error {
	name, number, _ := strings.Cut(text, "=")
	i := slices.IndexFunc(u, func(a Assumption) bool { return a.Name == name })
	if i < 0 {
		return fmt.Errorf("%w: there is no %q; cost/usage.yaml lists what there is", ErrUsage, name)
	}
	value, err := strconv.ParseFloat(number, 64)
	if err != nil || !(value >= 0 && value <= 1e12) {
		return fmt.Errorf("%w: %s: %q: want a number from 0 to 1e12", ErrUsage, name, number)
	}
	u[i].Value = value
	return nil
}

// Replace replaces the assumptions that a YAML file of names and numbers has. The error is ErrUsage.
func (u Usage) Replace(file []byte) error {
	var values map[string]string
	if err := yaml.Unmarshal(file, &values); err != nil {
		return fmt.Errorf("%w: %w", ErrUsage, err)
	}
	for name, number := range values {
		if err := u.Assume(name + "=" + number); err != nil {
			return err
		}
	}
	return nil
}

// of returns the value of an assumption. There is one for every name that this package uses: a test sees to it.
func (u Usage) of(name string) float64 {
	for _, a := range u {
		if a.Name == name {
			return a.Value
		}
	}
	return 0
}
