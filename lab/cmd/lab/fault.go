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
		Use: "fault KIND TARGET", Short: "Break something, as AWS sometimes does", Args: cobra.ExactArgs(2),
		Long: "Break something, as AWS sometimes does. Kinds:\n" + strings.Join(daemon.FaultKinds(), "\n"),
		RunE: func(c *cobra.Command, args []string) error {
			if err := control.NewClient(l.dir).Inject(c.Context(), control.Fault{Kind: args[0], Target: args[1]}); err != nil {
				return err
			}
			fmt.Fprintf(c.OutOrStdout(), "lab: %s on %s\n", args[0], args[1])
			return nil
		},
	}
}
