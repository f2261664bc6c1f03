package authorization

import (
	"reflect"
	"slices"
	"strings"

	"storefront/lab/region"
)

// Ask is one permission that a call needs: an action on a resource, from the "Service Authorization Reference".
type Ask struct {
	Action   string // "sqs:SendMessage"
	Resource string // an ARN, or "*" where the action has no resource
	Context  map[string][]string
}

// service tells what the calls of one service ask for.
type service struct {
	prefix  string            // of its actions
	actions map[string]string // operations whose action has another name than they
	whole   []string          // beginnings of the names of operations that concern no single resource
	// members are the input members that name resources, with the resource part of the ARN, in which {} stands for the value. A value that is an ARN is taken as it is.
	members map[string]string
	value   func(string) string // what of a member's value names the resource; nil is all of it
	global  bool                // ARNs have no region
	// ids finds resources by the form of their IDs, wherever they stand in the input.
	ids func(id string) (resource string, ok bool)
	// creates are the resources that operations make, whose IDs are not known yet.
	creates map[string]string
}

func (s service) asks(r region.Region, operation string, input any) []Ask {
	action := operation
	if other, ok := s.actions[operation]; ok {
		action = other
	}
	action = s.prefix + ":" + action
	var resources []string
	if !slices.ContainsFunc(s.whole, func(prefix string) bool { return strings.HasPrefix(operation, prefix) }) {
		resources = s.resources(r, operation, input)
	}
	if len(resources) == 0 {
		return []Ask{{Action: action, Resource: "*"}}
	}
	asks := make([]Ask, len(resources))
	for i, arn := range resources {
		asks[i] = Ask{Action: action, Resource: arn}
	}
	return asks
}

// resources lists the ARNs of what an input names, in the order of its members, each once.
func (s service) resources(r region.Region, operation string, input any) (arns []string) {
	add := func(resource string) {
		arn := resource
		if !strings.HasPrefix(resource, "arn:") {
			arn = s.arn(r, resource)
		}
		if !slices.Contains(arns, arn) {
			arns = append(arns, arn)
		}
	}
	if resource, ok := s.creates[operation]; ok {
		add(resource)
	}
	walk(reflect.ValueOf(input), "", 0, func(depth int, member, value string) {
		switch template, named := s.members[member]; {
		case value == "":
		case named && depth == 1 && strings.HasPrefix(value, "arn:"):
			add(value)
		case named && depth == 1:
			if s.value != nil {
				value = s.value(value)
			}
			add(strings.ReplaceAll(template, "{}", value))
		case s.ids != nil:
			if resource, ok := s.ids(value); ok {
				add(resource)
			}
		}
	})
	return arns
}

func (s service) arn(r region.Region, resource string) string {
	if s.global {
		return r.GlobalARN(s.prefix, resource)
	}
	return r.ARN(s.prefix, resource)
}

// walk calls visit for every string of an input, with the name of the member that holds it and how deep it stands: 1 is a member of the input itself.
func walk(v reflect.Value, member string, depth int, visit func(depth int, member, value string)) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			walk(v.Elem(), member, depth, visit)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() {
				walk(v.Field(i), f.Name, depth+1, visit)
			}
		}
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return
		}
		for i := range v.Len() {
			walk(v.Index(i), member, depth, visit)
		}
	case reflect.String:
		visit(depth, member, v.String())
	}
}
