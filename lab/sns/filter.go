package sns

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/netip"
	"slices"
	"strings"
)

// The limits of "Amazon SNS filter policy constraints".
const (
	maxFilterKeys         = 5
	maxFilterCombinations = 150
	maxFilterDepth        = 16    // AWS names none; this bounds the lab's recursion
	maxFilterNumber       = 1e9   // the greatest magnitude of a number
	maxFilterSize         = 256e3 // bytes
)

// filter is a filter policy, or an object in one: all its conditions must hold, and of each of its alternatives one.
type filter struct {
	keys         map[string]condition
	alternatives [][]filter // the "$or"s
}

// condition is what a policy says of one key: that one of its tests holds, or what must hold inside the object that is there.
type condition struct {
	tests  []test
	inside *filter
}

// test tells whether the values of a key are accepted. There are none when the message does not have the key.
type test func(values []any) bool

// parseFilter reads a filter policy.
func parseFilter(text string) (*filter, error) {
	if len(text) > maxFilterSize {
		return nil, refused("the policy is longer than %.0f bytes", maxFilterSize)
	}
	d := json.NewDecoder(strings.NewReader(text))
	var root map[string]json.RawMessage
	if err := d.Decode(&root); err != nil {
		return nil, refused("failed to parse JSON: it must be an object")
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, refused("failed to parse JSON: there is text after the object")
	}
	p := filterParser{combinations: 1}
	f, err := p.object(root, 1)
	if err != nil {
		return nil, err
	}
	if p.keys > maxFilterKeys {
		return nil, refused("Filter policy can not have more than %d keys", maxFilterKeys)
	}
	if p.combinations > maxFilterCombinations {
		return nil, refused("Filter policy is too complex")
	}
	return f, nil
}

// refused is the reason that a policy is refused for, in the words of SNS.
func refused(format string, args ...any) error { return fmt.Errorf(format, args...) }

// filterParser counts what the limits are about.
type filterParser struct{ keys, combinations int }

func (p *filterParser) object(members map[string]json.RawMessage, depth int) (*filter, error) {
	if depth > maxFilterDepth {
		return nil, refused("Filter policy is nested too deep")
	}
	if len(members) == 0 {
		return nil, refused("an object must have at least one key")
	}
	f := &filter{keys: map[string]condition{}}
	for key, raw := range members {
		var list []json.RawMessage
		var below map[string]json.RawMessage
		switch {
		case key == "$or" && isAlternatives(raw, &list):
			alternatives, err := p.or(list, depth)
			if err != nil {
				return nil, err
			}
			f.alternatives = append(f.alternatives, alternatives)
		case json.Unmarshal(raw, &list) == nil && list != nil:
			tests, err := p.tests(key, list)
			if err != nil {
				return nil, err
			}
			f.keys[key] = condition{tests: tests}
		case json.Unmarshal(raw, &below) == nil && below != nil:
			inside, err := p.object(below, depth+1)
			if err != nil {
				return nil, err
			}
			f.keys[key] = condition{inside: inside}
		default:
			return nil, refused("%q must be an object or an array", key)
		}
	}
	return f, nil
}

// isAlternatives tells the operator "$or", a list of at least two objects, from a key of that name.
func isAlternatives(raw json.RawMessage, list *[]json.RawMessage) bool {
	return json.Unmarshal(raw, list) == nil && len(*list) > 1 && !slices.ContainsFunc(*list, func(e json.RawMessage) bool { return !bytes.HasPrefix(e, []byte("{")) })
}

func (p *filterParser) or(list []json.RawMessage, depth int) (alternatives []filter, err error) {
	before, sum := p.combinations, 0
	for _, raw := range list {
		var members map[string]json.RawMessage
		if err := json.Unmarshal(raw, &members); err != nil {
			return nil, err
		}
		p.combinations = before
		f, err := p.object(members, depth+1)
		if err != nil {
			return nil, err
		}
		alternatives = append(alternatives, *f)
		sum = min(sum+p.combinations, math.MaxInt32)
	}
	p.combinations = sum
	return alternatives, nil
}

func (p *filterParser) tests(key string, list []json.RawMessage) (tests []test, err error) {
	if len(list) == 0 {
		return nil, refused("Empty arrays are not allowed: %q", key)
	}
	p.keys++
	p.combinations = min(p.combinations*len(list), math.MaxInt32)
	for _, raw := range list {
		t, err := parseTest(raw)
		if err != nil {
			return nil, fmt.Errorf("%q: %w", key, err)
		}
		tests = append(tests, t)
	}
	return tests, nil
}

// some makes a test that one value passes.
func some(accepts func(any) bool) test {
	return func(values []any) bool { return slices.ContainsFunc(values, accepts) }
}

// parseTest reads one element of a key's array: a value, or an object with one operator.
func parseTest(raw json.RawMessage) (test, error) {
	var value any
	if err := json.Unmarshal(raw, &value); err != nil {
		return nil, err
	}
	switch v := value.(type) {
	case map[string]any:
		if len(v) != 1 {
			return nil, refused("Only one key allowed in match expression")
		}
		for operator, operand := range v {
			if operator == "exists" {
				want, ok := operand.(bool)
				if !ok {
					return nil, refused("exists match pattern must be either true or false")
				}
				return func(values []any) bool { return (len(values) > 0) == want }, nil
			}
			accepts, err := parseOperator(operator, operand)
			return some(accepts), err
		}
	case []any:
		return nil, refused("Match value must be String, number, true, false, or null")
	case float64:
		if math.Abs(v) > maxFilterNumber {
			return nil, errNumber()
		}
	}
	return some(func(got any) bool { return got == value }), nil
}

func errNumber() error {
	return refused("Value of numeric match must be between -%.0e and %.0e", maxFilterNumber, maxFilterNumber)
}

// parseOperator reads an operator that looks at one value.
func parseOperator(operator string, operand any) (accepts func(any) bool, err error) {
	switch operator {
	case "prefix", "suffix", "equals-ignore-case", "cidr":
		text, ok := operand.(string)
		if !ok {
			return nil, refused("%s match pattern must be a string", operator)
		}
		return textOperator(operator, text)
	case "numeric":
		return numericOperator(operand)
	case "anything-but":
		return anythingBut(operand)
	}
	return nil, refused("Unrecognized match type %s", operator)
}

func textOperator(operator, operand string) (func(any) bool, error) {
	accepts := map[string]func(string) bool{
		"prefix":             func(got string) bool { return strings.HasPrefix(got, operand) },
		"suffix":             func(got string) bool { return strings.HasSuffix(got, operand) },
		"equals-ignore-case": func(got string) bool { return strings.EqualFold(got, operand) },
	}[operator]
	if operator == "cidr" {
		block, err := netip.ParsePrefix(operand)
		if err != nil {
			return nil, refused("Malformed CIDR, %s is not a block of addresses", operand)
		}
		accepts = func(got string) bool {
			address, err := netip.ParseAddr(got)
			return err == nil && block.Contains(address.Unmap())
		}
	}
	return func(got any) bool {
		text, ok := got.(string)
		return ok && accepts(text)
	}, nil
}

// numericOperator reads ["=", 5] and ranges such as [">", 0, "<=", 100].
func numericOperator(operand any) (func(any) bool, error) {
	list, ok := operand.([]any)
	if !ok || len(list) != 2 && len(list) != 4 {
		return nil, refused("numeric match needs one or two pairs of an operator and a number")
	}
	var checks []func(float64) bool
	for i := 0; i < len(list); i += 2 {
		operator, _ := list[i].(string)
		n, ok := list[i+1].(float64)
		if !ok || math.Abs(n) > maxFilterNumber {
			return nil, errNumber()
		}
		check, ok := map[string]func(float64) bool{
			"=": func(x float64) bool { return x == n }, "<": func(x float64) bool { return x < n }, "<=": func(x float64) bool { return x <= n },
			">": func(x float64) bool { return x > n }, ">=": func(x float64) bool { return x >= n },
		}[operator]
		if !ok || len(list) == 4 && !strings.HasPrefix(operator, [...]string{">", "<"}[i/2]) {
			return nil, refused("Unrecognized numeric range operator: %v", list[i])
		}
		checks = append(checks, check)
	}
	return func(got any) bool {
		x, ok := got.(float64)
		return ok && !slices.ContainsFunc(checks, func(check func(float64) bool) bool { return !check(x) })
	}, nil
}

// anythingBut reads a value, a list of values of one type, or an operator on texts.
func anythingBut(operand any) (func(any) bool, error) {
	excluded, ok := operand.([]any)
	if !ok {
		excluded = []any{operand}
	}
	if len(excluded) == 0 {
		return nil, refused("Anything-but list must not be empty")
	}
	if inner, ok := operand.(map[string]any); ok {
		if len(inner) != 1 {
			return nil, refused("Only one key allowed in match expression")
		}
		for operator, value := range inner {
			text, isText := value.(string)
			if !isText || operator != "prefix" && operator != "suffix" && operator != "equals-ignore-case" {
				return nil, refused("Unsupported anything-but pattern: %s", operator)
			}
			accepts, err := textOperator(operator, text)
			return func(got any) bool { return !accepts(got) }, err
		}
	}
	for _, value := range excluded {
		switch value.(type) {
		case string, float64:
		default:
			return nil, refused("Inside anything but list, start|null|boolean is not supported")
		}
	}
	return func(got any) bool { return !slices.Contains(excluded, got) }, nil
}
