package pattern

import (
	"fmt"
	"strconv"
)

// selector is the way to a property: "$.users[0].id". A wildcard, ".*" or "[*]", stands for every property or element.
type selector struct {
	text  string
	steps []step
}

// step goes from a value to a property or an element of it.
type step struct {
	name  string
	index int
	kind  stepKind
}

type stepKind int

const (
	byName stepKind = iota
	byIndex
	everyProperty
	everyElement
)

func nameByte(c byte) bool { return wordByte(c) || c == '-' }

func digit(c byte) bool { return '0' <= c && c <= '9' }

func (s *scanner) selector() (p selector, err error) {
	if !s.accept("$") {
		return p, s.unexpected()
	}
	start := s.at - 1
	for {
		next, ok, err := s.step()
		if err != nil {
			return p, err
		}
		if !ok {
			break
		}
		p.steps = append(p.steps, next)
	}
	p.text = s.text[start:s.at]
	switch {
	case len(p.steps) == 0:
		return p, s.unexpected()
	case p.wildcards() > 1:
		return p, fmt.Errorf("%w: %s has more than one wildcard", ErrInvalid, p.text)
	}
	return p, nil
}

// step reads ".name", ".*", "[1]" or "[*]"; ok is false at the end of the selector.
func (s *scanner) step() (next step, ok bool, err error) {
	rest := s.rest()
	if rest == "" || rest[0] != '.' && rest[0] != '[' {
		return step{}, false, nil
	}
	s.at++
	wild := len(rest) > 1 && rest[1] == '*'
	if wild {
		s.at++
	}
	if rest[0] == '.' {
		if wild {
			return step{kind: everyProperty}, true, nil
		}
		if next.name = s.take(nameByte); next.name == "" {
			return step{}, false, s.unexpected()
		}
		return next, true, nil
	}
	next.kind = everyElement
	if !wild {
		next.kind = byIndex
		if next.index, err = strconv.Atoi(s.take(digit)); err != nil {
			return step{}, false, s.unexpected()
		}
	}
	if s.rest() == "" || s.rest()[0] != ']' {
		return step{}, false, s.unexpected()
	}
	s.at++
	return next, true, nil
}

func (p selector) wildcards() (n int) {
	for _, s := range p.steps {
		if s.kind == everyProperty || s.kind == everyElement {
			n++
		}
	}
	return n
}

// find returns what the selector selects in a document: nothing, one value, or with a wildcard several.
func (p selector) find(root any) []any {
	found := []any{root}
	for _, s := range p.steps {
		var next []any
		for _, v := range found {
			next = s.from(v, next)
		}
		found = next
	}
	return found
}

// from appends where the step leads from a value.
func (s step) from(v any, to []any) []any {
	switch v := v.(type) {
	case map[string]any:
		if s.kind == everyProperty {
			for _, one := range v {
				to = append(to, one)
			}
		} else if one, ok := v[s.name]; ok && s.kind == byName {
			to = append(to, one)
		}
	case []any:
		if s.kind == everyElement {
			to = append(to, v...)
		} else if s.kind == byIndex && s.index < len(v) {
			to = append(to, v[s.index])
		}
	}
	return to
}
