package metrics

import (
	"iter"
	"slices"
	"strings"
)

// Dimensions is a set of names and values in one comparable form, so that a Name can be a map's key. "" is the empty set.
type Dimensions string

// The separators are control characters, which CloudWatch allows in no dimension.
const (
	afterName  = "\x00"
	afterValue = "\x01"
)

// By makes the set of the given names and values: By("LoadBalancer", lb, "TargetGroup", tg). A name without a value has the value "".
func By(namesAndValues ...string) Dimensions {
	var all []string
	for pair := range slices.Chunk(namesAndValues, 2) {
		all = append(all, pair[0]+afterName+strings.Join(pair[1:], "")+afterValue)
	}
	slices.Sort(all)
	return Dimensions(strings.Join(all, ""))
}

// All yields the names, in order, and their values.
func (d Dimensions) All() iter.Seq2[string, string] {
	return func(yield func(name, value string) bool) {
		for rest := string(d); rest != ""; {
			var pair string
			pair, rest, _ = strings.Cut(rest, afterValue)
			name, value, _ := strings.Cut(pair, afterName)
			if !yield(name, value) {
				return
			}
		}
	}
}
