package firewall

import (
	"strings"

	"github.com/corazawaf/coraza/v3/types"
)

// Bounds of what is remembered as harmless: at most 2 MB.
const (
	harmlessMost    = 4096 // values
	harmlessLongest = 512  // bytes of a value
	valuesMost      = 256  // of a request: Coraza looks at the first thousand arguments only, so one of more could have escaped it
)

// hit is a critical rule of the core rule set that a request matched, and the part of the request that did.
type hit struct {
	id   int
	part string // URIPATH, QUERYARGUMENTS, BODY, COOKIE or HEADER
	data string
}

// value is a part of a request that rules look at by itself.
type value struct {
	kind       byte // 'L' request line: name is the method and protocol; 'H' header field; 'A' argument in the body
	name, text string
}

// values are all parts of a request. Nothing that the rules look at depends on the client's address.
func (e *evaluation) values() []value {
	all := []value{{'L', e.Method + " " + e.Proto, e.URL.RequestURI()}, {'H', "Host", e.Host}}
	for name, list := range e.Header {
		for _, v := range list {
			all = append(all, value{'H', name, v})
		}
	}
	for _, a := range e.bodyFields() {
		all = append(all, value{'A', a.name, a.value})
	}
	return all
}

// find returns what the core rule set finds in a request.
//
// Looking costs most of a millisecond, and most of a request was there in earlier ones: host, agent, names of fields. At paranoia level 1 a request matches a rule
// only if one of its values would without the others (see TestRulesLookAtOneValueAtATime), so those that were in a request without any match need not be looked at again. As soon as something
// matches, the whole request is looked at, as if nothing were remembered.
func (s *ruleset) find(e *evaluation) []hit {
	all := e.values()
	if len(all) > valuesMost {
		return s.run(e, all)
	}
	fresh := make([]value, 0, len(all))
	for _, v := range all {
		if _, known := s.harmless.Get(v); !known {
			fresh = append(fresh, v)
		}
	}
	if len(fresh) == 0 {
		return nil
	}
	if hits := s.run(e, fresh); len(hits) > 0 {
		if len(fresh) < len(all) {
			return s.run(e, all)
		}
		return hits
	}
	for _, v := range fresh {
		if len(v.name)+len(v.text) <= harmlessLongest {
			s.harmless.Add(value{v.kind, strings.Clone(v.name), strings.Clone(v.text)}, struct{}{}) // not a piece of a whole request
		}
	}
	return nil
}

// run lets the core rule set look at values of a request.
func (s *ruleset) run(e *evaluation, values []value) []hit {
	tx := s.waf.NewTransaction()
	defer func() { _ = tx.Close() }() // it frees buffers
	for _, v := range values {
		name := strings.Clone(v.name) // Coraza tells values of one name apart by the address of the name, and takes one for the other where it is shared
		switch v.kind {
		case 'L':
			tx.ProcessURI(v.text, e.Method, e.Proto)
		case 'H':
			tx.AddRequestHeader(name, v.text)
		case 'A':
			tx.AddPostRequestArgument(name, v.text)
		}
	}
	tx.ProcessRequestHeaders()
	if _, err := tx.ProcessRequestBody(); err != nil {
		return nil // bodies are not read by it, so there is none
	}
	var hits []hit
	for _, m := range tx.MatchedRules() {
		if m.Rule().Severity() != types.RuleSeverityCritical {
			continue
		}
		for _, d := range m.MatchedDatas() {
			if part, ok := e.partOfVariable(d.Variable().Name(), d.Key()); ok {
				hits = append(hits, hit{m.Rule().ID(), part, d.Value()})
			}
		}
	}
	return hits
}

// partOfVariable is the part of a request that a variable of the core rule set comes from. ARGS are those of the query and of the body.
func (e *evaluation) partOfVariable(name, key string) (part string, ok bool) {
	_, inQuery := e.arguments()[key]
	switch {
	case (name == "ARGS" || name == "ARGS_NAMES") && !inQuery && len(e.Body) > 0:
		return "BODY", true
	case name == "ARGS_POST", name == "ARGS_POST_NAMES", strings.HasPrefix(name, "REQUEST_BODY"):
		return "BODY", true
	case strings.HasPrefix(name, "ARGS"), name == "QUERY_STRING":
		return "QUERYARGUMENTS", true
	case strings.HasPrefix(name, "REQUEST_COOKIES"):
		return "COOKIE", true
	case strings.HasPrefix(name, "REQUEST_HEADERS"):
		return "HEADER", true
	case strings.HasPrefix(name, "REQUEST_URI"), name == "REQUEST_FILENAME", name == "REQUEST_BASENAME", name == "REQUEST_LINE":
		return "URIPATH", true
	}
	return "", false
}
