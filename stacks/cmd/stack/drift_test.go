package main

import (
	"fmt"
	"testing"
)

func TestParseDrift(t *testing.T) {
	log := []byte(`{"sequence":1,"timestamp":1,"resOutputsEvent":{"metadata":{"op":"same","urn":"urn:pulumi:lab::storefront::aws:ec2/vpc:Vpc::vpc","type":"aws:ec2/vpc:Vpc"}}}
{"sequence":2,"timestamp":1,"resOutputsEvent":{"metadata":{"op":"update","urn":"urn:pulumi:lab::storefront::aws:ec2/subnet:Subnet::b","type":"aws:ec2/subnet:Subnet","detailedDiff":{"tags.x":{"diffKind":"delete","inputDiff":false}}}}}
{"sequence":3,"timestamp":1,"resOutputsEvent":{"metadata":{"op":"delete","urn":"urn:pulumi:lab::storefront::aws:ec2/subnet:Subnet::a","type":"aws:ec2/subnet:Subnet"}}}
`)
	changes, err := parseDrift(log)
	if err != nil || len(changes) != 2 {
		t.Fatalf("got %+v, %v; want two changes", changes, err)
	}
	if got, want := fmt.Sprintf("%s %s, %s %s %v", changes[0].Kind, changes[0].Name, changes[1].Kind, changes[1].Name, changes[1].Properties), "gone a, changed b [tags.x]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	for _, bad := range []string{"not JSON\n", `{"sequence":1,"diagnosticEvent":{"message":"denied","severity":"error"}}` + "\n"} {
		if _, err := parseDrift([]byte(bad)); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}
