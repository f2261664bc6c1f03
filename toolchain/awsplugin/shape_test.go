package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	shim "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfshim"
)

// shape is a property's type as both sides can tell it: scalar, list, dict or object.
type shape interface{}

const onlySDK = "only the SDK has it"

// jsonText is a string that may be given as an object.
const jsonText = scalar("a JSON document")

type (
	scalar string
	list   struct{ of shape }
	dict   struct{ of shape }
	object map[string]shape
)

// bridged describes the properties that the bridge makes of a Terraform schema, those that keep accepts.
func bridged(schemas shim.SchemaMap, infos map[string]*tfbridge.SchemaInfo, keep func(string, shim.Schema) bool) object {
	shape := object{}
	schemas.Range(func(name string, schema shim.Schema) bool {
		info := infos[name]
		if info != nil && info.Omit || !keep(name, schema) {
			return true
		}
		shape[tfbridge.TerraformToPulumiNameV2(name, schemas, infos)] = bridgedType(schema, info)
		return true
	})
	return shape
}

func everything(string, shim.Schema) bool { return true }

func bridgedType(schema shim.Schema, info *tfbridge.SchemaInfo) shape {
	if info != nil && info.Asset != nil {
		return scalar("asset")
	}
	if info != nil && info.Transform != nil {
		return jsonText
	}
	if info != nil && info.Type != "" {
		plain := map[string]string{"boolean": "bool", "integer": "int"}[string(info.Type)]
		if plain == "" {
			plain = "string"
		}
		return scalar(plain)
	}
	switch schema.Type() {
	case shim.TypeBool:
		return scalar("bool")
	case shim.TypeInt:
		return scalar("int")
	case shim.TypeFloat:
		return scalar("float64")
	case shim.TypeString:
		return scalar("string")
	case shim.TypeList, shim.TypeSet:
		elem := bridgedElem(schema, info)
		if tfbridge.IsMaxItemsOne(schema, info) {
			return elem
		}
		return list{elem}
	case shim.TypeMap:
		if resource, ok := schema.Elem().(shim.Resource); ok { // an object, in the framework's terms
			return bridged(resource.Schema(), fieldsOf(info), everything)
		}
		return dict{bridgedElem(schema, info)}
	}
	return scalar("any")
}

func bridgedElem(schema shim.Schema, info *tfbridge.SchemaInfo) shape {
	var elem *tfbridge.SchemaInfo
	if info != nil {
		elem = info.Elem
	}
	switch e := schema.Elem().(type) {
	case shim.Schema:
		return bridgedType(e, elem)
	case shim.Resource:
		return bridged(e.Schema(), fieldsOf(elem), everything)
	}
	return scalar("string")
}

func fieldsOf(info *tfbridge.SchemaInfo) map[string]*tfbridge.SchemaInfo {
	if info == nil {
		return nil
	}
	return info.Fields
}

// differences lists where the bridge's shape is not the SDK's. The SDK has "any" where pulumi-aws takes a resource or
// its name, which the bridge resolves by itself, and where it takes a policy as text or object, which needs a document.
func differences(path string, got, want shape) []string {
	isPolicy := strings.Contains(strings.ToLower(path[strings.LastIndex(path, ".")+1:]), "polic")
	switch {
	case want == scalar("any") && isPolicy && got != jsonText:
		return []string{fmt.Sprintf("%s: the bridge has %s, the SDK takes an object too", path, kind(got))}
	case want == scalar("any"), got == jsonText && want == scalar("string"):
		return nil
	}
	switch w := want.(type) {
	case scalar:
		if got != want {
			return []string{fmt.Sprintf("%s: the bridge has %s, the SDK %s", path, kind(got), w)}
		}
	case list:
		if g, ok := got.(list); ok {
			return differences(path+"[]", g.of, w.of)
		}
		return []string{fmt.Sprintf("%s: the bridge has %s, the SDK a list", path, kind(got))}
	case dict:
		if g, ok := got.(dict); ok {
			return differences(path+"[*]", g.of, w.of)
		}
		return []string{fmt.Sprintf("%s: the bridge has %s, the SDK a map", path, kind(got))}
	case object:
		g, ok := got.(object)
		if !ok {
			return []string{fmt.Sprintf("%s: the bridge has %s, the SDK an object", path, kind(got))}
		}
		return objectDifferences(path, g, w)
	}
	return nil
}

func objectDifferences(path string, got, want object) []string {
	var found []string
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if _, has := got[name]; !has {
			found = append(found, fmt.Sprintf("%s.%s: "+onlySDK, path, name))
			continue
		}
		found = append(found, differences(path+"."+name, got[name], want[name])...)
	}
	for _, name := range slices.Sorted(maps.Keys(got)) {
		if _, has := want[name]; !has {
			found = append(found, fmt.Sprintf("%s.%s: only the bridge has it", path, name))
		}
	}
	return found
}

func kind(s shape) string {
	switch s := s.(type) {
	case scalar:
		return string(s)
	case list:
		return "a list of " + kind(s.of)
	case dict:
		return "a map of " + kind(s.of)
	case object:
		return "an object"
	}
	return "nothing"
}
