package command

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	"storefront/lab/instance/internal/control"
)

// systemctl asks the machine's first process.
func systemctl(args []string) int {
	request, quiet, err := parseSystemctl(args)
	if err != nil {
		fmt.Fprintln(os.Stderr, "systemctl:", err)
		return 1
	}
	response, err := ask(request)
	if err != nil {
		fmt.Fprintln(os.Stderr, "systemctl:", err)
		return 1
	}
	if !quiet {
		fmt.Print(response.Output)
	}
	fmt.Fprint(os.Stderr, response.Error)
	return response.Exit
}

// verbs are those of systemctl that the first process knows, and whether they take units.
var verbs = map[string]bool{"start": true, "stop": true, "restart": true, "try-restart": true, "condrestart": true, "reload": true, "reload-or-restart": true,
	"enable": true, "disable": true, "reenable": true, "status": true, "is-active": true, "is-failed": true, "is-enabled": true, "show": true, "kill": true,
	"reset-failed": true, "daemon-reload": false, "daemon-reexec": false, "list-units": false, "poweroff": false, "reboot": false}

// parseSystemctl reads a command line of systemctl(1).
func parseSystemctl(args []string) (request control.Request, quiet bool, err error) {
	for i := 0; i < len(args); i++ {
		arg := args[i]
		name, value, has := strings.Cut(arg, "=")
		next := func() string {
			if !has && i+1 < len(args) {
				i++
				value = args[i]
			}
			return value
		}
		switch {
		case arg == "--now":
			request.Now = true
		case arg == "-q" || arg == "--quiet":
			quiet = true
		case slices.Contains([]string{"--no-pager", "-l", "--full", "--system", "--no-block", "--no-ask-password", "--no-reload", "-f", "--force", "--plain", "--no-legend"}, arg):
		case name == "-p" || name == "--property":
			request.Args = append(request.Args, strings.Split(next(), ",")...)
		case strings.HasPrefix(arg, "-p") && !strings.HasPrefix(arg, "--"):
			request.Args = append(request.Args, strings.Split(arg[2:], ",")...)
		case arg == "--value":
			request.Args = append(request.Args, arg)
		case name == "-s" || name == "--signal":
			request.Args = append(request.Args, next())
		case strings.HasPrefix(arg, "-"):
			return request, quiet, fmt.Errorf("the lab's systemctl does not know the option %s", arg)
		case request.Verb == "":
			request.Verb = arg
		default:
			request.Units = append(request.Units, arg)
		}
	}
	if request.Verb == "" {
		request.Verb = "list-units"
	}
	units, known := verbs[request.Verb]
	switch {
	case !known:
		return request, quiet, fmt.Errorf("unknown command verb %s; the lab's systemctl manages services only", request.Verb)
	case units && len(request.Units) == 0:
		return request, quiet, fmt.Errorf("too few arguments: %s needs a unit", request.Verb)
	}
	return request, quiet, nil
}

// ask asks the first process.
func ask(request control.Request) (control.Response, error) {
	conn, err := control.Dial()
	if err != nil {
		return control.Response{}, fmt.Errorf("connecting to the first process: %w", err)
	}
	defer conn.Close()
	return control.Ask(context.Background(), conn, request)
}

// power asks the first process to end the machine.
func power(verb string) int {
	response, err := ask(control.Request{Verb: verb})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	fmt.Fprint(os.Stderr, response.Error)
	return response.Exit
}

func powerOff([]string) int { return power(control.PowerOff) }
func reboot([]string) int   { return power(control.Reboot) }

// shutdown understands "-h", "-P", "-H" and "-r" with the time "now".
func shutdown(args []string) int {
	verb := control.PowerOff
	for i, arg := range args {
		switch {
		case arg == "-r" || arg == "--reboot":
			verb = control.Reboot
		case arg == "-h" || arg == "-P" || arg == "-H" || arg == "--poweroff" || arg == "--halt" || arg == "now" || arg == "+0":
		case i > 0 && args[i-1] == "now":
			// the message for those who are logged in: nobody is
		default:
			fmt.Fprintf(os.Stderr, "shutdown: the lab's machines shut down now or not at all, not with %q\n", arg)
			return 1
		}
	}
	if !slices.Contains(args, "now") && !slices.Contains(args, "+0") {
		fmt.Fprintln(os.Stderr, "shutdown: the lab's machines shut down now or not at all: say \"now\"")
		return 1
	}
	return power(verb)
}
