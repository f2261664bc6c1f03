package main

import (
	"errors"
	"fmt"
	"maps"
	"strings"

	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
)

// The bridge derives a type's Pulumi properties from its Terraform schema: camel case, plural names for lists, a list
// of at most one element flattened into its element. Where pulumi-aws decided otherwise, a type has an entry in one of
// the override_*.go files. The words below are all they need; conformance_test.go says when one is missing or wrong.

type (
	resources = map[string]*tfbridge.ResourceInfo
	functions = map[string]*tfbridge.DataSourceInfo
	fields    = map[string]*tfbridge.SchemaInfo
)

// renamed gives a property another name.
func renamed(name string) *tfbridge.SchemaInfo { return &tfbridge.SchemaInfo{Name: name} }

// many keeps a list that holds at most one element a list.
func many() *tfbridge.SchemaInfo { return &tfbridge.SchemaInfo{MaxItemsOne: tfbridge.False()} }

// manyOf is many for a list whose elements have overrides themselves.
func manyOf(of fields) *tfbridge.SchemaInfo {
	return &tfbridge.SchemaInfo{MaxItemsOne: tfbridge.False(), Elem: &tfbridge.SchemaInfo{Fields: of}}
}

// single flattens a list that only ever holds one element.
func single() *tfbridge.SchemaInfo { return &tfbridge.SchemaInfo{MaxItemsOne: tfbridge.True()} }

// typed gives a scalar that Terraform keeps as a string ("true", "30", "") its real type: boolean or integer.
func typed(name tokens.Type) *tfbridge.SchemaInfo { return &tfbridge.SchemaInfo{Type: name} }

// within overrides the fields of a block, flattened or in a list.
func within(of fields) *tfbridge.SchemaInfo {
	return &tfbridge.SchemaInfo{Elem: &tfbridge.SchemaInfo{Fields: of}}
}

// document takes a JSON document as text or as an object.
func document() *tfbridge.SchemaInfo {
	return &tfbridge.SchemaInfo{Type: "string", Transform: tfbridge.TransformJSONDocument}
}

// described is a description that pulumi-aws fills in; many of them cannot be changed later without replacement.
func described() *tfbridge.SchemaInfo {
	return &tfbridge.SchemaInfo{Default: &tfbridge.DefaultInfo{Value: "Managed by Pulumi"}}
}

// replacedFirst marks resources whose successor cannot exist beside them, or whose deletion would delete the
// successor: two attachments of the same policy to the same role are one.
func replacedFirst(of fields) *tfbridge.ResourceInfo {
	return &tfbridge.ResourceInfo{Fields: of, DeleteBeforeReplace: true}
}

func with(of fields) *tfbridge.ResourceInfo { return &tfbridge.ResourceInfo{Fields: of} }

func reading(of fields) *tfbridge.DataSourceInfo { return &tfbridge.DataSourceInfo{Fields: of} }

// override applies all overrides to the token table.
func override(info *tfbridge.ProviderInfo) error {
	var errs []error
	for _, part := range []resources{
		apiGateway(), autoScaling(), cognito(), dynamoDB(), ec2(), elastiCache(), elb(), iam(), identities(), lambda(),
		messaging(), monitoring(), rds(), route53(), s3(), search(), wafv2(),
	} {
		for name, override := range part {
			resource := info.Resources[name]
			if resource == nil {
				errs = append(errs, fmt.Errorf("override of %s, which tokens.txt does not have", name))
				continue
			}
			resource.Fields = maps.Clone(override.Fields) // the bridge adds to it
			resource.DeleteBeforeReplace, resource.ComputeID = override.DeleteBeforeReplace, override.ComputeID
		}
	}
	for name, override := range dataSources() {
		function := info.DataSources[name]
		if function == nil {
			errs = append(errs, fmt.Errorf("override of data source %s, which tokens.txt does not have", name))
			continue
		}
		function.Fields = override.Fields
	}
	tagsAll(info)
	return errors.Join(errs...)
}

// tagsAll makes tags_all, the provider's default tags and the resource's own together, an output: upstream lets a
// program set it, to the same end as tags.
func tagsAll(info *tfbridge.ProviderInfo) {
	for name, resource := range info.Resources {
		upstream, ok := info.P.ResourcesMap().GetOk(name)
		if !ok {
			continue
		}
		if _, has := upstream.Schema().GetOk("tags_all"); has {
			resource.Fields = and(resource.Fields, "tags_all", &tfbridge.SchemaInfo{MarkAsComputedOnly: tfbridge.True()})
		}
	}
}

// and returns of with one more field.
func and(of fields, name string, field *tfbridge.SchemaInfo) fields {
	of = maps.Clone(of)
	if of == nil {
		of = fields{}
	}
	of[name] = field
	return of
}

// each gives the same override to several types, named by their common prefix and the words after it.
func each(prefix, words string, info func() *tfbridge.ResourceInfo) resources {
	all := resources{}
	for word := range strings.FieldsSeq(words) {
		all[prefix+word] = info()
	}
	return all
}
