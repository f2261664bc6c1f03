package pattern

import (
	"encoding/json"
	"io"
	"strings"
)

// Message is a log event's message, which is taken apart once, however many patterns look at it. It is not safe for concurrent use.
type Message struct {
	Text string

	parsed bool
	root   any // nil when the text is no JSON
	words  []string
}

// document is the message as JSON; nil when it is none.
func (m *Message) document() any {
	if m.parsed {
		return m.root
	}
	m.parsed = true
	text := strings.TrimSpace(m.Text)
	if !strings.HasPrefix(text, "{") && !strings.HasPrefix(text, "[") {
		return nil
	}
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var root any
	if d.Decode(&root) != nil {
		return nil
	}
	if _, err := d.Token(); err != io.EOF {
		return nil
	}
	m.root = root
	return root
}

// split takes the message apart at its spaces. What stands in quotes or square brackets is one field.
func (m *Message) split() []string {
	if m.words != nil {
		return m.words
	}
	m.words = []string{}
	for rest := strings.TrimSpace(m.Text); rest != ""; rest = strings.TrimSpace(rest) {
		var word string
		if closing, ok := map[byte]string{'"': `"`, '[': "]"}[rest[0]]; ok {
			if inner, after, found := strings.Cut(rest[1:], closing); found {
				m.words, rest = append(m.words, inner), after
				continue
			}
		}
		end := strings.IndexAny(rest, " \t\r\n")
		if end < 0 {
			end = len(rest)
		}
		word, rest = rest[:end], rest[end:]
		m.words = append(m.words, word)
	}
	return m.words
}
