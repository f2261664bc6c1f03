package region_test

import (
	"testing"

	"storefront/lab/region"
)

func TestZones(t *testing.T) {
	zones := region.Default().Zones()
	if len(zones) != 3 || zones[0] != (region.Zone{Name: "us-east-1a", ID: "use1-az1"}) || zones[2] != (region.Zone{Name: "us-east-1c", ID: "use1-az3"}) {
		t.Errorf("got %v", zones)
	}
}

func TestARN(t *testing.T) {
	r := region.Default()
	if got, want := r.ARN("kms", "key/1"), "arn:aws:kms:us-east-1:000000000000:key/1"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := r.GlobalARN("iam", "role/x"), "arn:aws:iam::000000000000:role/x"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
