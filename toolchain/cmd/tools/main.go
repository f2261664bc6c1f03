// Command tools gets a clone ready to run: Pulumi with its Go language host and aws plugin, and the system's packages
// that the lab needs. `make tools` runs it; see docs/toolchain.md.
//
// Exit status: 0 done, 1 a step failed, 2 wrong call, 3 the user has to do something first (the last line says what),
// 130 interrupted.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"storefront/toolchain/internal/cache"
	"storefront/toolchain/internal/debian"
	"storefront/toolchain/internal/fetch"
	"storefront/toolchain/internal/install"
	"storefront/toolchain/internal/progress"
)

const usage = `usage: tools [-root DIR] [COMMAND]

  install    pulumi, its Go language host and the aws plugin (the default)
  packages   the system packages that the lab needs (PostgreSQL, Redis, nftables, iproute2)
  test       the aws plugin's own tests; further arguments go to "go test"
  clean      remove built tools from the cache

TOOLCHAIN=build builds everything from Go modules, TOOLCHAIN=system builds nothing.
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, os.Args[1:])
	if err != nil && ctx.Err() == nil {
		fmt.Fprintln(os.Stderr, "tools:", err)
	}
	os.Exit(status(ctx, err))
}

func status(ctx context.Context, err error) int {
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return 0
	case ctx.Err() != nil:
		return 130
	case errors.As(err, new(usageError)):
		return 2
	case errors.Is(err, debian.ErrManual):
		return 3
	default:
		return 1
	}
}

type usageError struct{ error }

func run(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("tools", flag.ContinueOnError)
	flags.Usage = func() { fmt.Fprint(flags.Output(), usage) }
	root := flags.String("root", "", "the clone; default: the nearest directory upwards that has toolchain/go.mod")
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return err
	} else if err != nil {
		return usageError{err}
	}
	command := flags.Arg(0)
	if command != "test" && flags.NArg() > 1 {
		return usageError{fmt.Errorf("%s takes no arguments", command)}
	}
	log := &progress.Log{Out: os.Stderr}
	switch command {
	case "packages":
		return debian.Host{}.Check(ctx, func(ctx context.Context, packages []string) error {
			return log.Step(ctx, "install "+strings.Join(packages, ", "), func(ctx context.Context) error {
				return debian.Install(ctx, packages)
			})
		})
	case "", "install", "test", "clean":
		installer, err := newInstaller(*root, log)
		if err != nil {
			return err
		}
		switch command {
		case "test":
			return installer.TestPlugin(ctx, append(flags.Args()[1:], "./...")...)
		case "clean":
			return installer.Cache.Clean()
		default:
			return installer.All(ctx)
		}
	default:
		return usageError{fmt.Errorf("unknown command %q; see tools -help", command)}
	}
}

func newInstaller(root string, log *progress.Log) (*install.Installer, error) {
	mode, err := install.ParseMode(os.Getenv("TOOLCHAIN"))
	if err != nil {
		return nil, usageError{err}
	}
	if root, err = findRoot(root); err != nil {
		return nil, usageError{err}
	}
	tools, err := cache.Open("")
	if err != nil {
		return nil, err
	}
	return &install.Installer{
		Root: root, Mode: mode, Cache: tools, Log: log, Source: fetch.Official(), Home: pulumiHome(),
	}, nil
}

// findRoot returns the clone that root names, or that the working directory lies in.
func findRoot(root string) (string, error) {
	start, err := filepath.Abs(root)
	if err != nil {
		return "", err
	}
	for dir := start; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "toolchain", "go.mod")); err == nil {
			return dir, nil
		}
		if root != "" || dir == filepath.Dir(dir) {
			return "", fmt.Errorf("%s is no clone of storefront: it has no toolchain/go.mod", start)
		}
	}
}

// pulumiHome is where the user's own Pulumi keeps its plugins.
func pulumiHome() string {
	if home := os.Getenv("PULUMI_HOME"); home != "" {
		return home
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return ""
	}
	return filepath.Join(home, ".pulumi")
}
