// Command ci does the jobs of continuous integration. `make ci-preview` and its siblings call it; docs/ci.md says what each needs.
//
// Exit status: 0 done, 1 the preview or a check failed (the report says which), 2 wrong usage or no result, 130 interrupted. Drift that was
// found is a result: drift.json has it.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"storefront/ci"
	"storefront/ci/github"
	"storefront/internal/clone"
	"storefront/internal/drift"
)

const usage = `usage: ci COMMAND [FLAG...]

  preview  write report.md, preview.json, cost.md and checks.json about what a deployment would change
  drift    write report.md and drift.json about what changed outside Pulumi
  comment  post report.md on a pull request, or bring the comment there up to date
  issue    open an issue with report.md, bring it up to date, or close it when drift.json has none

  -out DIR       where reports are (ci-report)
  -stack NAME    lab, dev or prod (lab)
  -profile NAME  of preview: whose settings are checked and priced (the stack's name)
  -plan FILE     of preview: keep the plan there, for "stack -plan FILE up"
  -note TEXT     of preview and drift: a line for the report, such as the commit
  -number N      of comment: the pull request

comment and issue take GITHUB_TOKEN, GITHUB_REPOSITORY, GITHUB_API_URL (https://api.github.com) and GITHUB_AUTHOR, the login that the token
posts as (github-actions[bot]), from the environment.
`

// errFailed says that the preview or a check failed. The report tells which.
var errFailed = errors.New("the preview or a check failed")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, os.Args[1:], os.Stdout, os.Getenv)
	if err != nil && !errors.Is(err, flag.ErrHelp) && ctx.Err() == nil {
		fmt.Fprintln(os.Stderr, "ci:", err)
	}
	os.Exit(status(ctx, err))
}

func status(ctx context.Context, err error) int {
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return 0
	case ctx.Err() != nil:
		return 130
	case errors.Is(err, errFailed):
		return 1
	}
	return 2
}

// command is one call of the program.
type command struct {
	ci.Job
	number int
	out    io.Writer
	client github.Client
}

func run(ctx context.Context, args []string, out io.Writer, env func(string) string) error {
	c := command{out: out, client: github.Client{
		URL: cmp.Or(env("GITHUB_API_URL"), "https://api.github.com"), Repository: env("GITHUB_REPOSITORY"), Token: env("GITHUB_TOKEN"),
		Author: cmp.Or(env("GITHUB_AUTHOR"), "github-actions[bot]"),
	}}
	commands := map[string]func(context.Context) error{"preview": c.preview, "drift": c.drift, "comment": c.comment, "issue": c.issue}
	if len(args) == 0 || commands[args[0]] == nil {
		fmt.Fprint(os.Stderr, usage)
		if len(args) > 0 {
			return fmt.Errorf("%q is no command", args[0])
		}
		return errors.New("want a command")
	}
	flags := flag.NewFlagSet("ci", flag.ContinueOnError)
	flags.Usage = func() { fmt.Fprint(flags.Output(), usage) }
	flags.StringVar(&c.Out, "out", "ci-report", "")
	flags.StringVar(&c.Stack, "stack", "lab", "")
	flags.StringVar(&c.Profile, "profile", "", "")
	flags.StringVar(&c.Plan, "plan", "", "")
	flags.StringVar(&c.Note, "note", "", "")
	flags.IntVar(&c.number, "number", 0, "")
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("%q is too much", flags.Arg(0))
	}
	root, err := clone.Root()
	if err != nil {
		return err
	}
	c.Bin, c.Log, c.Profile = filepath.Join(root, "bin"), os.Stderr, cmp.Or(c.Profile, c.Stack)
	return commands[args[0]](ctx)
}

func (c *command) preview(ctx context.Context) error {
	p, err := c.Preview(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(c.out, "ci: wrote %s\n", filepath.Join(c.Out, "report.md"))
	if p.Failed() {
		return errFailed
	}
	return nil
}

func (c *command) drift(ctx context.Context) error {
	report, err := c.Drift(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(c.out, "ci: %d resources drifted; wrote %s\n", len(report.Drifted), filepath.Join(c.Out, "report.md"))
	return nil
}

func (c *command) comment(ctx context.Context) error {
	if c.number <= 0 {
		return errors.New("-number wants the number of a pull request")
	}
	body, err := os.ReadFile(filepath.Join(c.Out, "report.md"))
	if err != nil {
		return err
	}
	if err := c.client.Check(); err != nil {
		return err
	}
	return c.client.Comment(ctx, c.number, string(body))
}

func (c *command) issue(ctx context.Context) error {
	text, err := os.ReadFile(filepath.Join(c.Out, "drift.json"))
	if err != nil {
		return err
	}
	report, err := drift.Read(text)
	if err != nil {
		return err
	}
	if err := c.client.Check(); err != nil {
		return err
	}
	if len(report.Drifted) == 0 {
		return c.client.Close(ctx, ci.Marker("drift", c.Stack), fmt.Sprintf("No drift any more in %d resources.", report.Looked))
	}
	body, err := os.ReadFile(filepath.Join(c.Out, "report.md"))
	if err != nil {
		return err
	}
	return c.client.Open(ctx, fmt.Sprintf("Drift of the stack %s", c.Stack), string(body))
}
