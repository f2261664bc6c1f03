// Package region says where the lab is: its region, account and zones, and how it names things.
package region

import (
	"fmt"

	"storefront/lab/state"
)

// Partition is the ARN partition of everything in the lab.
const Partition = "aws"

// Region identifies one region of one account.
type Region struct {
	Name    string // "us-east-1"
	Account string // twelve digits
}

// Default is the lab's region and account when the user names none.
func Default() Region { return Region{Name: "us-east-1", Account: "000000000000"} }

// Zone is an availability zone.
type Zone struct {
	Name string // "us-east-1a"
	ID   string // "use1-az1"
}

// Zones returns the region's three availability zones, in order.
func (r Region) Zones() []Zone {
	zones := make([]Zone, 3)
	for i := range zones {
		zones[i] = Zone{Name: r.Name + string(rune('a'+i)), ID: fmt.Sprintf("%s-az%d", r.short(), i+1)}
	}
	return zones
}

// short abbreviates the region's name as zone IDs do: us-east-1 is use1.
func (r Region) short() string {
	var area, direction string
	var number int
	if n, _ := fmt.Sscanf(r.Name, "%2s-%1s", &area, &direction); n != 2 {
		return r.Name
	}
	fmt.Sscanf(r.Name[len(r.Name)-1:], "%d", &number)
	return fmt.Sprintf("%s%s%d", area, direction, number)
}

// ARN names a regional resource: arn:aws:<service>:<region>:<account>:<resource>.
func (r Region) ARN(service, resource string) string {
	return fmt.Sprintf("arn:%s:%s:%s:%s:%s", Partition, service, r.Name, r.Account, resource)
}

// GlobalARN names a resource of a global service such as IAM: the region field is empty.
func (r Region) GlobalARN(service, resource string) string {
	return fmt.Sprintf("arn:%s:%s::%s:%s", Partition, service, r.Account, resource)
}

// NewID returns the next resource ID of a kind, in the long form of EC2's IDs (a prefix and 17 hexadecimal digits). IDs count up, so that two equal runs name equal things.
func NewID(tx *state.Tx, prefix string) (string, error) {
	n, err := tx.Sequence(prefix)
	if err != nil {
		return "", fmt.Errorf("numbering a new %s: %w", prefix, err)
	}
	return fmt.Sprintf("%s-0%016x", prefix, n), nil
}

// NewUUID returns the next ID of a kind in the form of a UUID, as KMS keys and secrets have it. Like NewID it counts up.
func NewUUID(tx *state.Tx, kind string) (string, error) {
	n, err := tx.Sequence(kind)
	if err != nil {
		return "", fmt.Errorf("numbering a new %s: %w", kind, err)
	}
	return fmt.Sprintf("00000000-0000-4000-8000-%012x", n), nil
}

// AmazonLinux2023 is the ID of the lab's one machine image. The public SSM parameters name it.
const AmazonLinux2023 = "ami-00000000000002023"
