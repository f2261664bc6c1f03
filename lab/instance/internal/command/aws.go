package command

import (
	"fmt"
	"os"
	"slices"
	"strings"
)

// supported is what the stand-in for the AWS CLI tells about itself when it is asked for more.
const supported = "the lab's aws knows: s3 cp, sts get-caller-identity, secretsmanager get-secret-value, autoscaling complete-lifecycle-action, " +
	"autoscaling record-lifecycle-action-heartbeat, elbv2 deregister-targets, --version"

// awsVersion is what --version says.
const awsVersion = "aws-cli/2.0.0 storefront-lab"

// invocation is a command line of the AWS CLI: words, and options by name without dashes.
type invocation struct {
	words   []string
	options map[string]string
}

// flags are the options that take no value. They only change what the real CLI prints on the way.
var flags = []string{"no-progress", "quiet", "only-show-errors", "no-cli-pager", "no-cli-auto-prompt", "no-paginate"}

// parse reads a command line.
func parse(args []string) (invocation, error) {
	in := invocation{options: map[string]string{}}
	for i := 0; i < len(args); i++ {
		name, isOption := strings.CutPrefix(args[i], "--")
		name, value, has := strings.Cut(name, "=")
		switch {
		case !isOption:
			in.words = append(in.words, args[i])
		case slices.Contains(flags, name):
			in.options[name] = "true"
		case has:
			in.options[name] = value
		case i+1 == len(args):
			return in, fmt.Errorf("the option --%s needs a value", name)
		default:
			i++
			in.options[name] = args[i]
		}
	}
	return in, nil
}

// only refuses options that are neither global nor among the names.
func (in invocation) only(names ...string) error {
	names = append(append(names, flags...), "region", "endpoint-url", "output", "query", "cli-connect-timeout", "cli-read-timeout")
	for name := range in.options {
		if !slices.Contains(names, name) {
			return fmt.Errorf("unknown option --%s; %s", name, supported)
		}
	}
	if output := in.options["output"]; output != "" && output != "json" && output != "text" {
		return fmt.Errorf("the lab's aws prints json and text, not %s", output)
	}
	return nil
}

// aws is the stand-in for the AWS CLI. Exit statuses are the CLI's: 252 for a command line that it does not understand, 253 without credentials, 254 when AWS
// answers with an error, 1 when a transfer fails.
func aws(args []string) int {
	if len(args) == 1 && args[0] == "--version" {
		fmt.Println(awsVersion)
		return 0
	}
	in, err := parse(args)
	if err != nil {
		fmt.Fprintln(os.Stderr, "aws:", err)
		return 252
	}
	name := strings.Join(in.words[:min(2, len(in.words))], " ")
	operation, isCall := operations[name]
	switch {
	case name == "s3 cp":
		err = in.copy()
	case isCall && len(in.words) == 2:
		err = in.call(operation)
	default:
		err = usageError(fmt.Sprintf("%q is not supported; %s", strings.Join(in.words, " "), supported))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "aws:", err)
		return exitStatus(err)
	}
	return 0
}
