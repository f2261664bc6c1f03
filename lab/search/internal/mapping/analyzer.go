package mapping

import (
	"github.com/blevesearch/bleve/v2/analysis"
	"github.com/blevesearch/bleve/v2/analysis/token/lowercase"
	"github.com/blevesearch/bleve/v2/analysis/tokenizer/letter"
	"github.com/blevesearch/bleve/v2/analysis/tokenizer/single"
	"github.com/blevesearch/bleve/v2/analysis/tokenizer/unicode"
	"github.com/blevesearch/bleve/v2/analysis/tokenizer/whitespace"
)

// Analyzer returns the built-in analyzer of a name, or nil.
func Analyzer(name string) analysis.Analyzer {
	lower := lowercase.NewLowerCaseFilter()
	switch name {
	case "", "standard":
		return &analysis.DefaultAnalyzer{Tokenizer: unicode.NewUnicodeTokenizer(), TokenFilters: []analysis.TokenFilter{lower}}
	case "simple":
		return &analysis.DefaultAnalyzer{Tokenizer: tokenizer(letter.TokenizerConstructor(nil, nil)), TokenFilters: []analysis.TokenFilter{lower}}
	case "whitespace":
		return &analysis.DefaultAnalyzer{Tokenizer: tokenizer(whitespace.TokenizerConstructor(nil, nil))}
	case "keyword":
		return &analysis.DefaultAnalyzer{Tokenizer: single.NewSingleTokenTokenizer()}
	}
	return nil
}

// tokenizer takes one of bleve's that cannot fail to be made.
func tokenizer(t analysis.Tokenizer, _ error) analysis.Tokenizer { return t }

// Terms returns the terms that a text field makes of a text.
func (p *Property) Terms(text string) []string {
	if p.Type != "text" {
		return []string{text}
	}
	var terms []string
	for _, t := range Analyzer(p.Analyzer).Analyze([]byte(text)) {
		terms = append(terms, string(t.Term))
	}
	return terms
}

// tokens are the terms that were made of a text already.
type tokens analysis.TokenStream

// Analyze returns the terms.
func (t tokens) Analyze([]byte) analysis.TokenStream { return analysis.TokenStream(t) }

// names makes a term of each name, as often as it counts.
type names map[string]int

// Analyze makes the terms.
func (n names) Analyze([]byte) analysis.TokenStream {
	var out analysis.TokenStream
	for name, count := range n {
		t := &analysis.Token{Term: []byte(name), Position: 1}
		for range count {
			out = append(out, t)
		}
	}
	return out
}
