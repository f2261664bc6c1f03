package query

import (
	"github.com/blevesearch/bleve/v2/numeric"
	index "github.com/blevesearch/bleve_index_api"
)

// Value is a value of a field: of a numeric one (also a date, in milliseconds since the epoch) its number, of any other one its text.
type Value struct {
	Text   string
	Number float64
}

// Values reads the values of some fields, document by document.
type Values struct {
	scope   *Scope
	numeric map[string]bool
	reader  index.DocValueReader
}

// Values opens the values of fields.
func (s *Scope) Values(fields []string) (*Values, error) {
	v := &Values{scope: s, numeric: map[string]bool{}}
	for _, f := range fields {
		if p := s.Mapping.Field(f); p != nil {
			v.numeric[f] = p.Numeric()
		}
	}
	var err error
	v.reader, err = s.Reader.DocValueReader(fields)
	return v, err
}

// Of returns a document's values by field.
func (v *Values) Of(doc uint64) (map[string][]Value, error) {
	out := map[string][]Value{}
	err := v.reader.VisitDocValues(index.NewIndexInternalID(nil, doc), func(field string, term []byte) {
		if !v.numeric[field] {
			out[field] = append(out[field], Value{Text: string(term)})
			return
		}
		coded := numeric.PrefixCoded(term)
		if shift, err := coded.Shift(); err != nil || shift != 0 {
			return // less precise forms of the same number, which ranges are found by
		}
		if n, err := coded.Int64(); err == nil {
			out[field] = append(out[field], Value{Number: numeric.Int64ToFloat64(n)})
		}
	})
	return out, err
}

// ID returns a document's ID.
func (s *Scope) ID(doc uint64) (string, error) {
	return s.Reader.ExternalID(index.NewIndexInternalID(nil, doc))
}
