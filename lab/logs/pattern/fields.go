package pattern

import (
	"fmt"
	"strconv"
)

// fields are those of a space-delimited pattern: the first ones, and, when there is an ellipsis, the last ones.
type fields struct {
	first, last []field
	ellipsis    bool
}

// field is one field, which may have no name.
type field struct {
	name string
	test test // nil for none
}

// parseFields reads a pattern of fields, after the opening bracket.
func (s *scanner) parseFields(p *Pattern) error {
	f := &fields{}
	names := map[string]bool{}
	for {
		list := &f.first
		if f.ellipsis {
			list = &f.last
		}
		if s.accept("...") {
			if f.ellipsis {
				return fmt.Errorf("%w: it has two ellipses", ErrInvalid)
			}
			f.ellipsis = true
		} else {
			one, err := s.field()
			if err != nil {
				return err
			}
			if one.name != "" && names[one.name] {
				return fmt.Errorf("%w: two fields are named %s", ErrInvalid, one.name)
			}
			names[one.name] = true
			*list = append(*list, one)
		}
		if s.accept("]") {
			break
		}
		if !s.accept(",") {
			return s.unexpected()
		}
	}
	p.fields = f
	p.match = f.match
	return nil
}

// field reads a field: nothing, a name, or conditions on one name.
func (s *scanner) field() (f field, err error) {
	s.space()
	if start := s.at; s.take(nameByte) != "" || s.rest() == "" || s.rest()[0] != '(' {
		f.name = s.text[start:s.at]
		if next := s.space(); next == "" || next[0] == ',' || next[0] == ']' {
			return f, nil
		}
		s.at = start
	}
	f.name = ""
	f.test, err = s.expression(func() (test, error) {
		s.space()
		name := s.take(nameByte)
		if name == "" || f.name != "" && name != f.name {
			return nil, s.unexpected()
		}
		f.name = name
		holds, err := s.comparison()
		return func(v any) bool { return holds(v.(value)) }, err
	})
	return f, err
}

func (f *fields) match(m *Message) bool {
	words := m.split()
	if n := len(f.first) + len(f.last); len(words) < n || len(words) > n && !f.ellipsis {
		return false
	}
	tail := words[len(words)-len(f.last):]
	return holdsAll(f.first, words) && holdsAll(f.last, tail)
}

func holdsAll(list []field, words []string) bool {
	for i, f := range list {
		if f.test != nil && !f.test(value{words[i], true}) {
			return false
		}
	}
	return true
}

// extract returns the fields of a message that matches, by "$name", and by "$number" those that have no name.
func (f *fields) extract(m *Message) map[string]string {
	words := m.split()
	values := map[string]string{}
	for i, word := range words {
		name := ""
		if i < len(f.first) {
			name = f.first[i].name
		} else if at := i - (len(words) - len(f.last)); at >= 0 {
			name = f.last[at].name
		}
		if name == "" {
			name = strconv.Itoa(i + 1)
		}
		values["$"+name] = word
	}
	return values
}

// has tells whether messages that match can have a field.
func (f *fields) has(reference string) bool {
	if len(reference) < 2 || reference[0] != '$' {
		return false
	}
	for _, list := range [][]field{f.first, f.last} {
		for _, one := range list {
			if one.name == reference[1:] {
				return true
			}
		}
	}
	n, err := strconv.Atoi(reference[1:])
	return err == nil && n > 0
}
