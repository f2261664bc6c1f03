// Command cost prints what a stack costs a month. `make cost` calls it.
//
// Without a file it runs the stack's program without AWS, with the committed settings of a profile, and prices what that declares. With one
// it prices what was deployed, or is about to be: an exported state or a preview. Where the stack is deployed from this clone, or a base is
// given, it also prints the change.
//
// Exit status: 0 done, 1 done but something has no price and is not in the sums, 2 wrong usage or no result.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"storefront/cost"
	"storefront/internal/clone"
	"storefront/internal/declare"
	"storefront/internal/inventory"
)

const usage = `usage: cost [-profile NAME] [-base FILE] [-usage FILE] [-assume NAME=NUMBER]... [-json | -markdown] [FILE]

  -profile NAME        lab, dev or prod: whose settings and whose use of a month count (prod)
  -base FILE           what to compare with, in the form of FILE; without it, the stack of the profile's name when it is deployed from this clone
  -usage FILE          YAML of names and numbers: what to assume of a month; cost/usage.yaml lists the names
  -assume NAME=NUMBER  one such assumption
  -json, -markdown     print JSON, or Markdown for a comment
  FILE                 what "pulumi stack export" or "pulumi preview --json --show-sames" wrote; - is standard input
`

// errMissing says that something has no price. The report tells what.
var errMissing = errors.New("something has no price")

func main() {
	err := run(context.Background(), os.Args[1:], os.Stdin, os.Stdout)
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
	case errors.Is(err, errMissing):
		os.Exit(1)
	default:
		fmt.Fprintln(os.Stderr, "cost:", err)
		os.Exit(2)
	}
}

// options are the command's flags.
type options struct {
	profile, base, usage string
	assume               []string
	json, markdown       bool
	file                 string
}

func parse(args []string) (*options, error) {
	var o options
	flags := flag.NewFlagSet("cost", flag.ContinueOnError)
	flags.Usage = func() { fmt.Fprint(flags.Output(), usage) }
	flags.StringVar(&o.profile, "profile", "prod", "")
	flags.StringVar(&o.base, "base", "", "")
	flags.StringVar(&o.usage, "usage", "", "")
	flags.Func("assume", "", func(text string) error { o.assume = append(o.assume, text); return nil })
	flags.BoolVar(&o.json, "json", false, "")
	flags.BoolVar(&o.markdown, "markdown", false, "")
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	switch {
	case flags.NArg() > 1:
		return nil, errors.New("want one file at most")
	case o.json && o.markdown:
		return nil, errors.New("want -json or -markdown, not both")
	case o.base == "-" && flags.Arg(0) == "-":
		return nil, errors.New("standard input is one file, not two")
	}
	o.file = flags.Arg(0)
	return &o, nil
}

func run(ctx context.Context, args []string, in io.Reader, out io.Writer) error {
	o, err := parse(args)
	if err != nil {
		return err
	}
	prices, err := cost.CommittedPrices()
	if err != nil {
		return err
	}
	assumed, err := o.assumptions()
	if err != nil {
		return err
	}
	stack, err := declare.Given(ctx, o.file, in, o.profile)
	if err != nil {
		return err
	}
	estimate := cost.Of(stack, prices, assumed)
	if o.file == "" {
		estimate.Left = leftOut()
	}
	base, with, err := o.baseline(in)
	if err != nil {
		return err
	}
	var comparison *cost.Comparison
	if base != nil {
		comparison = &cost.Comparison{Before: cost.Of(base, prices, assumed), After: estimate, With: with}
	}
	write := cost.WriteTable
	switch {
	case o.json:
		write = cost.WriteJSON
	case o.markdown:
		write = cost.WriteMarkdown
	}
	if err := write(out, estimate, comparison); err != nil {
		return err
	}
	if len(estimate.Missing) > 0 {
		return errMissing
	}
	return nil
}

func (o *options) assumptions() (cost.Usage, error) {
	assumed, err := cost.AssumedUsage(o.profile)
	if err != nil {
		return nil, err
	}
	if o.usage != "" {
		text, err := os.ReadFile(o.usage)
		if err != nil {
			return nil, err
		}
		if err := assumed.Replace(text); err != nil {
			return nil, fmt.Errorf("%s: %w", o.usage, err)
		}
	}
	for _, text := range o.assume {
		if err := assumed.Assume(text); err != nil {
			return nil, err
		}
	}
	return assumed, nil
}

// baseline returns what to compare with, or nil when there is nothing.
func (o *options) baseline(in io.Reader) (*inventory.Stack, string, error) {
	if o.base != "" {
		stack, err := inventory.Read(o.base, in)
		return stack, "the base", err
	}
	root, err := clone.Root()
	if err != nil {
		return nil, "", nil // a file alone needs no clone
	}
	stack, err := inventory.Deployed(root, o.profile)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil, "", nil
	case err == nil && o.file == "":
		stack = stack.Without(declare.LeftOut()...)
	}
	return stack, "the deployed stack " + o.profile, err
}

// leftOut says what declare.LeftOut costs.
func leftOut() []string {
	return []string{"policies of Firewall Manager, 100 dollars each, where the account administers it (a deployed stack or a preview has them)"}
}
