package pattern

import "fmt"

// maxWildcards is how many selectors with a wildcard a pattern may have.
const maxWildcards = 3

// parseJSON reads a pattern of conditions on properties, after the opening bracket.
func (s *scanner) parseJSON(p *Pattern) error {
	p.json = true
	t, err := s.expression(func() (test, error) {
		path, err := s.selector()
		if err != nil {
			return nil, err
		}
		p.paths = append(p.paths, path)
		return s.property(path)
	})
	if err == nil && !s.accept("}") {
		err = s.unexpected()
	}
	wildcards := 0
	for _, path := range p.paths {
		wildcards += path.wildcards()
	}
	if err == nil && wildcards > maxWildcards {
		err = fmt.Errorf("%w: it has more than %d wildcards", ErrInvalid, maxWildcards)
	}
	p.match = func(m *Message) bool {
		root := m.document()
		return root != nil && t(root)
	}
	return err
}

// property reads the condition on what a selector selects. Comparisons hold for no property that is missing, null, a list or an object, != neither: the format of such
// messages is not the one that the pattern is about.
func (s *scanner) property(path selector) (test, error) {
	one := func(holds func(any) bool) test {
		return func(root any) bool {
			for _, found := range path.find(root) {
				if holds(found) {
					return true
				}
			}
			return false
		}
	}
	switch {
	case s.keyword("NOT"):
		if !s.keyword("EXISTS") {
			return nil, s.unexpected()
		}
		return func(root any) bool { return len(path.find(root)) == 0 }, nil
	case s.keyword("IS"):
		for word, want := range map[string]any{"NULL": nil, "TRUE": true, "FALSE": false} {
			if s.keyword(word) {
				return one(func(v any) bool { return v == want }), nil
			}
		}
		return nil, s.unexpected()
	}
	holds, err := s.comparison()
	if err != nil {
		return nil, err
	}
	return one(func(found any) bool {
		v, ok := scalar(found)
		return ok && holds(v)
	}), nil
}
