package main

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ebs"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// makeAccount sets what holds for everything in the account and region, when it belongs to this stack. It stays when the stack goes:
// others may rely on it by then.
func (st *stack) makeAccount(ctx *pulumi.Context) error {
	if !st.settings.Account {
		return nil
	}
	_, err := ebs.NewEncryptionByDefault(ctx, st.name, &ebs.EncryptionByDefaultArgs{Enabled: pulumi.Bool(true)}, st.provider, pulumi.RetainOnDelete(true))
	if err != nil {
		return fmt.Errorf("encrypting new volumes by default: %w", err)
	}
	return nil
}
