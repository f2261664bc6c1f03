package ssm

import (
	"iter"
	"strings"
	"time"

	"storefront/lab/region"
	"storefront/lab/state"
)

// publicPrefix begins the names of AWS's own parameters, whose ARNs have no account.
const publicPrefix = "/aws/service/"

// publicNames are the public parameters of Amazon Linux 2023 for x86-64, in order, from "Launch Amazon Linux 2023 using the SSM parameter".
// In the lab all of them name the one image there is.
func publicNames() []string {
	const prefix = publicPrefix + "ami-amazon-linux-latest/al2023-ami-"
	return []string{prefix + "kernel-6.1-x86_64", prefix + "kernel-default-x86_64", prefix + "minimal-kernel-6.1-x86_64", prefix + "minimal-kernel-default-x86_64"}
}

func public(name string) parameter {
	return parameter{Name: name, Type: plain, DataType: "aws:ec2:image", Tier: "Standard",
		Versions: []version{{Number: 1, Value: region.AmazonLinux2023, Modified: time.Date(2024, 11, 1, 0, 0, 0, 0, time.UTC)}}}
}

// lookup returns a parameter of the account or of AWS, and whether there is one.
func lookup(tx *state.Tx, name string) (parameter, bool, error) {
	for _, n := range publicNames() {
		if n == name {
			return public(n), true, nil
		}
	}
	return parameters.Get(tx, name)
}

// under yields the parameters whose names begin with prefix, in order. Those of AWS are only among them when they are asked for by name.
func under(tx *state.Tx, prefix string) iter.Seq2[string, parameter] {
	if !strings.HasPrefix(prefix, publicPrefix) {
		return parameters.WithPrefix(tx, prefix)
	}
	return func(yield func(string, parameter) bool) {
		for _, name := range publicNames() {
			if strings.HasPrefix(name, prefix) && !yield(name, public(name)) {
				return
			}
		}
	}
}
