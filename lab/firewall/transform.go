package firewall

import (
	"bytes"
	"cmp"
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"html"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"

	api "storefront/lab/api/wafv2"
	"storefront/lab/wire"
)

var (
	blanks   = regexp.MustCompile(`[\s\x{00a0}]+`)
	comments = regexp.MustCompile(`(?s)/\*.*?(?:\*/|$)`)
)

// transformations are the text transformations of the page of that name, by their names. What cannot be decoded stays as it is.
func transformations() map[string]func([]byte) []byte {
	text := func(f func(string) string) func([]byte) []byte {
		return func(v []byte) []byte { return []byte(f(string(v))) }
	}
	return map[string]func([]byte) []byte{
		"NONE":                 func(v []byte) []byte { return v },
		"LOWERCASE":            bytes.ToLower,
		"HTML_ENTITY_DECODE":   text(html.UnescapeString),
		"COMPRESS_WHITE_SPACE": func(v []byte) []byte { return blanks.ReplaceAll(v, []byte(" ")) },
		"REPLACE_COMMENTS":     func(v []byte) []byte { return comments.ReplaceAll(v, []byte(" ")) },
		"REMOVE_NULLS":         func(v []byte) []byte { return bytes.ReplaceAll(v, []byte{0}, nil) },
		"REPLACE_NULLS":        func(v []byte) []byte { return bytes.ReplaceAll(v, []byte{0}, []byte(" ")) },
		"URL_DECODE":           text(unescape),
		"BASE64_DECODE": func(v []byte) []byte {
			if decoded, err := base64.StdEncoding.DecodeString(string(v)); err == nil {
				return decoded
			}
			return v
		},
		"HEX_DECODE": func(v []byte) []byte {
			if decoded, err := hex.DecodeString(string(v)); err == nil {
				return decoded
			}
			return v
		},
		"MD5": func(v []byte) []byte { sum := md5.Sum(v); return sum[:] },
		"NORMALIZE_PATH": text(func(s string) string {
			if s == "" {
				return s
			}
			return path.Clean(s)
		}),
		"CMD_LINE": text(func(s string) string {
			s = strings.NewReplacer(`\`, "", `"`, "", "'", "", "^", "", ",", " ", ";", " ").Replace(s)
			s = blanks.ReplaceAllString(s, " ")
			return strings.ToLower(strings.NewReplacer(" /", "/", " (", "(").Replace(s))
		}),
	}
}

// unescape decodes what is percent-encoded, piece by piece: one broken escape does not hide the others.
func unescape(s string) string {
	if decoded, err := url.QueryUnescape(s); err == nil {
		return decoded
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+3 <= len(s) {
			if c, err := hex.DecodeString(s[i+1 : i+3]); err == nil {
				b.Write(c)
				i += 2
				continue
			}
		}
		if s[i] == '+' {
			b.WriteByte(' ')
			continue
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// transformer joins transformations in the order of their priorities.
func transformer(list []api.TextTransformation) (func([]byte) []byte, error) {
	if len(list) == 0 {
		return nil, fmt.Errorf("%w: at least one text transformation is required, NONE for none", ErrInvalid)
	}
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(a, b api.TextTransformation) int {
		return cmp.Compare(wire.Value(a.Priority), wire.Value(b.Priority))
	})
	known := transformations()
	var chain []func([]byte) []byte
	for _, t := range list {
		f, ok := known[wire.Value(t.Type)]
		if !ok {
			return nil, fmt.Errorf("%w: the text transformation %s", ErrUnsupported, wire.Value(t.Type))
		}
		chain = append(chain, f)
	}
	return func(v []byte) []byte {
		for _, f := range chain {
			v = f(v)
		}
		return v
	}, nil
}
