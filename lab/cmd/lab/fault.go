//go:build linux

package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"storefront/lab/control"
	"storefront/lab/daemon"
)

func (l *lab) fault() *cobra.Command {
	return &cobra.Command{
		Use: "fault KIND TARGET...", Short: "Break something, as AWS sometimes does", Args: faultArgs,
		Long: "Break something, as AWS sometimes does. `lab status` shows what is in force; nothing outlives the daemon. Kinds:\n" + strings.Join(daemon.FaultKinds(), "\n"),
		RunE: func(c *cobra.Command, args []string) error {
			f := control.Fault{Kind: args[0], Target: strings.Join(args[1:], " ")}
			if err := control.NewClient(l.dir).Inject(c.Context(), f); err != nil {
				return err
			}
			fmt.Fprintf(c.OutOrStdout(), "lab: %s on %s\n", f.Kind, f.Target)
			return nil
		},
	}
}

func faultArgs(_ *cobra.Command, args []string) error {
	if len(args) < 2 {
		return fmt.Errorf("%w: a fault has a kind and a target; `lab fault --help` lists them", errUsage)
	}
	return nil
}
