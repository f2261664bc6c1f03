//go:build linux

package conformance

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// step is one valid call of an operation and what is known of its answer. In testdata/operations it is written
//
//   - CreateKey: {Description: orders}      # the operation and its input
//     keep: {key: KeyMetadata.KeyId}        # kept of the answer, and $key in later inputs
//     want: {KeyMetadata.Enabled: true}     # what members of the answer are
//     until: {KeyMetadata.KeyState: x}      # called again until they are
//     empty: true                           # the answer rightly has nothing in it
//     refuse: [{NotFoundException 400: {KeyId: none}}] # invalid inputs, and the code and status that answer them
//
// An invalid input that is the word stranger is an empty one, signed with a key that nobody has. An operation of another service, which prepares what this one needs, is written with that one's name: "iam:CreateRole".
// An operation whose steps have no "refuse" gets an invalid input from its model: see invalid_test.go.
type step struct {
	operation string
	input     *yaml.Node
	line      int
	keep      map[string]string
	want      map[string]string
	until     map[string]string
	empty     bool
	never     *refusal
	refuse    []refusal
}

// refusal is an invalid input with its answer.
type refusal struct {
	code   string
	status int
	input  *yaml.Node
}

// readItems reads a file of test data, a list whose items keep their lines.
func readItems(path string) (items []yaml.Node, err error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if err := yaml.Unmarshal(b, &items); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return items, nil
}

// readScenario reads a service's steps.
func readScenario(path string) (steps []step, err error) {
	items, err := readItems(path)
	if err != nil {
		return nil, err
	}
	for _, item := range items {
		s, err := readStep(&item)
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", path, item.Line, err)
		}
		steps = append(steps, s)
	}
	return steps, nil
}

func readStep(n *yaml.Node) (s step, err error) {
	s.line = n.Line
	for i := 0; i < len(n.Content); i += 2 {
		value := n.Content[i+1]
		switch name := n.Content[i].Value; name {
		case "keep":
			err = value.Decode(&s.keep)
		case "want":
			err = value.Decode(&s.want)
		case "until":
			err = value.Decode(&s.until)
		case "empty":
			err = value.Decode(&s.empty)
		case "never":
			s.never = new(refusal)
			s.never.code, s.never.status, err = codeOf(value)
		case "refuse":
			err = s.readRefusals(value)
		default:
			if s.operation != "" {
				return s, fmt.Errorf("%s and %s are one step", s.operation, name)
			}
			s.operation, s.input = name, value
		}
		if err != nil {
			return s, err
		}
	}
	return s, nil
}

func (s *step) readRefusals(list *yaml.Node) error {
	for _, item := range list.Content {
		if item.Kind == yaml.AliasNode {
			item = item.Alias
		}
		if len(item.Content) != 2 {
			return fmt.Errorf("line %d is not CODE STATUS: INPUT", item.Line)
		}
		code, status, err := codeOf(item.Content[0])
		if err != nil {
			return err
		}
		s.refuse = append(s.refuse, refusal{code, status, item.Content[1]})
	}
	return nil
}

func codeOf(n *yaml.Node) (code string, status int, err error) {
	code, number, _ := strings.Cut(n.Value, " ")
	if status, err = strconv.Atoi(number); err != nil {
		return "", 0, fmt.Errorf("line %d: %q is not CODE STATUS: %w", n.Line, n.Value, err)
	}
	return code, status, nil
}
