package drill

import (
	"encoding/json"
	"errors"
	"testing"
)

func TestCompareDocuments(t *testing.T) {
	doc := func(id string, version int64, source string) document {
		return document{ID: id, Version: version, Source: json.RawMessage(source)}
	}
	source := []document{doc("a", 1, `{"x":1,"y":[1,2]}`), doc("b", 2, `{"x":2}`), doc("c", 3, `{"x":3}`)}
	for name, c := range map[string]struct {
		restored []document
		want     difference
	}{
		"the same in another form": {[]document{doc("c", 3, `{"x":3}`), doc("a", 1, `{ "y": [1,2], "x": 1 }`), doc("b", 2, `{"x":2}`)}, difference{same: 3}},
		"one is missing":           {source[:2], difference{same: 2, missing: 1}},
		"one is new":               {append(source[:3:3], doc("d", 1, `{}`)), difference{same: 3, extra: 1}},
		"one has another value":    {[]document{source[0], source[1], doc("c", 3, `{"x":4}`)}, difference{same: 2, missing: 1, extra: 1}},
		"one has another version":  {[]document{source[0], source[1], doc("c", 4, `{"x":3}`)}, difference{same: 2, missing: 1, extra: 1}},
		"lists have an order":      {[]document{doc("a", 1, `{"x":1,"y":[2,1]}`), source[1], source[2]}, difference{same: 2, missing: 1, extra: 1}},
	} {
		got, err := compareDocuments(source, c.restored)
		if err != nil || got != c.want {
			t.Errorf("%s: got %+v, %v; want %+v", name, got, err, c.want)
		}
		if differs := errors.Is(got.err(), ErrDiffers); differs != (c.want.missing+c.want.extra > 0) {
			t.Errorf("%s: differs is %v", name, differs)
		}
	}
}
