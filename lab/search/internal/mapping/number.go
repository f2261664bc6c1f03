package mapping

import (
	"math"

	"github.com/blevesearch/bleve/v2/analysis"
	"github.com/blevesearch/bleve/v2/document"
	"github.com/blevesearch/bleve/v2/numeric"
)

// precisionStep is by how many bits each of a number's terms is coarser than the one before. bleve's own numbers have a term for every 4
// bits, which makes most of the terms of an order; with half of them a range has more terms at its ends, and fewer than 256 at each step.
const precisionStep = 8

// precisions makes the terms of a number: itself, and the coarser ranges that it is in.
type precisions struct{}

// Analyze makes the terms.
func (precisions) Analyze(number []byte) analysis.TokenStream {
	n, err := numeric.PrefixCoded(number).Int64()
	if err != nil {
		return nil // not a number of ours
	}
	var all [64 / precisionStep]analysis.Token
	out := make(analysis.TokenStream, len(all))
	for i := range all {
		all[i].Term, all[i].Position = numeric.MustNewPrefixCodedInt64(n, uint(i*precisionStep)), 1
		out[i] = &all[i]
	}
	return out
}

func number(path string, n float64, p *Property) document.Field {
	term := numeric.MustNewPrefixCodedInt64(numeric.Float64ToInt64(n), 0)
	return document.NewTextFieldCustom(path, nil, term, p.options(), precisions{})
}

// Terms are the first and the last term, both included, of a part of a range of numbers.
type Terms struct{ First, Last []byte }

// Range returns the terms that together stand for all numbers from low to high, both included: fine ones at its ends, coarse ones between.
func Range(low, high float64) []Terms {
	if low > high || math.IsNaN(low) || math.IsNaN(high) {
		return nil
	}
	const sign, mask = 1 << 63, 1<<precisionStep - 1
	from, to := uint64(numeric.Float64ToInt64(low))^sign, uint64(numeric.Float64ToInt64(high))^sign
	var out []Terms
	for shift := uint(0); ; shift += precisionStep {
		term := func(n uint64) []byte { return numeric.MustNewPrefixCodedInt64(int64(n<<shift^sign), shift) }
		if from>>precisionStep == to>>precisionStep || shift+precisionStep >= 64 {
			return append(out, Terms{term(from), term(to)})
		}
		if from&mask != 0 {
			out = append(out, Terms{term(from), term(from | mask)})
			from = from | mask + 1
		}
		if to&mask != mask {
			out = append(out, Terms{term(to &^ mask), term(to)})
			to = to&^mask - 1
		}
		if from > to {
			return out
		}
		from, to = from>>precisionStep, to>>precisionStep
	}
}
