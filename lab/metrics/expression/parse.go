package expression

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Bounds of what is parsed.
const (
	maxLength = 2048 // characters; MetricExpression of the CloudWatch API
	maxDepth  = 64
)

// token is one of: number, text in quotes, word, operator or bracket.
var token = regexp.MustCompile(`^(?:[0-9]+(?:\.[0-9]*)?(?:[eE][+-]?[0-9]+)?|\.[0-9]+|"[^"]*"|'[^']*'|[A-Za-z][A-Za-z0-9_]*|==|!=|<=|>=|&&|\|\||[-+*/^<>(),\[\]])`)

type parser struct {
	tokens     []string
	depth      int
	references []string
}

// Parse parses an expression.
func Parse(text string) (*Expression, error) {
	if len(text) > maxLength {
		return nil, invalid("it is longer than %d characters", maxLength)
	}
	p := &parser{}
	for rest := strings.TrimSpace(text); rest != ""; rest = strings.TrimSpace(rest) {
		t := token.FindString(rest)
		if t == "" {
			return nil, invalid("unexpected %q at position %d", []rune(rest)[0], len(text)-len(rest)+1)
		}
		p.tokens, rest = append(p.tokens, t), rest[len(t):]
	}
	root, err := p.binary(0)
	if err != nil {
		return nil, err
	}
	if len(p.tokens) > 0 {
		return nil, invalid("unexpected %s", p.tokens[0])
	}
	return &Expression{root: root, references: p.references}, nil
}

func (p *parser) peek() string {
	if len(p.tokens) == 0 {
		return ""
	}
	return p.tokens[0]
}

func (p *parser) next() string {
	t := p.peek()
	if t != "" {
		p.tokens = p.tokens[1:]
	}
	return t
}

func (p *parser) accept(t string) bool {
	if p.peek() != t {
		return false
	}
	p.next()
	return true
}

func (p *parser) expect(t string) error {
	if !p.accept(t) {
		return invalid("expected %s, found %q", t, p.peek())
	}
	return nil
}

// levels are the binary operators that associate to the left, the weakest first.
func levels() [][]string {
	return [][]string{{"OR", "||"}, {"AND", "&&"}, {"==", "!=", "<", "<=", ">", ">="}, {"+", "-"}, {"*", "/"}}
}

func (p *parser) binary(level int) (node, error) {
	if p.depth++; p.depth > maxDepth*len(levels()) {
		return nil, invalid("it is nested deeper than %d levels", maxDepth)
	}
	defer func() { p.depth-- }()
	if level == len(levels()) {
		return p.unary()
	}
	left, err := p.binary(level + 1)
	for err == nil && slices.Contains(levels()[level], p.peek()) {
		operator := p.next()
		switch operator {
		case "&&":
			operator = "AND"
		case "||":
			operator = "OR"
		}
		var right node
		right, err = p.binary(level + 1)
		left = operation{operator, left, right}
	}
	return left, err
}

func (p *parser) unary() (node, error) {
	sign := 0
	for ; p.accept("-"); sign++ {
	}
	n, err := p.power()
	if err == nil && sign%2 == 1 {
		n = negation{n}
	}
	return n, err
}

// power associates to the right.
func (p *parser) power() (node, error) {
	base, err := p.primary()
	if err != nil || !p.accept("^") {
		return base, err
	}
	if p.depth++; p.depth > maxDepth*len(levels()) {
		return nil, invalid("it is nested deeper than %d levels", maxDepth)
	}
	defer func() { p.depth-- }()
	exponent, err := p.unary()
	return operation{"^", base, exponent}, err
}

func (p *parser) primary() (node, error) {
	t := p.next()
	switch {
	case t == "":
		return nil, invalid("it ends too early")
	case t == "(":
		n, err := p.binary(0)
		if err != nil {
			return nil, err
		}
		return n, p.expect(")")
	case t == "[":
		elements, err := p.arguments("]")
		return listing(elements), err
	case t[0] >= '0' && t[0] <= '9' || t[0] == '.':
		v, err := strconv.ParseFloat(t, 64)
		if err != nil {
			return nil, invalid("%s is not a number", t)
		}
		return literal(Scalar(v)), nil
	case t[0] == '"' || t[0] == '\'':
		return literal(Value{kind: textKind, text: t[1 : len(t)-1]}), nil
	case t[0] >= 'a' && t[0] <= 'z':
		if !slices.Contains(p.references, t) {
			p.references = append(p.references, t)
		}
		return reference(t), nil
	case t[0] >= 'A' && t[0] <= 'Z':
		return p.word(t)
	}
	return nil, invalid("unexpected %s", t)
}

// word is a function, or one of the words that functions take.
func (p *parser) word(t string) (node, error) {
	if t == "REPEAT" || t == "LINEAR" {
		return literal(Value{kind: textKind, text: t}), nil
	}
	f, ok := functions()[t]
	if !ok {
		return nil, invalid("the function %s is not supported", t)
	}
	if err := p.expect("("); err != nil {
		return nil, err
	}
	arguments, err := p.arguments(")")
	if err != nil {
		return nil, err
	}
	if len(arguments) < f.least || len(arguments) > f.most {
		return nil, invalid("%s does not take %d arguments", t, len(arguments))
	}
	return call{name: t, function: f, arguments: arguments}, nil
}

// arguments are separated by commas and end with a bracket.
func (p *parser) arguments(end string) (all []node, err error) {
	for !p.accept(end) {
		if len(all) > 0 {
			if err := p.expect(","); err != nil {
				return nil, err
			}
		}
		n, err := p.binary(0)
		if err != nil {
			return nil, err
		}
		all = append(all, n)
	}
	return all, nil
}
