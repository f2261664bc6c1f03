package inventory_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"storefront/internal/inventory"
)

const (
	state = `{"version":3,"deployment":{"resources":[
		{"urn":"urn:pulumi:s::p::aws:ec2/subnet:Subnet::a::b","type":"aws:ec2/subnet:Subnet","id":"subnet-1","inputs":{"availabilityZone":"us-east-1a"},"outputs":{"arn":"arn:1"}},
		{"urn":"urn:pulumi:s::p::aws:ec2/subnet:Subnet::c","type":"aws:ec2/subnet:Subnet","id":"subnet-2","inputs":{"availabilityZone":"us-east-1b"}},
		{"urn":"urn:pulumi:s::p::aws:ec2/subnet:Subnet::old","type":"aws:ec2/subnet:Subnet","delete":true},
		{"urn":"urn:pulumi:s::p::aws:autoscaling/group:Group::g","type":"aws:autoscaling/group:Group","inputs":{
			"minSize":"2","vpcZoneIdentifiers":["subnet-1","subnet-2"],"on":"true",
			"later":"04da6b54-80e4-46f7-96ec-b56ff0331ba9",
			"hidden":{"4dabf18193072939515e22adb298388d":"1b47061264138c4ac30d75fd1eb44270","ciphertext":"v1:PLANTED"}}}]}}`
	preview = `{"steps":[
		{"op":"create-replacement","newState":{"urn":"urn:pulumi:s::p::a:b:C::n","type":"a:b:C","inputs":{"v":2}}},
		{"op":"replace","newState":{"urn":"urn:pulumi:s::p::a:b:C::n","type":"a:b:C","inputs":{"v":2}}},
		{"op":"delete","oldState":{"urn":"urn:pulumi:s::p::a:b:C::gone","type":"a:b:C"}}]}`
)

func TestDecodeState(t *testing.T) {
	s, err := inventory.Decode([]byte(state))
	if err != nil {
		t.Fatal(err)
	}
	if s.Len() != 3 || s.All()[0].Name != "a::b" {
		t.Fatalf("got %+v, want three resources: what is on its way out does not count", s.All())
	}
	if less := s.Without("aws:ec2/subnet:Subnet"); less.Len() != 1 || s.Len() != 3 {
		t.Errorf("without subnets %d of %d are left", less.Len(), s.Len())
	}
	g := s.All("aws:autoscaling/group:Group")[0]
	if n, known := g.Number("minSize"); !known || n != 2 || !g.On("on") || g.Text("none") != "" || g.Given("none") {
		t.Errorf("plain values: %+v", g.Inputs)
	}
	if v := g.Value("later.deeper"); !v.IsComputed() || !g.Given("later") {
		t.Errorf("below what is not known: %+v", v)
	}
	if v := g.Value("hidden"); !v.Secret() || !v.IsComputed() {
		t.Errorf("a secret: %+v", v)
	}
	if n := s.Zones(g, "vpcZoneIdentifiers"); n != 2 {
		t.Errorf("the group is in %d zones, want 2", n)
	}
	if of := s.About(s.All()[0], g.Type, "vpcZoneIdentifiers"); len(of) != 1 || of[0] != g {
		t.Errorf("what is in the subnet: %+v", of)
	}
}

func TestDecodePreview(t *testing.T) {
	s, err := inventory.Decode([]byte(preview))
	if err != nil || s.Len() != 1 || s.All()[0].Name != "n" {
		t.Fatalf("got %+v, %v; want what is there afterwards, once", s.All(), err)
	}
}

func TestDecodeRefuses(t *testing.T) {
	for _, file := range []string{"", "[]", "{}", `{"deployment":null}`, `{"steps":3}`, "<html>"} {
		if _, err := inventory.Decode([]byte(file)); !errors.Is(err, inventory.ErrFormat) {
			t.Errorf("%q: %v", file, err)
		}
	}
}

// The backend in files keeps the same under another roof.
func TestDeployed(t *testing.T) {
	root := t.TempDir()
	t.Setenv("STOREFRONT_STATE", "")
	t.Setenv("PULUMI_BACKEND_URL", "")
	if _, err := inventory.Deployed(root, "lab"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no state: %v", err)
	}
	dir := filepath.Join(root, ".state", ".pulumi", "stacks", "storefront")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]int{
		`{"version":3,"checkpoint":{"stack":"lab","latest":{"resources":[{"urn":"urn:pulumi:s::p::a:b:C::n","type":"a:b:C"}]}}}`: 1,
		`{"version":3,"checkpoint":{"stack":"lab","latest":null}}`:                                                               0,
		`{"version":3,"checkpoint":{"stack":"lab","latest":{"resources":[]}}}`:                                                   0,
	} {
		if err := os.WriteFile(filepath.Join(dir, "lab.json"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := inventory.Deployed(root, "lab")
		if want == 0 && !errors.Is(err, os.ErrNotExist) || want > 0 && (err != nil || s.Len() != want) {
			t.Errorf("%s: %+v, %v", text, s, err)
		}
	}
	t.Setenv("PULUMI_BACKEND_URL", "s3://bucket")
	if _, err := inventory.Deployed(root, "lab"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("another backend: %v", err)
	}
}
