//go:build linux

package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"storefront/lab/daemon"
)

// daemon is the process behind the others. It reports on file descriptor 3, which `lab up` reads, when it has one.
func (l *lab) daemon() *cobra.Command {
	return &cobra.Command{
		Use: "daemon", Short: "Run the lab in the foreground", Args: noArgs, Hidden: true,
		RunE: func(c *cobra.Command, _ []string) error {
			report := os.NewFile(3, "report")
			err := daemon.Run(c.Context(), daemon.Options{Dir: l.dir, Port: l.port, Log: os.Stderr, Ready: func() {
				fmt.Fprintln(report, "ready")
				_ = report.Close()
			}})
			if err != nil {
				fmt.Fprintln(report, err)
			}
			return err
		},
	}
}
