package pattern

import "strings"

// terms is a pattern of words and phrases. Those with a question mark count only where nothing else is asked for.
type terms struct{ all, none, any []func(string) bool }

func (s *scanner) parseTerms(p *Pattern) error {
	var t terms
	for s.space() != "" {
		list := &t.all
		switch {
		case s.accept("?"):
			list = &t.any
		case s.accept("-"):
			list = &t.none
		}
		term, err := s.term()
		if err != nil {
			return err
		}
		*list = append(*list, term)
	}
	p.match = func(m *Message) bool { return t.match(m.Text) }
	return nil
}

// term reads a word, a phrase in quotes, or a regular expression.
func (s *scanner) term() (func(string) bool, error) {
	switch {
	case s.accept(`"`):
		phrase, err := s.quoted()
		return func(text string) bool { return strings.Contains(text, phrase) }, err
	case s.accept("%"):
		re, err := s.regex()
		if err != nil {
			return nil, err
		}
		return re.MatchString, nil
	}
	s.space()
	word := s.take(wordByte)
	if next := s.rest(); word == "" || next != "" && !strings.ContainsAny(next[:1], " \t\r\n") {
		return nil, s.unexpected()
	}
	return func(text string) bool { return strings.Contains(text, word) }, nil
}

func (t terms) match(text string) bool {
	for _, has := range t.all {
		if !has(text) {
			return false
		}
	}
	for _, has := range t.none {
		if has(text) {
			return false
		}
	}
	if len(t.any) == 0 || len(t.all)+len(t.none) > 0 {
		return true
	}
	for _, has := range t.any {
		if has(text) {
			return true
		}
	}
	return false
}
