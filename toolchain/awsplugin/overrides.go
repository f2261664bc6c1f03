package main

import (
	"errors"
	"fmt"

	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
)

// override applies what pulumi-aws changes in single types.
func override(info *tfbridge.ProviderInfo) error {
	var errs []error
	return errors.Join(errs...)
}

func unknown(name string) error { return fmt.Errorf("override of %s, which tokens.txt does not have", name) }
