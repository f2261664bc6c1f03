package query

import (
	"strings"

	"storefront/lab/search/internal/refusal"
)

// readQueryString reads both query_string and simple_query_string: the first refuses what it cannot read, the second makes the best of it.
func readQueryString(b *body) (Query, error) {
	simple := b.name == "simple_query_string"
	text, given := b.members["query"]
	if _, ok := text.(string); !given || !ok {
		b.fail("[%s] query must be provided with a [query]", b.name)
		return nil, b.err
	}
	p := &parser{rest: b.text("query", ""), simple: simple, and: b.word("default_operator", "or", "and") == "and"}
	p.lenient = b.flag("lenient", simple)
	p.fields = readFields(b, b.words("fields"))
	if !simple {
		if f := b.text("default_field", ""); f != "" && len(p.fields) == 0 {
			p.fields = readFields(b, []string{f})
		}
		b.flag("analyze_wildcard", false)
	}
	if len(p.fields) == 0 {
		p.fields, p.lenient = []weighted{{"*", 1}}, true
	}
	boost := b.boost()
	if err := b.end(); err != nil {
		return nil, err
	}
	q, err := p.clauses(0)
	if err != nil {
		return nil, err
	}
	return boolean{must: []Query{q}, boost: boost}, nil
}

// URI is the query of the URI's parameter q.
func URI(q, field, operator string, lenient bool) (Query, error) {
	members := map[string]any{"query": q, "lenient": lenient}
	if field != "" {
		members["default_field"] = field
	}
	if operator != "" {
		members["default_operator"] = operator
	}
	return readQueryString(&body{name: "query_string", members: members})
}

// parser reads Lucene's query syntax.
type parser struct {
	rest    string
	fields  []weighted
	simple  bool
	and     bool // what stands side by side must all match
	lenient bool
}

// occur says whether a clause should match, must match, or must not.
type occur int

const (
	should occur = iota
	must
	mustNot
)

// clauses reads until the text or the bracket ends.
func (p *parser) clauses(depth int) (Query, error) {
	if depth > maxDepth {
		return nil, refusal.Argument("queries may nest %d deep", maxDepth)
	}
	var queries []Query
	var occurs []occur
	for {
		p.space()
		if p.rest == "" || p.rest[0] == ')' && depth > 0 {
			return group(queries, occurs), nil
		}
		joined := p.operator()
		p.space()
		how := should
		if p.and && joined != "or" || joined == "and" {
			how = must
		}
		if n := len(occurs); n > 0 {
			if joined == "and" && occurs[n-1] == should {
				occurs[n-1] = must
			}
			if joined == "or" && p.and && occurs[n-1] == must {
				occurs[n-1] = should
			}
		}
		switch {
		case p.eat("+") && !p.simple:
			how = must
		case p.eat("-"), !p.simple && (p.eat("!") || p.word("NOT")):
			how = mustNot
		}
		p.space()
		if p.rest == "" || p.rest[0] == ')' && depth > 0 {
			if p.simple {
				continue
			}
			return nil, p.wrong("it ends where a term must follow")
		}
		q, err := p.clause(depth)
		if err != nil {
			return nil, err
		}
		if q != nil {
			queries, occurs = append(queries, q), append(occurs, how)
		}
	}
}

func group(queries []Query, occurs []occur) Query {
	b := boolean{boost: 1}
	for i, q := range queries {
		switch occurs[i] {
		case must:
			b.must = append(b.must, q)
		case mustNot:
			b.mustNot = append(b.mustNot, q)
		default:
			b.should = append(b.should, q)
		}
	}
	if len(queries) == 0 {
		return none{}
	}
	return b
}

func (p *parser) space() { p.rest = strings.TrimLeft(p.rest, " \t\r\n\u3000") }

func (p *parser) eat(s string) bool {
	rest, ok := strings.CutPrefix(p.rest, s)
	if ok {
		p.rest = rest
	}
	return ok
}

// word eats an operator that is a word of its own.
func (p *parser) word(w string) bool {
	rest, ok := strings.CutPrefix(p.rest, w)
	if !ok || rest != "" && !strings.ContainsAny(rest[:1], " \t\r\n(") {
		return false
	}
	p.rest = rest
	return true
}

// operator eats what joins two clauses.
func (p *parser) operator() string {
	if p.simple {
		switch {
		case p.eat("+"):
			return "and"
		case p.eat("|"):
			return "or"
		}
		return ""
	}
	switch {
	case p.eat("&&"), p.word("AND"):
		return "and"
	case p.eat("||"), p.word("OR"):
		return "or"
	}
	return ""
}

// clause reads a bracket, a phrase, a range or a term, with the field before it and the boost after it.
func (p *parser) clause(depth int) (Query, error) {
	outer := p.fields
	defer func() { p.fields = outer }()
	if field, ok := p.fieldName(); ok {
		if p.fields = []weighted{{field, 1}}; p.rest == "" {
			return nil, p.wrong("nothing follows [" + field + ":]")
		}
	}
	q, err := p.value(depth)
	if err != nil || q == nil {
		return q, err
	}
	if p.eat("^") {
		text := p.run("0123456789.")
		n := (&body{members: map[string]any{"boost": text}})
		factor := n.boost()
		if n.err != nil {
			return nil, p.wrong("a boost must be a number")
		}
		return boolean{must: []Query{q}, boost: factor}, nil
	}
	return q, nil
}

func (p *parser) value(depth int) (Query, error) {
	switch {
	case p.eat("("):
		q, err := p.clauses(depth + 1)
		if err == nil && !p.eat(")") && !p.simple {
			err = p.wrong("a bracket is not closed")
		}
		return q, err
	case p.rest[0] == '"':
		return p.phrase()
	case !p.simple && (p.rest[0] == '[' || p.rest[0] == '{'):
		return p.between()
	case !p.simple && (p.rest[0] == '<' || p.rest[0] == '>'):
		return p.compare()
	case !p.simple && strings.IndexByte(")]}^:/", p.rest[0]) >= 0:
		return nil, p.wrong("unexpected [" + p.rest[:1] + "]")
	}
	return p.term()
}

// fieldName reads "name:" before a value.
func (p *parser) fieldName() (string, bool) {
	if p.simple {
		return "", false
	}
	end := strings.IndexAny(p.rest, ": \t\r\n\"()[]{}^~")
	if end <= 0 || p.rest[end] != ':' {
		return "", false
	}
	name := strings.ReplaceAll(p.rest[:end], `\`, "")
	p.rest = p.rest[end+1:]
	p.space()
	return name, true
}

func (p *parser) run(of string) string {
	n := 0
	for n < len(p.rest) && strings.IndexByte(of, p.rest[n]) >= 0 {
		n++
	}
	text := p.rest[:n]
	p.rest = p.rest[n:]
	return text
}

// phrase reads a text in quotation marks.
func (p *parser) phrase() (Query, error) {
	var b strings.Builder
	for i := 1; i < len(p.rest); i++ {
		switch {
		case p.rest[i] == '\\' && i+1 < len(p.rest):
			i++
			b.WriteByte(p.rest[i])
		case p.rest[i] == '"':
			p.rest = p.rest[i+1:]
			if p.eat("~") && strings.Trim(p.run("0123456789"), "0") != "" {
				return nil, p.wrong("slop of phrases is not served")
			}
			return p.over(func(f weighted) Query {
				return match{field: f.pattern, text: b.String(), phrase: true, lenient: p.lenient, boost: f.boost}
			}), nil
		default:
			b.WriteByte(p.rest[i])
		}
	}
	if !p.simple {
		return nil, p.wrong("a quotation mark is not closed")
	}
	p.rest = p.rest[1:]
	return nil, nil
}

// over asks each field; the best one counts. A query that names no field asks all that can be searched.
func (p *parser) over(ask func(weighted) Query) Query { return anywhere{fields: p.fields, ask: ask} }

type anywhere struct {
	fields []weighted
	ask    func(weighted) Query
}

func (q anywhere) Hits(s *Scope) (Hits, error) {
	var queries []Query
	for _, f := range expand(s, q.fields) {
		queries = append(queries, q.ask(f))
	}
	return disMax{queries: queries, boost: 1}.Hits(s)
}

// wrong is the error of a text that cannot be read.
func (p *parser) wrong(why string) error {
	return refusal.New(400, "query_shard_exception", "Failed to parse query: %s", why)
}
