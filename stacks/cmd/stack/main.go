// Command stack runs Pulumi on a stack of this project, with everything around it that a deployment needs: for the stack "lab" that is the lab
// itself, its credentials and scaled waits. `make up` and its siblings call it. It never changes what Pulumi does, only what Pulumi finds.
//
// Exit status: 0 done (drift: none), 1 failed (drift: found), 2 wrong usage (drift: the check itself failed), 130 interrupted.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"storefront/internal/clone"
	"syscall"
)

const usage = `usage: stack [-stack NAME] [-json] COMMAND

  up        deploy, and print the shop's URL
  preview   show what up would do
  drift     compare what was deployed with what is there: exit status 1 when something changed
  url       print the shop's URL
  drill     restore the backups of both stores into new ones, and compare
  down      destroy everything; for the stack "lab" also end the lab and delete its state
`

var (
	errUsage = errors.New("wrong usage")
	errDrift = errors.New("drift found")
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, os.Args[1:])
	if err != nil && !errors.Is(err, errDrift) && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "stack:", err)
	}
	os.Exit(status(ctx, err))
}

func status(ctx context.Context, err error) int {
	var check *checkError
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return 0
	case ctx.Err() != nil:
		return 130
	case errors.Is(err, errUsage), errors.As(err, &check):
		return 2
	}
	return 1
}

func run(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("stack", flag.ContinueOnError)
	flags.Usage = func() { fmt.Fprint(flags.Output(), usage) }
	name := flags.String("stack", "lab", "the stack: lab, dev or prod")
	json := flags.Bool("json", false, "print JSON")
	if err := flags.Parse(args); err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	commands := map[string]func(context.Context, *workspace) error{"up": up, "preview": preview, "drift": drift, "url": printURL, "drill": restoreDrill, "down": down}
	command, known := commands[flags.Arg(0)]
	if !known || flags.NArg() != 1 {
		flags.Usage()
		return fmt.Errorf("%w: want one command", errUsage)
	}
	root, err := clone.Root()
	if err != nil {
		return err
	}
	return command(ctx, &workspace{root: root, stack: *name, json: *json, out: os.Stdout})
}

// quiet runs a command and shows its output only when it fails.
func quiet(c *exec.Cmd) error {
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w\n%s", filepath.Base(c.Path), c.Args[1], err, out)
	}
	return nil
}
