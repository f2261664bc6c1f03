package s3

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"storefront/lab/wire"
)

// awsError fails the test for an error that is not AWS's own.
func awsError(t *testing.T, err error) {
	t.Helper()
	if _, ok := errors.AsType[*wire.Error](err); err != nil && !ok {
		t.Errorf("got %v (%T), want a *wire.Error", err, err)
	}
}

func FuzzParsePolicy(f *testing.F) {
	f.Add(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"000000000000"},"Action":"s3:*","Resource":"arn:aws:s3:::b","Condition":{"StringEquals":{"aws:SourceAccount":["1"]}}}]}`)
	f.Add(`{"Statement":{"Effect":"Deny","NotPrincipal":"*","NotAction":[],"NotResource":["x"]}}`)
	f.Add(`{"Statement":[null]}`)
	f.Fuzz(func(t *testing.T, document string) {
		p, err := parsePolicy("b", document)
		awsError(t, err)
		p.public()
	})
}

func FuzzParseRange(f *testing.F) {
	for _, seed := range []string{"bytes=0-1", "bytes=-5", "bytes=9-", "bytes=5-2", "bytes=99999999999999999999-", "items=1-2", ""} {
		f.Add(seed, int64(10))
	}
	f.Fuzz(func(t *testing.T, header string, size int64) {
		if size < 0 {
			return
		}
		r, partial, err := parseRange(header, size)
		awsError(t, err)
		if err == nil && (r.offset < 0 || r.length < 0 || r.offset+r.length > size || !partial && r != span{0, size}) {
			t.Errorf("%q of %d bytes is %+v", header, size, r)
		}
	})
}

func FuzzParseTagging(f *testing.F) {
	f.Add("a=1&b=2")
	f.Add("a&a&=x&%zz")
	f.Fuzz(func(t *testing.T, header string) {
		_, err := parseTagging(&header)
		awsError(t, err)
	})
}

// FuzzSealing seals any content and reads any stretch of it back.
func FuzzSealing(f *testing.F) {
	f.Add([]byte("x"), uint16(1), uint32(0), uint32(1))
	f.Add([]byte("0123456789abcdef"), uint16(9000), uint32(65530), uint32(70000))
	key := bytes.Repeat([]byte{7}, 32)
	f.Fuzz(func(t *testing.T, unit []byte, times uint16, offset, length uint32) {
		content := bytes.Repeat(unit, int(times))
		if len(content) > 1<<20 {
			return
		}
		var sealed bytes.Buffer
		s, err := newSealer(&sealed, key)
		if err != nil {
			t.Fatal(err)
		}
		for part := range slices.Chunk(content, max(1, len(content)/3)) {
			if _, err := s.Write(part); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		from := min(int(offset), len(content))
		want := content[from:min(from+int(length%(1<<20)), len(content))]
		o, err := newOpener(bytes.NewReader(sealed.Bytes()), key, int64(len(content)))
		if err != nil {
			t.Fatal(err)
		}
		got := make([]byte, len(want))
		if n, err := o.ReadAt(got, int64(from)); err != nil || n != len(want) || !bytes.Equal(got, want) {
			t.Errorf("[%d:+%d] of %d: got %d bytes, %v", from, len(want), len(content), n, err)
		}
	})
}

// TestSealedTampering changes one byte of a sealed body.
func TestSealedTampering(t *testing.T) {
	key := bytes.Repeat([]byte{7}, 32)
	var sealed bytes.Buffer
	s, err := newSealer(&sealed, key)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Write([]byte(strings.Repeat("secret", 20_000))); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	data := sealed.Bytes()
	data[70_000] ^= 1
	o, err := newOpener(bytes.NewReader(data), key, 120_000)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := o.ReadAt(make([]byte, 100), 100); err != nil {
		t.Errorf("the chunk before: %v", err)
	}
	if _, err := o.ReadAt(make([]byte, 100), 66_000); err == nil {
		t.Error("a changed chunk was read")
	}
}
