// Package pattern is the language of CloudWatch Logs' filter patterns, by "Filter pattern syntax" in the Amazon CloudWatch Logs User Guide: terms, fields of lines that are
// separated by spaces, and properties of JSON, with the regular expressions that it allows.
package pattern

import (
	"errors"
	"fmt"
)

// ErrInvalid is the error of every text that is no pattern. Its text is the one that CloudWatch Logs answers with, followed by what is wrong and where.
var ErrInvalid = errors.New("Invalid filter pattern") //nolint:staticcheck // AWS's words

// maxRegexes is how many regular expressions a JSON or a space-delimited pattern may have.
const maxRegexes = 2

// Pattern decides about messages. It is safe for concurrent use.
type Pattern struct {
	match   func(*Message) bool
	fields  *fields    // of a space-delimited pattern
	paths   []selector // of a JSON pattern
	json    bool
	regexes int
}

// Parse parses a pattern. The empty one matches every message.
func Parse(text string) (*Pattern, error) {
	s := &scanner{text: text}
	s.space()
	p := &Pattern{}
	var err error
	switch {
	case s.accept("{"):
		err = s.parseJSON(p)
	case s.accept("["):
		err = s.parseFields(p)
	default:
		err = s.parseTerms(p)
	}
	if err == nil && s.space() != "" {
		err = s.unexpected()
	}
	if p.regexes = s.regexes; err == nil && p.Structured() && p.regexes > maxRegexes {
		err = fmt.Errorf("%w: it has more than %d regular expressions", ErrInvalid, maxRegexes)
	}
	if err != nil {
		return nil, err
	}
	return p, nil
}

// Match tells whether a message matches.
func (p *Pattern) Match(m *Message) bool { return p.match(m) }

// Structured tells whether the pattern names parts of messages, whose values can be asked for.
func (p *Pattern) Structured() bool { return p.json || p.fields != nil }

// Regex tells whether the pattern has a regular expression.
func (p *Pattern) Regex() bool { return p.regexes > 0 }

// Value is a part of messages that match: a property of JSON, "$.latency", or a field of a line, "$bytes" or "$7".
type Value struct {
	path  selector
	field string
}

// Value reads a reference to a part of messages. ok is false when messages that match have no such part.
func (p *Pattern) Value(text string) (v Value, ok bool) {
	switch {
	case p.json:
		s := &scanner{text: text}
		path, err := s.selector()
		return Value{path: path}, err == nil && s.rest() == "" && path.wildcards() == 0
	case p.fields != nil:
		return Value{field: text}, p.fields.has(text)
	}
	return Value{}, false
}

// Of is the text of that part of a message, for a part that has a text: neither an object nor a list nor null.
func (p *Pattern) Of(v Value, m *Message) (text string, ok bool) {
	if !p.json {
		text, ok = p.fields.extract(m)[v.field]
		return text, ok
	}
	for _, found := range v.path.find(m.document()) {
		if s, ok := scalar(found); ok {
			return s.text, true
		}
	}
	return "", false
}

// Extracted are the parts that the pattern finds in a message that matches, by their references.
func (p *Pattern) Extracted(m *Message) map[string]string {
	if p.fields != nil {
		return p.fields.extract(m)
	}
	values := map[string]string{}
	for _, path := range p.paths {
		if text, ok := p.Of(Value{path: path}, m); ok {
			values[path.text] = text
		}
	}
	return values
}
