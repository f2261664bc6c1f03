package policy

import (
	"slices"
	"strconv"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/property"
)

// Resource is one resource of a stack.
type Resource struct {
	Type   string // token: "aws:lb/listener:Listener"
	URN    string
	Name   string
	ID     string // empty before the deployment
	Parent string // URN

	Inputs, Outputs property.Map
	// Dependencies names, for each input, the URNs of the resources that its value comes from.
	Dependencies map[string][]string
}

// value returns what is at a path: "a.b" is b in a, "a.0" the first of the list a. What the program said counts before what AWS
// answered. What is not there is null; below what is not known, nothing is known either.
func (r *Resource) value(path string) property.Value {
	if v := at(property.New(r.Inputs), path); !v.IsNull() {
		return v
	}
	return at(property.New(r.Outputs), path)
}

func at(v property.Value, path string) property.Value {
	for _, step := range strings.Split(path, ".") {
		switch {
		case v.IsComputed():
			return v
		case v.IsMap():
			v = v.AsMap().Get(step)
		case v.IsArray():
			i, err := strconv.Atoi(step)
			if err != nil || i < 0 || i >= v.AsArray().Len() {
				return property.Value{}
			}
			v = v.AsArray().Get(i)
		default:
			return property.Value{}
		}
	}
	return v
}

// on says that a value is known to be true. AWS has booleans that are strings.
func (r *Resource) on(path string) bool { return isTrue(r.value(path)) }

// off says that a value is known to be false.
func (r *Resource) off(path string) bool {
	v := r.value(path)
	return v.IsBool() && !v.AsBool() || v.IsString() && v.AsString() == "false"
}

func isTrue(v property.Value) bool {
	return v.IsBool() && v.AsBool() || v.IsString() && v.AsString() == "true"
}

// text returns a known string, and "" for anything else.
func (r *Resource) text(path string) string { return text(r.value(path)) }

func text(v property.Value) string {
	if v.IsString() {
		return v.AsString()
	}
	return ""
}

// number returns a known number. AWS has numbers that are strings.
func (r *Resource) number(path string) (n float64, known bool) {
	v := r.value(path)
	if v.IsNumber() {
		return v.AsNumber(), true
	}
	n, err := strconv.ParseFloat(text(v), 64)
	return n, err == nil
}

// atLeast says that a value is known to be a number that is not less.
func (r *Resource) atLeast(path string, least float64) bool {
	n, known := r.number(path)
	return known && n >= least
}

// given says that there is a value, known or not: a value that comes from another resource is there, whatever it will be.
func (r *Resource) given(path string) bool {
	v := r.value(path)
	switch {
	case v.IsString():
		return v.AsString() != ""
	case v.IsArray():
		return v.AsArray().Len() > 0
	}
	return !v.IsNull()
}

// ownKey says that a value names a KMS key of the account's own, not one of AWS's.
func (r *Resource) ownKey(path string) bool {
	return r.given(path) && !strings.Contains(r.text(path), "alias/aws/")
}

// list returns the elements of a list, and none of what is no known list.
func (r *Resource) list(path string) []property.Value { return list(r.value(path)) }

func list(v property.Value) []property.Value {
	if v.IsArray() {
		return v.AsArray().AsSlice()
	}
	return nil
}

// texts returns the known strings of a list.
func (r *Resource) texts(path string) (all []string) {
	for _, v := range r.list(path) {
		if s := text(v); s != "" {
			all = append(all, s)
		}
	}
	return all
}

// Stack is the resources of a stack.
type Stack struct{ resources []*Resource }

// NewStack returns a stack of the resources given.
func NewStack(resources []*Resource) *Stack { return &Stack{slices.Clone(resources)} }

// Len returns how many resources there are.
func (s *Stack) Len() int { return len(s.resources) }

// all returns the resources of some types, in the stack's order.
func (s *Stack) all(types ...string) (found []*Resource) {
	for _, r := range s.resources {
		if slices.Contains(types, r.Type) {
			found = append(found, r)
		}
	}
	return found
}

// identities are the outputs by which other resources name one.
var identities = []string{"arn", "name", "bucket", "url", "keyId", "clusterIdentifier", "invokeArn"}

// refers says that an input of a resource comes from another one: the engine says so, or the value names it.
func refers(r *Resource, input string, to *Resource) bool {
	if slices.Contains(r.Dependencies[input], to.URN) {
		return true
	}
	names := []string{to.ID}
	for _, key := range identities {
		names = append(names, text(to.Outputs.Get(key)))
	}
	return mentions(r.Inputs.Get(input), names)
}

func mentions(v property.Value, names []string) bool {
	switch {
	case v.IsString():
		return v.AsString() != "" && slices.Contains(names, v.AsString())
	case v.IsArray():
		return slices.ContainsFunc(v.AsArray().AsSlice(), func(e property.Value) bool { return mentions(e, names) })
	case v.IsMap():
		for _, e := range v.AsMap().All {
			if mentions(e, names) {
				return true
			}
		}
	}
	return false
}

// about returns the resources of a type whose input comes from another one.
func (s *Stack) about(to *Resource, typ, input string) (found []*Resource) {
	for _, r := range s.all(typ) {
		if refers(r, input, to) {
			found = append(found, r)
		}
	}
	return found
}

// zones returns in how many zones the subnets are that an input names: those of the stack are counted by zone, others one by one.
func (s *Stack) zones(r *Resource, input string) int {
	zones := map[string]bool{}
	for _, subnet := range s.all(subnet) {
		if refers(r, input, subnet) {
			zones[subnet.text("availabilityZone")] = true
		}
	}
	if len(zones) == 0 {
		return len(r.texts(input))
	}
	delete(zones, "") // not known, so perhaps one of the others
	return len(zones)
}
