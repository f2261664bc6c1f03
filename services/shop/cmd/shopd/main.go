// Command shopd is the shop. `shopd product` serves the catalogue, `shopd order` takes orders, `shopd summary` applies them and serves their
// summaries; one process can have several roles, as in `shopd product order`.
//
// It is configured by environment variables (see config.go), logs JSON lines to standard error, and ends on SIGTERM or SIGINT after the requests
// and messages under way. Exit status: 0 after such a stop, 1 when it could not start or keep running, 2 for wrong usage or configuration.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Getenv); err != nil {
		fmt.Fprintln(os.Stderr, "shopd:", err)
		if errors.Is(err, errUsage) {
			os.Exit(2)
		}
		os.Exit(1)
	}
}

// version is what the build is called, shown with every answer: go build -ldflags "-X main.version=1.2.3". Empty, as it is by default, equal sources make equal programs.
var version string

var errUsage = errors.New("wrong usage")

func run(ctx context.Context, args []string, getenv func(string) string) error {
	r, err := readRoles(args)
	if err != nil {
		return err
	}
	c, err := readConfig(r, getenv)
	if err != nil {
		return err
	}
	log := slog.New(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: c.logLevel}))
	slog.SetDefault(log)
	return serve(ctx, c, log)
}

// roles are what one process does.
type roles struct{ product, order, summary bool }

func readRoles(args []string) (r roles, err error) {
	known := map[string]*bool{"product": &r.product, "order": &r.order, "summary": &r.summary}
	for _, arg := range args {
		role := known[arg]
		if role == nil || *role {
			return roles{}, fmt.Errorf("%w: %q: want `shopd ROLE...`, each role at most once: product, order, summary", errUsage, arg)
		}
		*role = true
	}
	if len(args) == 0 {
		return roles{}, fmt.Errorf("%w: want `shopd ROLE...` with one or more of product, order, summary", errUsage)
	}
	return r, nil
}
