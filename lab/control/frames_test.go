package control

import (
	"bytes"
	"encoding/binary"
	"testing"
)

// FuzzReadFrames feeds broken answers: they end with an error, never with a wrong status or a panic.
func FuzzReadFrames(f *testing.F) {
	frame := func(kind byte, content string) string {
		return string(binary.BigEndian.AppendUint32([]byte{kind}, uint32(len(content)))) + content
	}
	f.Add([]byte(frame('o', "out") + frame('e', "err") + frame('s', "\x00\x00\x00\x07")))
	f.Add([]byte(frame('f', "no such instance")))
	f.Add([]byte(frame('o', "cut")[:6]))
	f.Add([]byte(frame('s', "\x00")))
	f.Add([]byte("s\x00\x00\x00\x040"))
	f.Add([]byte("x\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, answer []byte) {
		var out, errOut bytes.Buffer
		status, err := readFrames(bytes.NewReader(answer), &out, &errOut)
		if err != nil && status != 0 {
			t.Errorf("status %d beside the error %v", status, err)
		}
		if err == nil && !bytes.ContainsRune(answer, frameStatus) {
			t.Errorf("%q has no status, and was taken", answer)
		}
		if out.Len()+errOut.Len() > len(answer) {
			t.Errorf("%d bytes came out of %d", out.Len()+errOut.Len(), len(answer))
		}
	})
}
