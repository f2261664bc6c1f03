package pattern

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// maxDepth bounds how deep brackets may stand in each other.
const maxDepth = 50

// scanner reads a pattern from left to right.
type scanner struct {
	text    string
	at      int
	depth   int
	regexes int
}

// rest is what has not been read yet.
func (s *scanner) rest() string { return s.text[s.at:] }

// space skips spaces, and returns what comes then.
func (s *scanner) space() string {
	s.at = len(s.text) - len(strings.TrimLeft(s.rest(), " \t\r\n"))
	return s.rest()
}

// accept reads a token if it comes next, perhaps after spaces.
func (s *scanner) accept(token string) bool {
	if !strings.HasPrefix(s.space(), token) {
		return false
	}
	s.at += len(token)
	return true
}

// keyword reads a word of the language if it comes next and ends there.
func (s *scanner) keyword(word string) bool {
	rest := s.space()
	if !strings.HasPrefix(rest, word) || rest[len(word):] != "" && wordByte(rest[len(word)]) {
		return false
	}
	s.at += len(word)
	return true
}

// take reads as long as the bytes are of a kind.
func (s *scanner) take(kind func(byte) bool) string {
	start := s.at
	for s.at < len(s.text) && kind(s.text[s.at]) {
		s.at++
	}
	return s.text[start:s.at]
}

func wordByte(c byte) bool {
	return c == '_' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

// unexpected is the error of what comes next.
func (s *scanner) unexpected() error {
	rest := s.space()
	if rest == "" {
		return fmt.Errorf("%w: it ends too early", ErrInvalid)
	}
	r, _ := utf8.DecodeRuneInString(rest)
	return fmt.Errorf("%w: Invalid character(s) in term '%c' at position %d", ErrInvalid, r, s.at+1)
}

// quoted reads what stands in quotes, after the first one. A backslash keeps the meaning of a quote or a backslash from the pattern.
func (s *scanner) quoted() (string, error) {
	var b strings.Builder
	for s.at < len(s.text) {
		c := s.text[s.at]
		s.at++
		switch {
		case c == '"':
			return b.String(), nil
		case c == '\\' && s.at < len(s.text) && strings.IndexByte(`"\`, s.text[s.at]) >= 0:
			c = s.text[s.at]
			s.at++
		}
		b.WriteByte(c)
	}
	return "", fmt.Errorf("%w: a closing quote is missing", ErrInvalid)
}

// test decides about what a condition is about: a JSON document, or the text of a field.
type test func(any) bool

// expression reads conditions that are joined by && and ||, with brackets; && binds stronger.
func (s *scanner) expression(condition func() (test, error)) (test, error) {
	if s.depth++; s.depth > maxDepth {
		return nil, fmt.Errorf("%w: brackets stand deeper than %d in each other", ErrInvalid, maxDepth)
	}
	defer func() { s.depth-- }()
	return s.joined("||", func() (test, error) {
		return s.joined("&&", func() (test, error) {
			if !s.accept("(") {
				return condition()
			}
			t, err := s.expression(condition)
			if err == nil && !s.accept(")") {
				err = s.unexpected()
			}
			return t, err
		}, true)
	}, false)
}

// joined reads one or more parts with an operator between them. all says that every part has to hold.
func (s *scanner) joined(operator string, part func() (test, error), all bool) (test, error) {
	var parts []test
	for {
		t, err := part()
		if err != nil {
			return nil, err
		}
		if parts = append(parts, t); !s.accept(operator) {
			break
		}
	}
	return func(v any) bool {
		for _, t := range parts {
			if t(v) != all {
				return !all
			}
		}
		return all
	}, nil
}
