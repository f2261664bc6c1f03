//go:build linux

// Command lab is the local AWS region: it starts and stops its daemon, shows what runs in it, and injects faults.
//
// Exit status: 0 done, 1 failed, 2 wrong usage; `lab exec` passes on the status of the command it ran.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"syscall"

	"github.com/spf13/cobra"

	"storefront/lab/instance"
)

// lab is what the flags of every command say.
type lab struct {
	dir  string // holds everything that the lab keeps
	port int    // of the endpoint on 127.0.0.1
}

func main() {
	// Inside an instance this program is its init and the stand-ins for the commands of Amazon Linux.
	if code, mine := instance.Main(os.Args); mine {
		os.Exit(code)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := root().ExecuteContext(ctx)
	var status exitStatus
	switch {
	case err == nil:
	case errors.As(err, &status):
		os.Exit(int(status))
	default:
		fmt.Fprintln(os.Stderr, "lab:", err)
		if errors.Is(err, errUsage) {
			os.Exit(2)
		}
		os.Exit(1)
	}
}

var errUsage = errors.New("wrong usage")

// exitStatus is that of a command inside an instance.
type exitStatus int

// Error implements error.
func (s exitStatus) Error() string { return fmt.Sprintf("the command ended with status %d", int(s)) }

func root() *cobra.Command {
	l := &lab{}
	c := &cobra.Command{Use: "lab", Short: "A local AWS region in one daemon", SilenceErrors: true, SilenceUsage: true}
	c.PersistentFlags().StringVar(&l.dir, "dir", defaultDir(), "directory of the lab (LAB_DIR)")
	port := c.PersistentFlags().String("port", defaultPort(), "port of the endpoint on 127.0.0.1 (LAB_PORT)")
	c.PersistentPreRunE = func(*cobra.Command, []string) (err error) {
		if l.port, err = parsePort(*port); err != nil {
			return err
		}
		l.dir, err = filepath.Abs(l.dir) // the daemon works in another directory
		return err
	}
	c.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return fmt.Errorf("%w: %w", errUsage, err) })
	c.AddCommand(l.up(), l.down(), l.reset(), l.status(), l.env(), l.url(), l.logs(), l.exec(), l.fault(), l.daemon())
	return c
}

// defaultDir is a system directory for root, since PostgreSQL, which refuses to run as root, must be able to reach its data there.
func defaultDir() string {
	if dir := os.Getenv("LAB_DIR"); dir != "" {
		return dir
	}
	if os.Geteuid() == 0 {
		return "/var/lib/storefront-lab"
	}
	if dir := os.Getenv("XDG_STATE_HOME"); dir != "" {
		return filepath.Join(dir, "storefront-lab")
	}
	home, err := os.UserHomeDir()
	if err != nil {
		home = os.TempDir()
	}
	return filepath.Join(home, ".local", "state", "storefront-lab")
}

func defaultPort() string {
	if port := os.Getenv("LAB_PORT"); port != "" {
		return port
	}
	return "4566"
}

func parsePort(text string) (int, error) {
	port, err := strconv.ParseUint(text, 10, 16)
	if err != nil || port == 0 {
		return 0, fmt.Errorf("%w: the port %q (--port, LAB_PORT) is no number from 1 to 65535", errUsage, text)
	}
	return int(port), nil
}

func noArgs(c *cobra.Command, args []string) error {
	if len(args) > 0 {
		return fmt.Errorf("%w: `%s` takes no arguments", errUsage, c.CommandPath())
	}
	return nil
}
