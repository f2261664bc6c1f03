package plan

import (
	"cmp"
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/sig"
)

// properties returns what becomes of the properties of a step's resource.
func (s step) properties(k Kind) []Property {
	list := []Property{}
	switch k {
	case Delete:
		return list
	case Create, Import:
		for _, key := range slices.Sorted(maps.Keys(s.new.Inputs)) {
			if !strings.HasPrefix(key, "__") { // the bridge's own notes
				list = append(list, Property{Path: key, New: mask(s.new.Inputs[key])})
			}
		}
		return list
	}
	for path, d := range s.diff() {
		old, new := s.sides(d.InputDiff)
		p := Property{Path: path, Forces: strings.HasSuffix(string(d.Kind), "-replace")}
		if !strings.HasPrefix(string(d.Kind), "add") {
			p.Old = lookup(path, old)
		}
		if !strings.HasPrefix(string(d.Kind), "delete") {
			p.New = lookup(path, new)
		}
		list = append(list, p.open()...)
	}
	if changed := slices.DeleteFunc(slices.Clone(list), Property.same); len(changed) > 0 {
		list = changed
	}
	slices.SortFunc(list, func(a, b Property) int { return cmp.Compare(a.Path, b.Path) })
	return list
}

// same says whether the value stays. Where an element of a set changes, a provider names all properties of it.
func (p Property) same() bool {
	return reflect.DeepEqual(p.Old, p.New) && !strings.Contains(show(p.Old), Secret) && !strings.Contains(show(p.Old), Unknown)
}

// diff returns the differences by path, each once: a provider also names what holds a difference, and all tags of a resource repeat its own.
func (s step) diff() map[string]apitype.PropertyDiff {
	all := maps.Clone(s.detail)
	if len(all) == 0 {
		all = map[string]apitype.PropertyDiff{}
		for _, key := range slices.Concat(s.diffs, s.forcing) {
			kind := apitype.DiffUpdate
			if slices.Contains(s.forcing, key) {
				kind = apitype.DiffUpdateReplace
			}
			all[key] = apitype.PropertyDiff{Kind: kind}
		}
	}
	for path, d := range all {
		for inner, i := range all {
			if Within(inner, path) && inner != path {
				delete(all, path)
				if strings.HasSuffix(string(d.Kind), "-replace") && !strings.HasSuffix(string(i.Kind), "-replace") {
					i.Kind += "-replace"
					all[inner] = i
				}
			}
		}
	}
	for path := range all {
		if key, isTag := strings.CutPrefix(path, "tagsAll"); isTag {
			if _, own := all["tags"+key]; own {
				delete(all, path)
			}
		}
	}
	return all
}

// Within says whether a path is another one or leads into it.
func Within(path, outer string) bool {
	rest, ok := strings.CutPrefix(path, outer)
	return ok && (rest == "" || rest[0] == '.' || rest[0] == '[')
}

// sides returns where to look for a property before and after, in this order. What is deployed are outputs and what is wanted are inputs;
// but a resource may lack the one or the other.
func (s step) sides(inputs bool) (old, new []map[string]any) {
	switch {
	case inputs:
		return []map[string]any{s.old.Inputs}, []map[string]any{s.new.Inputs}
	case s.refresh:
		return []map[string]any{s.old.Outputs, s.old.Inputs}, []map[string]any{s.new.Outputs, s.new.Inputs}
	}
	return []map[string]any{s.old.Outputs, s.old.Inputs}, []map[string]any{s.new.Inputs, s.new.Outputs}
}

// lookup returns the masked value at a path in the first of the properties that have it.
func lookup(path string, in []map[string]any) any {
	parsed, err := resource.ParsePropertyPath(path)
	if err != nil {
		parsed = resource.PropertyPath{path}
	}
	for _, properties := range in {
		if v := get(properties, parsed); v != nil {
			return v
		}
	}
	return nil
}

func get(v any, path resource.PropertyPath) any {
	v = mask(v)
	if len(path) == 0 || v == Secret || v == Unknown {
		return v
	}
	if text, ok := v.(string); ok { // settings of providers are documents
		var inner any
		if !document(text, &inner) {
			return nil
		}
		v = mask(inner)
	}
	switch key := path[0].(type) {
	case string:
		if m, ok := v.(map[string]any); ok {
			return get(m[key], path[1:])
		}
	case int:
		if l, ok := v.([]any); ok && key >= 0 && key < len(l) {
			return get(l[key], path[1:])
		}
	}
	return nil
}

// mask returns a value with all that is not to be seen, or not there to be seen, replaced.
func mask(v any) any {
	switch v := v.(type) {
	case string:
		if v == plugin.UnknownStringValue {
			return Unknown
		}
	case []any:
		list := make([]any, len(v))
		for i, e := range v {
			list[i] = mask(e)
		}
		return list
	case map[string]any:
		switch v[sig.Key] {
		case nil:
			return maskMap(v)
		case sig.Secret:
			return Secret
		case sig.ResourceReference:
			return mask(v["urn"])
		case sig.AssetSig, sig.ArchiveSig:
			hash, _ := v["hash"].(string)
			return "file " + hash
		case sig.OutputValue:
			if inner, known := v["value"]; known && v["secret"] != true {
				return mask(inner)
			}
		}
		return Unknown
	}
	return v
}

func maskMap(m map[string]any) map[string]any {
	masked := make(map[string]any, len(m))
	for key, v := range m {
		if !strings.HasPrefix(key, "__") {
			masked[key] = mask(v)
		}
	}
	return masked
}

// open returns what changes inside of a JSON document, such as a policy, or the property itself.
func (p Property) open() []Property {
	var old, new any
	if before, ok := p.Old.(string); !ok || !document(before, &old) {
		return []Property{p}
	}
	if after, ok := p.New.(string); !ok || !document(p.New.(string), &new) || after == p.Old {
		return []Property{p}
	}
	list := p.compare(p.Path, old, new)
	if len(list) == 0 { // differently written only
		return []Property{p}
	}
	return list
}

func document(text string, v *any) bool {
	return (strings.HasPrefix(text, "{") || strings.HasPrefix(text, "[")) && json.Unmarshal([]byte(text), v) == nil
}

func (p Property) compare(path string, old, new any) (list []Property) {
	if before, ok := old.(map[string]any); ok {
		if after, ok := new.(map[string]any); ok {
			both := maps.Clone(before)
			maps.Copy(both, after)
			for _, key := range slices.Sorted(maps.Keys(both)) {
				list = append(list, p.compare(path+"."+key, before[key], after[key])...)
			}
			return list
		}
	}
	before, isList := old.([]any)
	after, stays := new.([]any)
	if isList && stays && len(before) == len(after) {
		for i := range before {
			list = append(list, p.compare(path+"["+strconv.Itoa(i)+"]", before[i], after[i])...)
		}
		return list
	}
	if reflect.DeepEqual(old, new) {
		return nil
	}
	return []Property{{Path: path, Old: mask(old), New: mask(new), Forces: p.Forces}}
}
