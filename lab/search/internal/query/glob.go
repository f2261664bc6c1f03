package query

import (
	"errors"
	"strings"
	"unicode/utf8"
)

// glob is a pattern of characters, of which one may stand for any (?) and one for any number of any (*).
type glob []rune

// What stands for ? and * in a glob: no character of a text is one of them.
const (
	anyOne  rune = -1
	anyMany rune = -2
)

// parseGlob reads a pattern. A backslash takes the next character as it is.
func parseGlob(pattern string) glob {
	var out glob
	escaped := false
	for _, r := range pattern {
		switch {
		case escaped:
			escaped = false
		case r == '\\':
			escaped = true
			continue
		case r == '?':
			r = anyOne
		case r == '*':
			if len(out) > 0 && out[len(out)-1] == anyMany {
				continue
			}
			r = anyMany
		}
		out = append(out, r)
	}
	return out
}

// prefix is what every text that matches begins with.
func (g glob) prefix() string {
	var b strings.Builder
	for _, r := range g {
		if r < 0 {
			break
		}
		b.WriteRune(r)
	}
	return b.String()
}

// matches goes back only to the last star, so it takes no longer than the lengths multiplied. A regular expression's automaton may
// take exponentially many states.
func (g glob) matches(text string) bool {
	at, star, resume := 0, -1, 0
	for i := 0; i < len(text); {
		r, n := utf8.DecodeRuneInString(text[i:])
		switch {
		case at < len(g) && g[at] == anyMany:
			star, resume = at, i
			at++
		case at < len(g) && (g[at] == anyOne || g[at] == r):
			at, i = at+1, i+n
		case star >= 0:
			_, skip := utf8.DecodeRuneInString(text[resume:])
			resume += skip
			at, i = star+1, resume
		default:
			return false
		}
	}
	for at < len(g) && g[at] == anyMany {
		at++
	}
	return at == len(g)
}

// globbed finds the documents with a term that matches.
func globbed(s *Scope, field string, pattern glob) (hits Hits, err error) {
	terms, err := s.Reader.FieldDictPrefix(field, []byte(pattern.prefix()))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, terms.Close()) }()
	var lists []Hits
	for {
		entry, err := terms.Next()
		if err != nil || s.Ctx.Err() != nil {
			return nil, errors.Join(err, s.Ctx.Err())
		}
		if entry == nil {
			return union(lists), nil
		}
		if !pattern.matches(entry.Term) {
			continue
		}
		list, err := postings(s, entry.Term, field)
		if err != nil {
			return nil, err
		}
		lists = append(lists, list)
	}
}

// postings are the documents of a term, without scores.
func postings(s *Scope, value, field string) (hits Hits, err error) {
	reader, err := s.Reader.TermFieldReader(s.Ctx, []byte(value), field, false, false, false)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, reader.Close()) }()
	for {
		d, err := reader.Next(nil)
		if err != nil || d == nil {
			return hits, err
		}
		hits = append(hits, Hit{Doc: d.ID.Value()})
	}
}

// union joins many lists pair by pair, so that each document is looked at few times.
func union(lists []Hits) Hits {
	for len(lists) > 1 {
		var next []Hits
		for i := 0; i < len(lists); i += 2 {
			if i+1 < len(lists) {
				next = append(next, lists[i].or(lists[i+1], sum))
			} else {
				next = append(next, lists[i])
			}
		}
		lists = next
	}
	if len(lists) == 0 {
		return nil
	}
	return lists[0]
}
