package access

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// Matching returns the places of the statements of an effect, "Allow" or "Deny", that are about a request: those that Decide went by.
func (d Document) Matching(r *Request, effect string) (places []int) {
	for i, s := range d.Statement {
		anybody := len(s.Principal)+len(s.NotPrincipal) == 0
		if s.Effect == effect && (anybody || d.names(s, r.Principal) != notAt) && d.applies(s, r) {
			places = append(places, i)
		}
	}
	return places
}

// Keys returns the condition keys that a document asks for, in its conditions and policy variables, as they are written, sorted and each once.
func (d Document) Keys() []string {
	keys := map[string]bool{}
	variables := func(texts Strings) {
		for _, text := range texts {
			for _, after := range strings.Split(text, "${")[1:] {
				name, _, closed := strings.Cut(after, "}")
				name, _, _ = strings.Cut(name, ",")
				if name = strings.TrimSpace(name); closed && d.Version == current && strings.Contains(name, ":") {
					keys[name] = true
				}
			}
		}
	}
	for _, s := range d.Statement {
		variables(s.Resource)
		variables(s.NotResource)
		for _, conditions := range s.Condition {
			for key, values := range conditions {
				keys[key] = true
				variables(values)
			}
		}
	}
	return slices.Sorted(maps.Keys(keys))
}

// Position is a place in the text of a document: lines and columns count from 1, columns in bytes.
type Position struct{ Line, Column int }

// Span is where a statement stands, from behind its opening brace to behind its closing one, as the policy simulator tells it.
type Span struct{ Start, End Position }

// Spans finds the statements in the text of a document that Parse accepts, in their order.
func Spans(text string) (spans []Span) {
	d := json.NewDecoder(strings.NewReader(text))
	var start Position
	element, depth, inner := "", 0, 2 // inner is how deep the braces of a statement are
	for {
		token, err := d.Token()
		if err != nil {
			return spans
		}
		switch token {
		case json.Delim('{'), json.Delim('['):
			if depth++; depth == 2 && token == json.Delim('[') {
				inner = 3
			}
			if depth == inner && element == "Statement" {
				start = position(text, d.InputOffset())
			}
		case json.Delim('}'), json.Delim(']'):
			if depth == inner && element == "Statement" && token == json.Delim('}') {
				spans = append(spans, Span{start, position(text, d.InputOffset())})
			}
			if depth--; depth == 1 {
				element, inner = "", 2
			}
		default:
			if name, _ := token.(string); depth == 1 && element == "" {
				element = name
			} else if depth == 1 {
				element = "" // a value that is no object or list
			}
		}
	}
}

func position(text string, offset int64) Position {
	before := text[:offset]
	return Position{Line: 1 + strings.Count(before, "\n"), Column: len(before) - strings.LastIndexByte(before, '\n')}
}
