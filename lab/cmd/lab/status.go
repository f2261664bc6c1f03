//go:build linux

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"storefront/lab/control"
)

func (l *lab) status() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "status", Short: "Show what runs in the lab, and which calls it refused", Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			s, err := control.NewClient(l.dir).Status(c.Context())
			if err != nil {
				return err
			}
			if asJSON {
				e := json.NewEncoder(c.OutOrStdout())
				e.SetIndent("", "  ")
				return e.Encode(s)
			}
			return printStatus(c.OutOrStdout(), s)
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

func printStatus(out io.Writer, s control.Status) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "endpoint\t%s\nregion\t%s, account %s\n", s.Endpoint, s.Region, s.Account)
	fmt.Fprintf(w, "daemon\tprocess %d, up %s, %d MB\n", s.PID, time.Since(s.Started).Round(time.Second), s.MemoryBytes>>20)
	for _, kind := range slices.Sorted(maps.Keys(s.Resources)) {
		fmt.Fprintf(w, "%s\t%d\n", kind, s.Resources[kind])
	}
	for _, i := range s.Instances {
		fmt.Fprintf(w, "instance\t%s\t%s\t%s\t%s\n", i.ID, i.State, i.Zone, i.IP)
	}
	for _, b := range s.LoadBalancers {
		fmt.Fprintf(w, "load balancer\t%s\t%s\t%s\n", b.Name, b.State, strings.Join(b.URLs, " "))
	}
	for _, d := range s.Databases {
		fmt.Fprintf(w, "database\t%s\t%s\t%s\t%s\n", d.ID, d.Role, d.Status, d.Cluster)
	}
	for _, c := range s.Caches {
		fmt.Fprintf(w, "cache\t%s\t%s\t%s\t%s\n", c.ID, c.Role, c.Status, c.Group)
	}
	for _, d := range s.SearchDomains {
		fmt.Fprintf(w, "search domain\t%s\t%s\t%s, %d nodes\t%s\n", d.Name, d.Status, d.Health, d.Nodes, d.Endpoint)
	}
	for _, f := range s.Faults {
		fmt.Fprintf(w, "fault\t%s\t%s\tin force\n", f.Kind, f.Target)
	}
	for _, u := range s.Unsupported {
		fmt.Fprintf(w, "refused\t%s %s\t%d times: the lab does not serve it\n", u.Service, u.Operation, u.Count)
	}
	for _, d := range s.Denied {
		fmt.Fprintf(w, "denied\t%s\t%s\t%s\t%d times\n", d.Principal, d.Action, d.Resource, d.Count)
	}
	return w.Flush()
}
