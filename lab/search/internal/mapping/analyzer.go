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

// repeated makes one term of a text, so many times.
type repeated int

// Analyze makes the term.
func (n repeated) Analyze(text []byte) analysis.TokenStream {
	out := make(analysis.TokenStream, n)
	for i := range out {
		out[i] = &analysis.Token{Term: text, Start: 0, End: len(text), Position: 1}
	}
	return out
}
