package pattern

import (
	"fmt"
	"regexp"
	"strings"
)

// What a regular expression may have besides letters and digits, from "Supported regular expressions (regex) syntax".
const (
	regexSymbols   = `_#=@/;,-`
	regexOperators = `^$?[]{}|\*+.`
	regexClasses   = `dDsSwW`
)

// regex reads a regular expression, after its first percent sign. What is allowed in it means the same to RE2, which takes linear time.
func (s *scanner) regex() (*regexp.Regexp, error) {
	s.regexes++
	text, after, closed := strings.Cut(s.rest(), "%")
	if !closed || text == "" {
		return nil, fmt.Errorf("%w: a regular expression stands between percent signs", ErrInvalid)
	}
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case c == '\\':
			n := escapeLength(text[i+1:])
			if n == 0 {
				return nil, fmt.Errorf("%w: Invalid character(s) in term '%s': what may follow a backslash in a regular expression is an operator, a symbol, one of %s, or x with two hexadecimal digits", ErrInvalid, text, regexClasses)
			}
			i += n
		case !wordByte(c) && strings.IndexByte(regexSymbols+regexOperators, c) < 0:
			return nil, fmt.Errorf("%w: Invalid character(s) in term '%s': a regular expression cannot have %q", ErrInvalid, text, c)
		}
	}
	re, err := regexp.Compile(text)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	s.at = len(s.text) - len(after)
	return re, nil
}

// escapeLength is how many bytes after a backslash belong to it; 0 for an escape that is not allowed.
func escapeLength(rest string) int {
	const hexadecimal = "0123456789abcdefABCDEF"
	switch {
	case rest == "":
	case strings.Contains(regexSymbols+regexOperators+regexClasses, rest[:1]):
		return 1
	case len(rest) >= 3 && rest[0] == 'x' && strings.Contains(hexadecimal, rest[1:2]) && strings.Contains(hexadecimal, rest[2:3]):
		return 3
	}
	return 0
}
