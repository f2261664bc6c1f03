package sns

import (
	"encoding/json"
	"slices"
	"strconv"

	"storefront/lab/sqs"
)

// matchesAttributes tells whether a filter accepts a message with these attributes. Binary attributes count as if they were not there.
func (f *filter) matchesAttributes(attributes map[string]sqs.Attribute) bool {
	message := map[string]any{}
	for name, a := range attributes {
		switch a.Type {
		case "Number":
			if n, err := strconv.ParseFloat(a.Text, 64); err == nil {
				message[name] = n
			}
		case "String.Array":
			if values, ok := arrayValues(a.Text); ok {
				message[name] = values
			}
		case "String":
			message[name] = a.Text
		}
	}
	return f.matches(message)
}

// matchesBody tells whether a filter accepts a message with this body, which must be a JSON object.
func (f *filter) matchesBody(text string) bool {
	var message map[string]any
	return json.Unmarshal([]byte(text), &message) == nil && message != nil && f.matches(message)
}

func (f *filter) matches(message map[string]any) bool {
	for key, c := range f.keys {
		value, there := message[key]
		if !c.holds(value, there) {
			return false
		}
	}
	for _, alternatives := range f.alternatives {
		if !slices.ContainsFunc(alternatives, func(a filter) bool { return a.matches(message) }) {
			return false
		}
	}
	return true
}

// holds applies a condition to what a message has at a key. Of a list, one element must do; an object that is not there is as one without keys.
func (c condition) holds(value any, there bool) bool {
	if c.inside == nil {
		values := scalars(value, there)
		return slices.ContainsFunc(c.tests, func(t test) bool { return t(values) })
	}
	switch v := value.(type) {
	case map[string]any:
		return c.inside.matches(v)
	case []any:
		return slices.ContainsFunc(v, func(element any) bool {
			object, ok := element.(map[string]any)
			return ok && c.inside.matches(object)
		})
	}
	return c.inside.matches(map[string]any{})
}

// scalars are the values of a key that tests look at. An object has none.
func scalars(value any, there bool) []any {
	if !there {
		return nil
	}
	list, ok := value.([]any)
	if !ok {
		list = []any{value}
	}
	return slices.DeleteFunc(slices.Clone(list), func(v any) bool {
		switch v.(type) {
		case map[string]any, []any:
			return true
		}
		return false
	})
}
