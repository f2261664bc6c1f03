package query

import (
	"strings"
)

// term reads one term: plain, with wildcards, by its beginning, or fuzzy.
func (p *parser) term() (Query, error) {
	text, pattern, wildcards := p.scan()
	if text == "" {
		if p.simple && p.rest != "" { // a character that means nothing here
			p.rest = p.rest[1:]
			return nil, nil
		}
		return nil, p.wrong("a term is missing")
	}
	fuzziness := ""
	if p.eat("~") {
		if fuzziness = p.run("0123456789"); fuzziness == "" {
			fuzziness = "AUTO"
		}
		if _, ok := distance(fuzziness, text); !ok {
			if !p.simple {
				return nil, p.wrong("fuzziness is 0, 1 or 2")
			}
			fuzziness = "2"
		}
	}
	if !wildcards {
		return p.over(func(f weighted) Query {
			return match{field: f.pattern, text: text, fuzziness: fuzziness, lenient: p.lenient, boost: f.boost}
		}), nil
	}
	if len(p.fields) == 1 && p.fields[0].pattern == "_exists_" {
		return nil, p.wrong("_exists_ takes a field's name")
	}
	if pattern == "*" {
		if len(p.fields) == 1 && p.fields[0].pattern != "*" {
			return exists{field: p.fields[0].pattern, boost: 1}, nil
		}
		return all{1}, nil
	}
	return p.over(func(f weighted) Query { return patterned{f.pattern, pattern, f.boost, p.lenient} }), nil
}

// scan reads a term's characters. pattern keeps the escapes of what would else be a wildcard.
func (p *parser) scan() (text, pattern string, wildcards bool) {
	stop := " \t\r\n\u3000()\"^~"
	if p.simple {
		stop = " \t\r\n()\"~|+"
	} else {
		stop += "[]{}:"
	}
	var plain, raw strings.Builder
	i := 0
	for ; i < len(p.rest); i++ {
		c := p.rest[i]
		if c == '\\' && i+1 < len(p.rest) {
			i++
			plain.WriteByte(p.rest[i])
			raw.WriteString(p.rest[i-1 : i+1])
			continue
		}
		if strings.IndexByte(stop, c) >= 0 && c < 0x80 {
			break
		}
		if c == '*' && (!p.simple || i+1 == len(p.rest) || strings.IndexByte(stop, p.rest[i+1]) >= 0) || c == '?' && !p.simple {
			wildcards = true
		}
		plain.WriteByte(c)
		raw.WriteByte(c)
	}
	p.rest = p.rest[i:]
	if len(p.fields) == 1 && p.fields[0].pattern == "_exists_" && !wildcards {
		name := plain.String()
		p.fields = []weighted{{name, 1}}
		return name, "*", true
	}
	return plain.String(), raw.String(), wildcards
}

// patterned is a wildcard query of a text: its characters are taken to lower case where the field's are.
type patterned struct {
	field, pattern string
	boost          float64
	lenient        bool
}

func (q patterned) Hits(s *Scope) (Hits, error) {
	pattern := q.pattern
	if p := s.Mapping.Field(q.field); p != nil && p.Type == "text" {
		pattern = strings.ToLower(pattern)
	}
	hits, err := term{kind: "wildcard", field: q.field, value: pattern, boost: q.boost}.Hits(s)
	if err != nil && q.lenient {
		return nil, nil
	}
	return hits, err
}

// between reads a range: [a TO b] with its ends, {a TO b} without them.
func (p *parser) between() (Query, error) {
	end := strings.IndexAny(p.rest, "]}")
	if end < 0 {
		return nil, p.wrong("a range is not closed")
	}
	low, high, ok := strings.Cut(p.rest[1:end], " TO ")
	if !ok {
		return nil, p.wrong("a range is written [a TO b]")
	}
	q := span{lowInclusive: p.rest[0] == '[', highInclusive: p.rest[end] == ']', boost: 1}
	p.rest = p.rest[end+1:]
	bound := func(text string) *string {
		if text = strings.Trim(strings.TrimSpace(text), `"`); text == "*" {
			return nil
		}
		return &text
	}
	q.low, q.high = bound(low), bound(high)
	return p.ranged(q), nil
}

// compare reads an open range: >a, >=a, <b, <=b.
func (p *parser) compare() (Query, error) {
	less := p.rest[0] == '<'
	p.rest = p.rest[1:]
	inclusive := p.eat("=")
	text, _, _ := p.scan()
	if text == "" {
		return nil, p.wrong("a comparison needs a value")
	}
	q := span{boost: 1}
	if less {
		q.high, q.highInclusive = &text, inclusive
	} else {
		q.low, q.lowInclusive = &text, inclusive
	}
	return p.ranged(q), nil
}

func (p *parser) ranged(q span) Query {
	lenient := p.lenient
	return p.over(func(f weighted) Query {
		q := q
		q.field, q.boost = f.pattern, f.boost
		return forgiving{q, lenient}
	})
}

// forgiving finds nothing where its query does not fit the field.
type forgiving struct {
	Query
	lenient bool
}

func (q forgiving) Hits(s *Scope) (Hits, error) {
	hits, err := q.Query.Hits(s)
	if err != nil && q.lenient {
		return nil, nil
	}
	return hits, err
}
