//go:build linux

package conformance

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/protobuf/types/known/structpb"
	"gopkg.in/yaml.v3"
)

// declared is one resource that testdata/resources declares:
//
//   - ec2/Vpc: {cidrBlock: 10.7.0.0/16}    # its type in the token table, and all its inputs
//     as: vpc                              # $vpc is its ID, and $vpc_arn what it gives as arn
//     unread: [forceDestroy]               # properties that the provider takes from the program and not from AWS
type declared struct {
	kind   string
	name   string
	inputs *yaml.Node
	line   int
	unread []string
}

// token is the Pulumi token of a type as the token table writes it.
func token(kind string) string {
	module, name, _ := strings.Cut(kind, "/")
	return "aws:" + module + "/" + strings.ToLower(name[:1]) + name[1:] + ":" + name
}

func readDeclared(path string) (all []declared, err error) {
	items, err := readItems(path)
	if err != nil {
		return nil, err
	}
	for _, item := range items {
		d := declared{line: item.Line}
		for i := 0; i < len(item.Content); i += 2 {
			switch name := item.Content[i].Value; name {
			case "as":
				d.name = item.Content[i+1].Value
			case "unread":
				if err := item.Content[i+1].Decode(&d.unread); err != nil {
					return nil, fmt.Errorf("%s:%d: %w", path, item.Line, err)
				}
			default:
				d.kind, d.inputs = name, item.Content[i+1]
			}
		}
		all = append(all, d)
	}
	return all, nil
}

// made is a resource that stands in the lab.
type made struct {
	declared
	urn, id    string
	inputs     *structpb.Struct
	properties *structpb.Struct
}

// TestResources makes a resource of every type that the lab serves, with the AWS provider. What the provider then reads has to be what it wrote: the plan
// after a refresh is empty, and no property is lost or another. What they leave when they are deleted is what they were told to.
func TestResources(t *testing.T) {
	l := lab(t)
	p := startPlugin(t, l)
	files, err := filepath.Glob("testdata/resources/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal("no resources", err)
	}
	held, ran := map[string]bool{}, 0
	image := anImage(t, l)
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yaml"), func(t *testing.T) {
			all, err := readDeclared(file)
			if err != nil {
				t.Fatal(err)
			}
			ran++
			p.conform(t, all, image, held)
		})
	}
	t.Logf("read-back holds %d types", len(held))
	if ran == len(files) {
		complete(t, l, held)
		l.leaves(t, map[string]int{"cache snapshots": 1}) // the final one, which the replication group asks for
	}
}

// anImage is the ID of an image that instances can boot.
func anImage(t *testing.T, l *labProcess) string {
	t.Helper()
	out, err := ec2.NewFromConfig(l.config()).DescribeImages(t.Context(), &ec2.DescribeImagesInput{Owners: []string{"amazon"}})
	if err != nil || len(out.Images) == 0 {
		t.Fatal("the lab has no image: ", err)
	}
	return *out.Images[0].ImageId
}

// conform makes the resources of a file in their order, holds each, and deletes them in the other order.
func (p pulumiPlugin) conform(t *testing.T, all []declared, image string, held map[string]bool) {
	public, private := certificate(t)
	known := variables{"account": account, "region": region, "image": image, "certificate": string(public), "privatekey": string(private)}
	var standing []made
	for _, d := range all {
		m, err := p.make(t, d, known)
		if err != nil {
			t.Errorf("line %d: %s: %v", d.line, d.kind, err)
			continue
		}
		standing = append(standing, m)
		if err := p.hold(t, m); err != nil {
			t.Errorf("line %d: %s: %v", d.line, d.kind, err)
			continue
		}
		held[d.kind] = true
	}
	for _, m := range slices.Backward(standing) {
		_, err := p.Delete(t.Context(), &pulumirpc.DeleteRequest{Id: m.id, Urn: m.urn, Properties: m.properties, OldInputs: m.inputs})
		if err != nil {
			t.Errorf("line %d: %s: deleting: %v", m.line, m.kind, err)
		}
	}
}

func (p pulumiPlugin) make(t *testing.T, d declared, known variables) (m made, err error) {
	given, err := known.plain(d.inputs, true)
	if err != nil {
		return m, err
	}
	name := d.name
	if name == "" {
		name = fmt.Sprintf("conformance%d", d.line)
	}
	m = made{declared: d, urn: "urn:pulumi:lab::conformance::" + token(d.kind) + "::" + name}
	if m.inputs, err = p.check(t, m.urn, resource.NewPropertyMapFromMap(given.(map[string]any))); err != nil {
		return m, err
	}
	out, err := p.Create(t.Context(), &pulumirpc.CreateRequest{Urn: m.urn, Properties: m.inputs})
	if err != nil {
		return m, err
	}
	m.id, m.properties = out.Id, out.Properties
	if d.name != "" {
		known[d.name] = m.id
		for key, value := range unwire(t, m.properties) {
			if text := scalarOf(value); text != "" {
				known[d.name+"_"+string(key)] = text
			}
		}
	}
	return m, nil
}

// hold refreshes a resource and compares.
func (p pulumiPlugin) hold(t *testing.T, m made) error {
	read, err := p.Read(t.Context(), &pulumirpc.ReadRequest{Id: m.id, Urn: m.urn, Properties: m.properties, Inputs: m.inputs})
	switch {
	case err != nil:
		return fmt.Errorf("reading: %w", err)
	case read.Id == "":
		return fmt.Errorf("reading: %s is not there", m.id)
	}
	inputs, written, now := unwire(t, m.inputs), unwire(t, m.properties), unwire(t, read.Properties)
	for _, key := range slices.Sorted(maps.Keys(inputs)) {
		if _, there := now[key]; !there && !strings.HasPrefix(string(key), "__") && !isZero(inputs[key]) && !slices.Contains(m.unread, string(key)) {
			return fmt.Errorf("%s is set to %v and not read", key, inputs[key])
		}
	}
	for _, key := range slices.Sorted(maps.Keys(written)) {
		if !sameValue(written[key], now[key]) && !strings.HasPrefix(string(key), "__") && !slices.Contains(m.unread, string(key)) {
			return fmt.Errorf("%s was %v after its creation and is read as %v", key, written[key], now[key])
		}
	}
	diff, err := p.Diff(t.Context(), &pulumirpc.DiffRequest{Id: m.id, Urn: m.urn, Olds: read.Properties, News: m.inputs, OldInputs: m.inputs})
	if err != nil {
		return fmt.Errorf("planning: %w", err)
	}
	if diff.Changes == pulumirpc.DiffResponse_DIFF_SOME {
		return fmt.Errorf("after a refresh the plan would change %v: written %v, read %v", slices.Sorted(maps.Keys(diff.DetailedDiff)), inputs, now)
	}
	return nil
}

// sameValue compares. An empty value is the same as none, and lists are in no order, since many of them are sets.
func sameValue(a, b resource.PropertyValue) bool {
	switch {
	case isZero(a) && isZero(b):
		return true
	case a.IsObject() && b.IsObject():
		all := maps.Clone(a.ObjectValue())
		maps.Copy(all, b.ObjectValue())
		for key := range all {
			if !sameValue(a.ObjectValue()[key], b.ObjectValue()[key]) {
				return false
			}
		}
		return true
	case a.IsArray() && b.IsArray():
		rest := slices.Clone(b.ArrayValue())
		for _, v := range a.ArrayValue() {
			i := slices.IndexFunc(rest, func(w resource.PropertyValue) bool { return sameValue(v, w) })
			if i < 0 {
				return false
			}
			rest = slices.Delete(rest, i, i+1)
		}
		return len(rest) == 0
	}
	return a.DeepEquals(b)
}

func isZero(v resource.PropertyValue) bool {
	switch {
	case v.IsBool():
		return !v.BoolValue()
	case v.IsNumber():
		return v.NumberValue() == 0
	case v.IsString():
		return v.StringValue() == ""
	case v.IsArray():
		return len(v.ArrayValue()) == 0
	case v.IsObject():
		for _, member := range v.ObjectValue() {
			if !isZero(member) {
				return false
			}
		}
		return true
	}
	return v.IsNull()
}

func scalarOf(v resource.PropertyValue) string {
	switch {
	case v.IsString():
		return v.StringValue()
	case v.IsNumber():
		return fmt.Sprint(v.NumberValue())
	}
	return ""
}

// apiOf names the directory of lab/api where the token table says otherwise.
var apiOf = map[string]string{"appautoscaling": "applicationautoscaling"}

// complete finds types of the token table that are neither held nor known to be unserved, and unserved ones that are served by now.
func complete(t *testing.T, l *labProcess, held map[string]bool) {
	t.Helper()
	var unserved map[string]map[string]string
	b, err := os.ReadFile("testdata/unserved.yaml")
	if err == nil {
		err = yaml.Unmarshal(b, &unserved)
	}
	if err != nil {
		t.Fatal(err)
	}
	all := services(l.config())
	for kind, section := range tokenTable(t) {
		dir := cmp.Or(apiOf[section], section)
		i := slices.IndexFunc(all, func(s *service) bool { return s.dir == dir })
		operation, known := unserved[section][kind]
		switch {
		case i < 0: // a service that the lab does not have
		case held[kind] == known:
			t.Errorf("%s (%s): it needs a resource in testdata/resources, or a line in testdata/unserved.yaml, and not both", kind, section)
		case known:
			if _, served := all[i].operation(operation); served {
				t.Errorf("%s: the lab serves %s by now: give it a resource in testdata/resources", kind, operation)
			}
			delete(unserved[section], kind)
		}
	}
	for section, kinds := range unserved {
		for kind := range kinds {
			t.Errorf("testdata/unserved.yaml: %s: the token table has no %s", section, kind)
		}
	}
}

// tokenTable returns the resource types of the plugin, with the section of the table that each is in.
func tokenTable(t *testing.T) map[string]string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(root, "toolchain/awsplugin/tokens.txt"))
	if err != nil {
		t.Fatal(err)
	}
	all, section := map[string]string{}, ""
	for line := range strings.Lines(string(b)) {
		fields := strings.Fields(line)
		switch {
		case len(fields) == 2 && fields[0] == "#":
			section = fields[1]
		case len(fields) == 2 && !strings.Contains(fields[1], "/get"):
			all[fields[1]] = section
		}
	}
	if len(all) < 100 {
		t.Fatalf("tokens.txt has %d types", len(all))
	}
	return all
}
