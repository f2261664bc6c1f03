package pattern

import (
	"encoding/json"
	"fmt"
	"math/big"
	"regexp"
	"strings"
)

// value is a value of a message that can be compared.
type value struct {
	text   string
	number bool // a number of JSON, or a field that looks like one
}

// scalar makes a value of a part of JSON; ok is false for objects, lists and null.
func scalar(v any) (value, bool) {
	switch v := v.(type) {
	case string:
		return value{text: v}, true
	case json.Number:
		return value{v.String(), true}, true
	case bool:
		return value{text: fmt.Sprint(v)}, true
	}
	return value{}, false
}

// number is the form of numbers: sign, digits, decimals, exponent.
var number = regexp.MustCompile(`^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?$`)

// exact reads a number without rounding; nil for what is none.
func exact(text string) *big.Rat {
	if len(text) > 100 || !number.MatchString(text) {
		return nil
	}
	r, _ := new(big.Rat).SetString(text)
	return r
}

func operandByte(c byte) bool { return wordByte(c) || strings.IndexByte(`-.*+`, c) >= 0 }

// comparison reads an operator and what it compares with.
func (s *scanner) comparison() (func(value) bool, error) {
	operator := ""
	for _, o := range []string{"!=", "<=", ">=", "=", "<", ">"} { // the longer ones first
		if s.accept(o) {
			operator = o
			break
		}
	}
	if operator == "" {
		return nil, s.unexpected()
	}
	equality := operator == "=" || operator == "!="
	equal := func(match func(value) bool) func(value) bool {
		return func(v value) bool { return match(v) == (operator == "=") }
	}
	switch {
	case equality && s.accept(`"`):
		text, err := s.quoted()
		return equal(wildcard(text)), err
	case equality && s.accept("%"):
		re, err := s.regex()
		if err != nil {
			return nil, err
		}
		return equal(func(v value) bool { return re.MatchString(v.text) }), nil
	}
	s.space()
	text := s.take(operandByte)
	n := exact(text)
	switch {
	case text == "", !equality && n == nil:
		return nil, s.unexpected()
	case n == nil:
		return equal(wildcard(text)), nil
	case equality:
		return equal(func(v value) bool {
			m := v.exact()
			return m != nil && m.Cmp(n) == 0 || v.text == text
		}), nil
	}
	return func(v value) bool {
		m := v.exact()
		return m != nil && ordered(operator, m.Cmp(n))
	}, nil
}

func (v value) exact() *big.Rat {
	if !v.number {
		return nil
	}
	return exact(v.text)
}

func ordered(operator string, c int) bool {
	switch operator {
	case "<":
		return c < 0
	case "<=":
		return c <= 0
	case ">":
		return c > 0
	}
	return c >= 0
}

// wildcard compares with a text in which asterisks at its ends stand for anything; elsewhere they stand for themselves.
func wildcard(text string) func(value) bool {
	middle, before := strings.CutPrefix(text, "*")
	middle, after := strings.CutSuffix(middle, "*")
	return func(v value) bool {
		switch {
		case before && after, text == "*":
			return strings.Contains(v.text, middle)
		case before:
			return strings.HasSuffix(v.text, middle)
		case after:
			return strings.HasPrefix(v.text, middle)
		}
		return v.text == text
	}
}
