// Package inventory is the resources of a stack, wherever they come from: a program that was run without AWS (package declare), a
// preview, an exported state, or the engine by way of a policy pack. What reads it need not know which.
package inventory

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

// Value returns what is at a path: "a.b" is b in a, "a.0" the first of the list a. What the program said counts before what AWS
// answered. What is not there is null; below what is not known, nothing is known either.
func (r *Resource) Value(path string) property.Value {
	if v := At(property.New(r.Inputs), path); !v.IsNull() {
		return v
	}
	return At(property.New(r.Outputs), path)
}

// At returns what is at a path in a value, as Resource.Value does.
func At(v property.Value, path string) property.Value {
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

// On says that a value is known to be true. AWS has booleans that are strings.
func (r *Resource) On(path string) bool { return True(r.Value(path)) }

// Off says that a value is known to be false.
func (r *Resource) Off(path string) bool {
	v := r.Value(path)
	return v.IsBool() && !v.AsBool() || v.IsString() && v.AsString() == "false"
}

// True says that a value is known to be true, or "true".
func True(v property.Value) bool {
	return v.IsBool() && v.AsBool() || v.IsString() && v.AsString() == "true"
}

// Text returns a known string, and "" for anything else.
func (r *Resource) Text(path string) string { return Text(r.Value(path)) }

// Text returns a known string, and "" for anything else.
func Text(v property.Value) string {
	if v.IsString() {
		return v.AsString()
	}
	return ""
}

// Number returns a known number. AWS has numbers that are strings.
func (r *Resource) Number(path string) (n float64, known bool) {
	v := r.Value(path)
	if v.IsNumber() {
		return v.AsNumber(), true
	}
	n, err := strconv.ParseFloat(Text(v), 64)
	return n, err == nil
}

// AtLeast says that a value is known to be a number that is not less.
func (r *Resource) AtLeast(path string, least float64) bool {
	n, known := r.Number(path)
	return known && n >= least
}

// Given says that there is a value, known or not: a value that comes from another resource is there, whatever it will be.
func (r *Resource) Given(path string) bool {
	v := r.Value(path)
	switch {
	case v.IsString():
		return v.AsString() != ""
	case v.IsArray():
		return v.AsArray().Len() > 0
	}
	return !v.IsNull()
}

// OwnKey says that a value names a KMS key of the account's own, not one of AWS's.
func (r *Resource) OwnKey(path string) bool {
	return r.Given(path) && !strings.Contains(r.Text(path), "alias/aws/")
}

// List returns the elements of a list, and none of what is no known list.
func (r *Resource) List(path string) []property.Value { return List(r.Value(path)) }

// List returns the elements of a list, and none of what is no known list.
func List(v property.Value) []property.Value {
	if v.IsArray() {
		return v.AsArray().AsSlice()
	}
	return nil
}

// Texts returns the known strings of a list.
func (r *Resource) Texts(path string) (all []string) {
	for _, v := range r.List(path) {
		if s := Text(v); s != "" {
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

// All returns the resources of some types, or of every type, in the stack's order.
func (s *Stack) All(types ...string) (found []*Resource) {
	if len(types) == 0 {
		return slices.Clone(s.resources)
	}
	for _, r := range s.resources {
		if slices.Contains(types, r.Type) {
			found = append(found, r)
		}
	}
	return found
}

// Without returns the stack without the resources of some types.
func (s *Stack) Without(types ...string) *Stack {
	return NewStack(slices.DeleteFunc(s.All(), func(r *Resource) bool { return slices.Contains(types, r.Type) }))
}

// identities are the outputs by which other resources name one.
var identities = []string{"arn", "name", "bucket", "url", "keyId", "clusterIdentifier", "invokeArn"}

// Refers says that an input of a resource comes from another one: the engine says so, or the value names it.
func Refers(r *Resource, input string, to *Resource) bool {
	if slices.Contains(r.Dependencies[input], to.URN) {
		return true
	}
	names := []string{to.ID}
	for _, key := range identities {
		names = append(names, Text(to.Outputs.Get(key)))
	}
	return mentions(r.Inputs.Get(input), names)
}

// Names says that a JSON document of a resource, like a policy, holds the ARN of another one as a string, or that the engine says so.
func Names(r *Resource, input string, to *Resource) bool {
	if slices.Contains(r.Dependencies[input], to.URN) {
		return true
	}
	arn := Text(to.Outputs.Get("arn"))
	return arn != "" && strings.Contains(r.Text(input), `"`+arn+`"`)
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

// About returns the resources of a type whose input comes from another one.
func (s *Stack) About(to *Resource, typ, input string) (found []*Resource) {
	for _, r := range s.All(typ) {
		if Refers(r, input, to) {
			found = append(found, r)
		}
	}
	return found
}

// Zones returns in how many zones the subnets are that an input names: those of the stack are counted by zone, others one by one.
func (s *Stack) Zones(r *Resource, input string) int {
	zones := map[string]bool{}
	for _, subnet := range s.All("aws:ec2/subnet:Subnet") {
		if Refers(r, input, subnet) {
			zones[subnet.Text("availabilityZone")] = true
		}
	}
	if len(zones) == 0 {
		return len(r.Texts(input))
	}
	delete(zones, "") // not known, so perhaps one of the others
	return len(zones)
}
