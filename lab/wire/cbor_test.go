package wire

import (
	"encoding/hex"
	"errors"
	"math"
	"reflect"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"
)

type cborInput struct {
	_      struct{} `type:"structure"`
	Name   *string
	Count  *int64
	Ratio  *float64
	On     *bool
	At     *time.Time `type:"timestamp"`
	Data   []byte
	Parts  []cborInput
	Labels map[string]string
}

// TestCBORRoundTrip sends an output through as an input.
func TestCBORRoundTrip(t *testing.T) {
	in := cborInput{Name: new("a"), Count: new(int64(-7)), Ratio: new(2.5), On: new(true), At: new(time.UnixMilli(1700000000123).UTC()), Data: []byte{0, 255},
		Parts: []cborInput{{Ratio: new(math.Inf(1))}, {Count: new(int64(1 << 60))}}, Labels: map[string]string{"k": "v"}}
	a, err := cborCodec{}.encode(&call{operation: &Operation{}}, reflect.ValueOf(in))
	if err != nil {
		t.Fatal(err)
	}
	var out cborInput
	if err := (cborCodec{}).decode(nil, &request{content: a.body.Bytes()}, reflect.ValueOf(&out).Elem()); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(in, out) {
		t.Errorf("got %+v, want %+v", out, in)
	}
}

func TestCBORError(t *testing.T) {
	a := cborCodec{}.encodeError(&call{}, &Error{Status: 400, Code: "InvalidParameterValue", Message: "bad"})
	var body map[string]string
	if err := cbor.Unmarshal(a.body.Bytes(), &body); err != nil || body["__type"] != "InvalidParameterValue" || body["message"] != "bad" || a.header.Get("X-Amzn-Query-Error") != "InvalidParameterValue;Sender" {
		t.Errorf("error %v, %v, %v", body, a.header, err)
	}
}

func FuzzCBORDecode(f *testing.F) {
	for _, seed := range []string{"a1644e616d656161", "bf65436f756e741b7fffffffffffffffff", "a1624174c1fb41d954fc40000000", "a16550617274739fa0ff", "a164446174614200ff", "c1c1c1c1c100", "9f9f9f9f9f9f"} {
		data, _ := hex.DecodeString(seed)
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var in cborInput
		err := cborCodec{}.decode(nil, &request{content: body}, reflect.ValueOf(&in).Elem())
		if _, ok := errors.AsType[*Error](err); err != nil && !ok {
			t.Errorf("error %v (%T), want an *Error", err, err)
		}
	})
}
