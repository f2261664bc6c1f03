package cloudwatch

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	api "storefront/lab/api/cloudwatch"
)

// maxRuleDepth bounds the nesting of a rule.
const maxRuleDepth = 100

// rule is a parsed AlarmRule of a composite alarm: it holds or not, given the states of other alarms.
type rule func(stateOf func(name string) string) bool

// ruleToken is a bracket, a name in quotes, or a word; the name of an alarm may stand without quotes when it needs none.
var ruleToken = regexp.MustCompile(`^(?:[()]|"(?:[^"\\]|\\.)*"|[^\s()"]+)`)

type ruleParser struct {
	tokens []string
	names  []string
	depth  int
}

// parseRule parses a rule, and returns the names or ARNs of the alarms in it. The grammar is that of the page "PutCompositeAlarm": AND, OR, NOT,
// ALARM(), OK(), INSUFFICIENT_DATA(), TRUE, FALSE and brackets.
func parseRule(text string) (rule, []string, error) {
	p := &ruleParser{}
	for rest := strings.TrimSpace(text); rest != ""; rest = strings.TrimSpace(rest) {
		t := ruleToken.FindString(rest)
		if t == "" {
			return nil, nil, fmt.Errorf("unexpected %q", rest)
		}
		p.tokens, rest = append(p.tokens, t), rest[len(t):]
	}
	r, err := p.or()
	if err == nil && len(p.tokens) > 0 {
		err = fmt.Errorf("unexpected %s", p.tokens[0])
	}
	return r, p.names, err
}

// ruleNames are the names of the alarms in a rule that has been checked.
func ruleNames(text string) []string {
	_, names, err := parseRule(text)
	if err != nil {
		return nil
	}
	return names
}

func (p *ruleParser) accept(word string) bool {
	if len(p.tokens) == 0 || p.tokens[0] != word {
		return false
	}
	p.tokens = p.tokens[1:]
	return true
}

func (p *ruleParser) or() (rule, error) {
	if p.depth++; p.depth > maxRuleDepth {
		return nil, fmt.Errorf("it is nested deeper than %d levels", maxRuleDepth)
	}
	defer func() { p.depth-- }()
	left, err := p.and()
	for err == nil && p.accept("OR") {
		one := left
		var other rule
		other, err = p.and()
		left = func(f func(string) string) bool { return one(f) || other(f) }
	}
	return left, err
}

func (p *ruleParser) and() (rule, error) {
	left, err := p.not()
	for err == nil && p.accept("AND") {
		one := left
		var other rule
		other, err = p.not()
		left = func(f func(string) string) bool { return one(f) && other(f) }
	}
	return left, err
}

func (p *ruleParser) not() (rule, error) {
	negative := false
	for p.accept("NOT") {
		negative = !negative
	}
	r, err := p.primary()
	if err != nil || !negative {
		return r, err
	}
	return func(f func(string) string) bool { return !r(f) }, nil
}

func (p *ruleParser) primary() (rule, error) {
	switch {
	case p.accept("TRUE"):
		return func(func(string) string) bool { return true }, nil
	case p.accept("FALSE"):
		return func(func(string) string) bool { return false }, nil
	case p.accept("("):
		r, err := p.or()
		if err == nil && !p.accept(")") {
			err = fmt.Errorf("a closing bracket is missing")
		}
		return r, err
	}
	if len(p.tokens) == 0 {
		return nil, fmt.Errorf("it ends too early")
	}
	state := p.tokens[0]
	if !slices.Contains([]string{api.StateValueAlarm, api.StateValueOk, api.StateValueInsufficientData}, state) {
		return nil, fmt.Errorf("unexpected %s", state)
	}
	if len(p.tokens) < 4 || p.tokens[1] != "(" || p.tokens[3] != ")" {
		return nil, fmt.Errorf("%s must be followed by the name of an alarm in brackets", state)
	}
	name := strings.Trim(p.tokens[2], `"`)
	if _, after, ok := strings.Cut(name, ":alarm:"); ok && strings.HasPrefix(name, "arn:") {
		name = after
	}
	if name == "" || name == "(" || name == ")" {
		return nil, fmt.Errorf("%s must be followed by the name of an alarm in brackets", state)
	}
	p.tokens, p.names = p.tokens[4:], append(p.names, name)
	return func(stateOf func(string) string) bool { return stateOf(name) == state }, nil
}
