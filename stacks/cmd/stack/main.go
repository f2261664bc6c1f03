// Command stack runs Pulumi on a stack of this project, with everything around it that a deployment needs: for the stack "lab" that is the lab
// itself, its credentials and scaled waits. `make up` and its siblings call it. It never changes what Pulumi does, only what Pulumi finds.
//
// Exit status: 0 done (drift: none), 1 failed (drift: found), 2 wrong usage (drift: the check itself failed),
// 3 deployed, but new servers were refused and the former version serves (up), 130 interrupted.
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
	"regexp"
	"strings"
	"syscall"

	"storefront/internal/clone"
)

const usage = `usage: stack [FLAG...] COMMAND [FLAG...]

  up        deploy, wait until new servers have taken over, and print the shop's URL
  preview   show what up would do
  show FILE what a kept preview or plan would do
  export    print the stack's state
  drift     compare what was deployed with what is there: exit status 1 when something changed
  url       print the shop's URL
  drill     restore the backups of both stores into new ones, and compare
  down      destroy everything; for the stack "lab" also end the lab and delete its state

  -stack NAME  lab, dev or prod (lab)
  -json        of preview, show and drift: print JSON
  -markdown    of preview, show and drift: print Markdown, for a comment or an issue
  -save FILE   of preview: keep what Pulumi says of every resource, which check, cost and show read
  -plan FILE   of preview: keep the plan there; of up: deploy what that plan says and nothing else
  -refresh     of up: look first at what is there, and so repair drift
  -trace FILE  of up: keep what Pulumi and its plugins did when (OpenTelemetry, JSON)
  -set KEY=VALUE  of up and preview, in the lab: a setting for this run alone, like zones=3
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
	case errors.Is(err, errRefused):
		return 3
	}
	return 1
}

// flags are what commands can be told.
type flags struct {
	json, markdown, refresh bool
	save, plan, trace       string // files
	file                    string // of show
	set                     []setting
}

// setting is one of the stack's, in the form of its settings file but for the namespace.
type setting struct{ key, value string }

func run(ctx context.Context, args []string) error {
	w := &workspace{out: os.Stdout}
	name, err := w.parse(args)
	if err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	commands := map[string]func(context.Context, *workspace) error{
		"up": up, "preview": preview, "show": showPlan, "export": export, "drift": drift, "url": printURL, "drill": restoreDrill, "down": down,
	}
	command, known := commands[name]
	if !known {
		fmt.Fprint(os.Stderr, usage)
		if name != "" {
			return fmt.Errorf("%w: %q is no command", errUsage, name)
		}
		return fmt.Errorf("%w: want one command", errUsage)
	}
	if w.root, err = clone.Root(); err != nil {
		return err
	}
	return command(ctx, w)
}

// parse takes flags before and after the command, and returns the command's name.
func (w *workspace) parse(args []string) (string, error) {
	set := flag.NewFlagSet("stack", flag.ContinueOnError)
	set.Usage = func() { fmt.Fprint(set.Output(), usage) }
	set.StringVar(&w.stack, "stack", "lab", "")
	set.BoolVar(&w.json, "json", false, "")
	set.BoolVar(&w.markdown, "markdown", false, "")
	set.StringVar(&w.trace, "trace", "", "")
	set.BoolVar(&w.refresh, "refresh", false, "")
	set.StringVar(&w.save, "save", "", "")
	set.StringVar(&w.plan, "plan", "", "")
	set.Func("set", "", func(text string) error {
		key, value, ok := strings.Cut(text, "=")
		if !ok || !settingForm.MatchString(key) || strings.ContainsAny(value, "\r\n") {
			return errors.New("want KEY=VALUE")
		}
		w.set = append(w.set, setting{key, value})
		return nil
	})
	if err := set.Parse(args); err != nil {
		return "", err
	}
	name := set.Arg(0)
	if err := set.Parse(set.Args()[min(1, set.NArg()):]); err != nil {
		return "", err
	}
	rest := set.Args()
	if name == "show" && len(rest) > 0 {
		w.file = rest[0]
		if err := set.Parse(rest[1:]); err != nil {
			return "", err
		}
		rest = set.Args()
	}
	switch {
	case len(rest) > 0:
		return "", fmt.Errorf("%q is too much", rest[0])
	case name == "show" && w.file == "":
		return "", errors.New("show wants a file")
	case w.json && w.markdown:
		return "", errors.New("-json and -markdown exclude each other")
	case len(w.set) > 0 && !w.isLab():
		return "", fmt.Errorf("-set is for the lab: what %s is to be stands in Pulumi.%s.yaml", w.stack, w.stack)
	}
	for _, file := range []*string{&w.save, &w.plan, &w.trace} {
		if *file != "" { // Pulumi runs in another directory
			var err error
			if *file, err = filepath.Abs(*file); err != nil {
				return "", err
			}
		}
	}
	return name, nil
}

var settingForm = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9]*$`)

// quiet runs a command and shows its output only when it fails.
func quiet(c *exec.Cmd) error {
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w\n%s", filepath.Base(c.Path), c.Args[1], err, out)
	}
	return nil
}
