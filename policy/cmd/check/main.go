// Command check prints the security scoreboard of a stack. `make check` calls it.
//
// Without a file it runs the stack's program without AWS, with the committed settings of a profile, and judges what that declares.
// With one it judges what was deployed, or is about to be: an exported state or a preview.
//
// Exit status: 0 nothing failed, 1 something did, 2 wrong usage or no result.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"storefront/internal/declare"
	"storefront/policy"
)

const usage = `usage: check [-profile NAME] [-json] [FILE]

  -profile NAME  prod or dev: whose settings and exceptions count (prod)
  -json          print JSON
  FILE           what "pulumi stack export" or "pulumi preview --json --show-sames" wrote; - is standard input
`

var errFailed = errors.New("rows failed")

func main() {
	err := run(context.Background(), os.Args[1:], os.Stdin, os.Stdout)
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
	case errors.Is(err, errFailed):
		os.Exit(1)
	default:
		fmt.Fprintln(os.Stderr, "check:", err)
		os.Exit(2)
	}
}

func run(ctx context.Context, args []string, in io.Reader, out io.Writer) error {
	flags := flag.NewFlagSet("check", flag.ContinueOnError)
	flags.Usage = func() { fmt.Fprint(flags.Output(), usage) }
	profile := flags.String("profile", "prod", "")
	asJSON := flags.Bool("json", false, "")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 1 {
		return errors.New("want one file at most")
	}
	exceptions, err := policy.Exceptions(*profile)
	if err != nil {
		return err
	}
	stack, err := declare.Given(ctx, flags.Arg(0), in, *profile)
	if err != nil {
		return err
	}
	results, unused := policy.Evaluate(stack, exceptions)
	write := policy.WriteTable
	if *asJSON {
		write = policy.WriteJSON
	}
	if err := write(out, results); err != nil {
		return err
	}
	if unused != nil {
		return unused
	}
	if policy.Count(results, policy.Failed) > 0 {
		return errFailed
	}
	return nil
}
