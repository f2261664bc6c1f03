package main

import (
	"strings"

	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// Names that a program leaves out are made from the resource's logical name and seven random hexadecimal digits, so
// that a replacement can stand beside its predecessor. A name_prefix in the program switches that off.

const (
	nameLength = 255 // where AWS's limit is not known here; AWS refuses longer names itself
	nameRandom = 7
)

// setAutonames gives every property "name" that has no override an automatic name.
func setAutonames(info *tfbridge.ProviderInfo) { info.SetAutonaming(nameLength, "-") }

// named is an automatic name with AWS's limit of characters, under the Pulumi property name.
func named(name string, limit int) *tfbridge.SchemaInfo { return tfbridge.AutoName(name, limit, "-") }

// lower is named for services that take no capitals.
func lower(name string, limit int) *tfbridge.SchemaInfo {
	return tfbridge.AutoNameTransform(name, limit, strings.ToLower)
}

// fifoNamed is the name of a queue or topic, which must end in .fifo when the property fifo is set.
func fifoNamed(fifo string) *tfbridge.SchemaInfo {
	const limit, suffix = 80, ".fifo"
	return tfbridge.AutoNameWithCustomOptions("name", tfbridge.AutoNameOptions{
		Separator: "-", Maxlen: limit - len(suffix), Randlen: nameRandom,
		PostTransform: func(res *tfbridge.PulumiResource, name string) (string, error) {
			if p := res.Properties; p != nil {
				if v, ok := p[resource.PropertyKey(fifo)]; ok && v.IsBool() && v.BoolValue() {
					return name + suffix, nil
				}
			}
			return name, nil
		},
	})
}

// aliasNamed is the name of a KMS alias, which AWS wants to begin with alias/.
func aliasNamed() *tfbridge.SchemaInfo {
	const limit, prefix = 256, "alias/"
	return tfbridge.AutoNameWithCustomOptions("name", tfbridge.AutoNameOptions{
		Separator: "-", Maxlen: limit - len(prefix), Randlen: nameRandom,
		PostTransform: func(_ *tfbridge.PulumiResource, name string) (string, error) {
			return prefix + strings.TrimPrefix(name, prefix), nil
		},
	})
}

// logicalName is the resource's logical name as it is: an object's key.
func logicalName() *tfbridge.SchemaInfo {
	return &tfbridge.SchemaInfo{Default: &tfbridge.DefaultInfo{From: tfbridge.FromName(tfbridge.AutoNameOptions{})}}
}

// ownName is a name that means something, such as a host name, and is never made up.
func ownName() *tfbridge.SchemaInfo { return renamed("name") }
