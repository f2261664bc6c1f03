package shard

import (
	"bytes"
	"testing"
)

func FuzzRecord(f *testing.F) {
	f.Add((&Record{ID: "1", Routing: "r", Seq: 3, Term: 2, Version: 9, Source: []byte(`{}`)}).encode(7))
	f.Add((&Record{ID: "1", Seq: 1 << 40, Deleted: true}).encode(0))
	f.Add([]byte{1, 2, 3, 4, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		r, change, err := decode("1", b)
		if err != nil {
			return
		}
		again, c, err := decode("1", r.encode(change))
		if err != nil || c != change || again.Seq != r.Seq || again.Term != r.Term || again.Version != r.Version || again.Deleted != r.Deleted || again.Routing != r.Routing || !bytes.Equal(again.Source, r.Source) {
			t.Errorf("%x: %+v became %+v, %v", b, r, again, err)
		}
	})
}
