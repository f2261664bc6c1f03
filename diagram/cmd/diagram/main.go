// Command diagram draws a stack as SVG. `make diagram` calls it.
//
// Without a file it draws the stack that was deployed from this clone under the name, or where none was, what the program declares with the
// committed settings of that name, without AWS.
//
// Exit status: 0 drawn, 1 not drawn, 2 wrong usage.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"storefront/diagram"
	"storefront/internal/clone"
	"storefront/internal/declare"
	"storefront/internal/inventory"
)

const usage = `usage: diagram [-declared] [-out FILE] [-stack NAME] [FILE]

  -stack NAME  the stack to draw: lab, dev or prod (lab)
  -declared    draw what the program declares, also where the stack is deployed
  -out FILE    where to write; - is standard output (-)
  FILE         what "pulumi stack export" or "pulumi preview --json --show-sames" wrote; - is standard input
`

var errUsage = errors.New("wrong usage")

func main() {
	err := run(context.Background(), os.Args[1:], os.Stdin, os.Stdout)
	if err == nil || errors.Is(err, flag.ErrHelp) {
		return
	}
	fmt.Fprintln(os.Stderr, "diagram:", err)
	if errors.Is(err, errUsage) {
		os.Exit(2)
	}
	os.Exit(1)
}

func run(ctx context.Context, args []string, in io.Reader, out io.Writer) error {
	flags := flag.NewFlagSet("diagram", flag.ContinueOnError)
	flags.Usage = func() { fmt.Fprint(flags.Output(), usage) }
	name := flags.String("stack", "lab", "")
	declared := flags.Bool("declared", false, "")
	to := flags.String("out", "-", "")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return err
		}
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	if flags.NArg() > 1 {
		return fmt.Errorf("%w: want one file at most", errUsage)
	}
	stack, source, err := find(ctx, *name, flags.Arg(0), *declared, in)
	if err != nil {
		return err
	}
	picture, err := diagram.SVG(stack, source)
	if err != nil {
		return err
	}
	if *to == "-" {
		_, err = out.Write(picture)
		return err
	}
	if err := os.WriteFile(*to, picture, 0o644); err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "diagram: %s: %s\n", *to, source)
	return err
}

// find returns the stack to draw, and words for where it comes from.
func find(ctx context.Context, name, file string, declared bool, in io.Reader) (*inventory.Stack, string, error) {
	if file != "" {
		stack, err := inventory.Read(file, in)
		return stack, "from a state or a preview", err
	}
	root, err := clone.Root()
	if err != nil {
		return nil, "", err
	}
	if !declared {
		stack, err := inventory.Deployed(root, name)
		if !errors.Is(err, os.ErrNotExist) {
			return stack, "as it is deployed", err
		}
	}
	stack, err := declare.Stack(ctx, root, name)
	return stack, diagram.Declared(name), err
}
