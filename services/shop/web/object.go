package web

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"storefront/services/shop"
)

// object is a JSON object that is being decoded: each member is taken out by its exact name, and what is left at the end is unknown. encoding/json alone
// would take "Items" for "items", the last of two equal names, null for any value, and could not tell which element of a list is wrong.
type object struct {
	path    string // of the object in the body, such as "items[2]."; "" for the body itself
	members map[string]json.RawMessage
	refused error // the first rule that the object breaks
}

// parseObject reads a body that is one JSON object and nothing else.
func parseObject(body []byte) (*object, error) {
	// encoding/json replaces broken UTF-8 silently; what a client sends and what is stored must be the same.
	if !utf8.Valid(body) {
		return nil, shop.Invalidf("body", "must be valid UTF-8")
	}
	if !json.Valid(body) {
		return nil, shop.Invalidf("body", "must be one JSON object and nothing after it")
	}
	return newObject("", "body", body)
}

// newObject reads valid JSON that has to be an object. Errors about the object itself name it.
func newObject(path, name string, raw []byte) (*object, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	if start, err := d.Token(); err != nil || start != json.Delim('{') {
		return nil, shop.Invalidf(name, "must be a JSON object")
	}
	o := &object{path: path, members: map[string]json.RawMessage{}}
	for d.More() {
		token, err := d.Token()
		member, ok := token.(string)
		var value json.RawMessage
		if err != nil || !ok || d.Decode(&value) != nil {
			return nil, shop.Invalidf(name, "must be a JSON object")
		}
		if o.has(member) {
			return nil, shop.Invalidf(shorten(path+member), "must be given once")
		}
		o.members[member] = value
	}
	return o, nil
}

func (o *object) has(name string) bool {
	_, ok := o.members[name]
	return ok
}

func (o *object) refuse(name, format string, args ...any) {
	if o.refused == nil {
		o.refused = shop.Invalidf(o.path+name, format, args...)
	}
}

// take removes a member and returns its value, or nil when there is none.
func (o *object) take(name string) json.RawMessage {
	value := o.members[name]
	delete(o.members, name)
	return value
}

// text takes a string; "" when it is absent, which the rules of the domain judge.
func (o *object) text(name string) (s string) {
	raw := o.take(name)
	if raw == nil {
		return ""
	}
	if raw[0] != '"' || json.Unmarshal(raw, &s) != nil {
		o.refuse(name, "must be a string")
	}
	// Half of a surrogate pair is the one thing that a valid string can hold and UTF-8 cannot.
	if strings.ContainsRune(s, utf8.RuneError) && !bytes.ContainsRune(raw, utf8.RuneError) {
		o.refuse(name, "must be valid Unicode")
	}
	return s
}

// integer takes a whole number; 0 when it is absent.
func (o *object) integer(name string) (n int64) {
	if raw := o.take(name); raw != nil && (raw[0] == 'n' || json.Unmarshal(raw, &n) != nil) {
		o.refuse(name, "must be a whole number")
	}
	return n
}

// objects takes a list of at most limit objects; none when it is absent.
func (o *object) objects(name string, limit int) (list []*object) {
	raw := o.take(name)
	if raw == nil {
		return nil
	}
	var elements []json.RawMessage
	if raw[0] != '[' || json.Unmarshal(raw, &elements) != nil {
		o.refuse(name, "must be a list")
	}
	if len(elements) > limit {
		o.refuse(name, "must have at most %d entries", limit)
		return nil
	}
	for i, e := range elements {
		path := fmt.Sprintf("%s%s[%d]", o.path, name, i)
		element, err := newObject(path+".", path, e)
		if err != nil {
			o.refused = err
			return nil
		}
		list = append(list, element)
	}
	return list
}

// end reports the first rule that the object broke, the rule of having no other members included.
func (o *object) end() error {
	if o.refused == nil && len(o.members) > 0 {
		return shop.Invalidf(shorten(o.path+slices.Min(slices.Collect(maps.Keys(o.members)))), "is not a known field")
	}
	return o.refused
}

// shorten bounds a name that the client made up and an answer repeats.
func shorten(name string) string {
	const limit = 64 // characters
	if runes := []rune(name); len(runes) > limit {
		return string(runes[:limit]) + "…"
	}
	return name
}
