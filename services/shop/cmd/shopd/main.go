// Command shopd is the shop. `shopd product` serves the catalogue.
//
// It is configured by environment variables (see config.go), logs JSON lines to standard error, and ends on SIGTERM or SIGINT after the requests
// under way. Exit status: 0 after such a stop, 1 when it could not start or keep running, 2 for wrong usage or configuration.
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

var errUsage = errors.New("wrong usage")

func run(ctx context.Context, args []string, getenv func(string) string) error {
	if len(args) != 1 || args[0] != "product" {
		return fmt.Errorf("%w: want `shopd product`", errUsage)
	}
	c, err := readConfig(getenv)
	if err != nil {
		return err
	}
	log := slog.New(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: c.logLevel}))
	slog.SetDefault(log)
	return runProduct(ctx, c, log)
}
