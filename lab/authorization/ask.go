package authorization

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"storefront/lab/access"
	"storefront/lab/region"
)

// Ask is one permission that a call needs: an action on a resource, from the "Service Authorization Reference".
type Ask struct {
	Action   string // "sqs:SendMessage"
	Resource string // an ARN, or "*" where the action has no resource
	Context  map[string][]string
	// Named says that the resource itself is meant, where it stands for another: an alias, and not its key.
	Named bool
}

// service tells what the calls of one service ask for.
type service struct {
	prefix  string            // of its actions
	actions map[string]string // operations whose action has another name than they
	whole   []string          // patterns of the names of operations that concern no single resource
	// members are the input members that name resources, with the resource part of the ARN, in which {} stands for the value. A value that is an ARN is taken as it is.
	members map[string]string
	value   func(string) string // what of a member's value names the resource; nil is all of it
	global  bool                // ARNs have no region
	// ids finds resources by the form of their IDs, wherever they stand in the input, with the member that holds them.
	ids func(member, id string) (resource string, ok bool)
	// only are the members that name the resources of operations which name others besides.
	only map[string][]string
	// creates are the resources that operations make, whose IDs are not known yet. {Member} stands for the value of an input member.
	creates map[string][]string
	// otherwise are the resources of operations that may name one and do not. Without an entry it is everything of the service.
	otherwise map[string][]string
	context   func(input any) map[string][]string // condition keys of the service
}

func (s service) asks(r region.Region, operation string, input any) []Ask {
	action := operation
	if other, ok := s.actions[operation]; ok {
		action = other
	}
	ask := Ask{Action: s.prefix + ":" + action, Resource: "*"}
	if s.context != nil {
		ask.Context = s.context(input)
	}
	if slices.ContainsFunc(s.whole, func(pattern string) bool { return access.Like(pattern, operation) }) {
		return []Ask{ask}
	}
	resources := s.resources(r, operation, input)
	if len(resources) == 0 {
		rest := s.otherwise[operation]
		if rest == nil {
			rest = []string{"*"}
		}
		for _, resource := range rest {
			resources = append(resources, s.arn(r, resource))
		}
	}
	asks := make([]Ask, len(resources))
	for i, arn := range resources {
		asks[i] = ask
		asks[i].Resource = arn
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
	for _, template := range s.creates[operation] {
		add(fill(template, input))
	}
	only, limited := s.only[operation]
	walk(reflect.ValueOf(input), "", 0, func(depth int, member, value string) {
		template, named := s.members[member]
		switch {
		case value == "", limited && (depth != 1 || !slices.Contains(only, member)):
		case named && depth == 1 && strings.HasPrefix(value, "arn:"):
			add(value)
		case named && depth == 1 && template == "": // not an ARN: the operation refuses it
		case named && depth == 1:
			if s.value != nil {
				value = s.value(value)
			}
			add(strings.ReplaceAll(template, "{}", value))
		case s.ids != nil:
			if resource, ok := s.ids(member, value); ok {
				add(resource)
			}
		}
	})
	return arns
}

// fill puts the values of members, or "*" for those that are not set, in the place of {Member}. A path that is not set is "/".
func fill(template string, input any) string {
	for {
		before, rest, found := strings.Cut(template, "{")
		if !found {
			return template
		}
		name, after, _ := strings.Cut(rest, "}")
		value := member(input, name)
		switch {
		case value != "":
		case name == "Path":
			value = "/"
		default:
			value = "*"
		}
		template = before + value + after
	}
}

func (s service) arn(r region.Region, resource string) string {
	switch {
	case strings.HasPrefix(resource, "image/"): // images have no account, and dashboards no region
		return "arn:aws:ec2:" + r.Name + "::" + resource
	case s.global, strings.HasPrefix(resource, "dashboard/"):
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

// member is the text of an input's member that is a string, a number or a boolean; "" when it has none.
func member(input any, name string) string {
	v := reflect.Indirect(reflect.ValueOf(input))
	if v.Kind() != reflect.Struct {
		return ""
	}
	f := reflect.Indirect(v.FieldByName(name))
	if !f.IsValid() {
		return ""
	}
	switch f.Kind() {
	case reflect.String, reflect.Bool, reflect.Int64:
		return fmt.Sprint(f.Interface())
	}
	return ""
}
