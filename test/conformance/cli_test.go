//go:build linux

package conformance

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// commandLine is the AWS CLI in a process of its own: see testdata/cli.py.
type commandLine struct {
	in  *json.Encoder
	out *bufio.Scanner
}

// errOlder is given for operations and members that the AWS CLI does not know yet.
var errOlder = errors.New("the AWS CLI is older")

// python is the one that Debian's AWS CLI runs in.
const python = "/usr/bin/python3"

var cliError = regexp.MustCompile(`^\s*An error occurred \(([^)]+)\)`)

// TestCommandLine calls every operation that the AWS CLI knows, and gives it the invalid inputs of the scenarios.
func TestCommandLine(t *testing.T) {
	l := lab(t)
	if out, err := exec.Command(python, "-c", "import awscli.clidriver").CombinedOutput(); err != nil {
		t.Skipf("Debian's AWS CLI is not here: apt-get install awscli\n%s", out)
	}
	cli, err := startCommandLine(t, l)
	if err != nil {
		t.Fatal(err)
	}
	tested := conform(t, l, cli, func(*testing.T, *service, ledger) {})
	made := 0
	for s, calls := range tested {
		made += len(calls.answered)
		var older []string
		for _, operation := range s.model.Operations {
			if !calls.answered[operation.Name] {
				older = append(older, operation.Name)
			}
		}
		if len(older) > 0 {
			slices.Sort(older)
			t.Logf("%s: older than %s", s.dir, strings.Join(older, ", "))
		}
	}
	t.Logf("the AWS CLI made %d operations", made)
	if made < 700 {
		t.Error("these are too few: either the CLI is not Debian's, or it could not be asked")
	}
}

func startCommandLine(t *testing.T, l *labProcess) (*commandLine, error) {
	program, err := os.ReadFile("testdata/cli.py")
	if err != nil {
		return nil, err
	}
	c := exec.CommandContext(t.Context(), python, "-c", string(program))
	c.Env = append(l.environ(), "AWS_MAX_ATTEMPTS=1")
	c.Stderr = os.Stderr
	in, err := c.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := c.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := c.Start(); err != nil {
		return nil, err
	}
	t.Cleanup(func() {
		if err := errors.Join(in.Close(), c.Wait()); err != nil && t.Context().Err() == nil {
			t.Error("the AWS CLI: ", err)
		}
	})
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 16<<20)
	return &commandLine{json.NewEncoder(in), lines}, nil
}

// send implements client.
func (c *commandLine) send(_ context.Context, s *service, operation string, n *yaml.Node, known variables) (answer, error) {
	if n != nil && n.Value == stranger {
		return answer{}, fmt.Errorf("%w: it has one key", errOlder)
	}
	input, err := known.plain(n, false)
	if err != nil {
		return answer{}, fmt.Errorf("%w: %w", errOlder, err) // what an older answer did not give
	}
	if err := c.in.Encode(map[string]any{"service": s.cli, "operation": operation, "input": input}); err != nil {
		return answer{}, err
	}
	if !c.out.Scan() {
		return answer{}, errors.Join(c.out.Err(), io.ErrUnexpectedEOF)
	}
	var got struct {
		Status  int
		Output  map[string]any
		Error   string
		Unknown bool
	}
	if err := json.Unmarshal(c.out.Bytes(), &got); err != nil {
		return answer{}, fmt.Errorf("%q: %w", c.out.Text(), err)
	}
	failure := cliError.FindStringSubmatch(got.Error)
	switch {
	case got.Unknown:
		return answer{}, fmt.Errorf("%w: %s", errOlder, got.Error)
	case got.Status == 0:
		return answer{output: reflect.ValueOf(got.Output)}, nil
	case failure == nil:
		return answer{}, fmt.Errorf("aws %s %s: status %d: %s", s.cli, operation, got.Status, got.Error)
	}
	return answer{code: failure[1], message: strings.TrimSpace(got.Error)}, nil
}

// plain is an input with its variables put in, and its scalars as texts or as what they look like.
func (v variables) plain(n *yaml.Node, typed bool) (any, error) {
	if n == nil {
		return map[string]any{}, nil
	}
	switch n.Kind {
	case yaml.AliasNode:
		return v.plain(n.Alias, typed)
	case yaml.MappingNode:
		m := map[string]any{}
		for i := 0; i < len(n.Content); i += 2 {
			key, err := v.expand(n.Content[i].Value)
			if err != nil {
				return nil, err
			}
			if m[key], err = v.plain(n.Content[i+1], typed); err != nil {
				return nil, err
			}
		}
		return m, nil
	case yaml.SequenceNode:
		list := make([]any, len(n.Content))
		for i, item := range n.Content {
			var err error
			if list[i], err = v.plain(item, typed); err != nil {
				return nil, err
			}
		}
		return list, nil
	}
	if n.Tag == "!!null" {
		return map[string]any{}, nil
	}
	if typed && n.Tag != "!!str" && n.Tag != "!!timestamp" {
		var value any
		err := n.Decode(&value)
		return value, err
	}
	return v.expand(n.Value)
}
