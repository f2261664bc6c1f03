//go:build linux

package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"storefront/lab/control"
	"storefront/lab/daemon"
)

func (l *lab) env() *cobra.Command {
	return &cobra.Command{
		Use: "env", Short: "Print the environment for the AWS CLI, SDKs and Pulumi: eval \"$(lab env)\"", Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			s, err := control.NewClient(l.dir).Status(c.Context())
			if err != nil {
				return err
			}
			key, err := daemon.ReadCredential(l.dir)
			if err != nil {
				return err
			}
			for _, kv := range [][2]string{
				{"AWS_ENDPOINT_URL", s.Endpoint}, {"AWS_REGION", s.Region}, {"AWS_DEFAULT_REGION", s.Region},
				{"AWS_ACCESS_KEY_ID", key.ID}, {"AWS_SECRET_ACCESS_KEY", key.Secret},
			} {
				fmt.Fprintf(c.OutOrStdout(), "export %s=%s\n", kv[0], kv[1])
			}
			return nil
		},
	}
}

func (l *lab) url() *cobra.Command {
	return &cobra.Command{
		Use: "url [DNS-NAME]", Short: "Print where on 127.0.0.1 a load balancer answers", Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			s, err := control.NewClient(l.dir).Status(c.Context())
			if err != nil {
				return err
			}
			for _, b := range s.LoadBalancers {
				if (len(args) == 0 || strings.EqualFold(b.DNSName, args[0])) && len(b.URLs) > 0 {
					fmt.Fprintln(c.OutOrStdout(), preferred(b.URLs))
					return nil
				}
			}
			return errors.New("no internet-facing load balancer of that name; `lab status` lists them")
		},
	}
}

// preferred is the URL that serves: with a certificate, plain HTTP redirects to port 443, which is another one on this machine.
func preferred(urls []string) string {
	for _, u := range urls {
		if strings.HasPrefix(u, "https:") {
			return u
		}
	}
	return urls[0]
}

func (l *lab) logs() *cobra.Command {
	return &cobra.Command{
		Use: "logs [INSTANCE]", Short: "Print the log of the lab, or the console of an instance", Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			file := l.logFile()
			if len(args) == 1 {
				file = daemon.ConsoleFile(l.dir, filepath.Base(args[0]))
			}
			f, err := os.Open(file)
			if errors.Is(err, os.ErrNotExist) {
				return fmt.Errorf("there is no log %s: `lab status` lists the instances", file)
			}
			if err != nil {
				return err
			}
			defer f.Close()
			_, err = io.Copy(c.OutOrStdout(), f)
			return err
		},
	}
}

func (l *lab) exec() *cobra.Command {
	return &cobra.Command{
		Use: "exec INSTANCE -- COMMAND [ARG]...", Short: "Run a command inside an instance", Args: cobra.MinimumNArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			status, err := control.NewClient(l.dir).Exec(c.Context(), args[0], args[1:], c.InOrStdin(), c.OutOrStdout(), c.ErrOrStderr())
			if err == nil && status != 0 {
				err = exitStatus(status)
			}
			return err
		},
	}
}
