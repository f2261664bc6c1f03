package systemd

import (
	"fmt"
	"strings"
)

// Command is one command line of a unit file.
type Command struct {
	Path          string
	Args          []string // with argument 0
	IgnoreFailure bool     // the line began with "-"
	Privileged    bool     // it began with "+" or "!": User= does not apply
	Literal       bool     // it began with ":": variables are not replaced
}

// ParseCommand reads a command line as systemd.service(5) describes it: prefixes, quotes and escapes. It is no shell.
func ParseCommand(line string) (Command, error) {
	var c Command
	argument0 := false
	for line != "" && strings.IndexByte("-@:+!|", line[0]) >= 0 {
		switch line[0] {
		case '-':
			c.IgnoreFailure = true
		case '@':
			argument0 = true
		case ':':
			c.Literal = true
		case '+', '!':
			c.Privileged = true
		}
		line = line[1:]
	}
	words, err := split(line)
	if err != nil {
		return Command{}, err
	}
	if len(words) == 0 || words[0] == "" {
		return Command{}, fmt.Errorf("the command line is empty")
	}
	c.Path, c.Args = words[0], words
	if argument0 {
		if len(words) < 2 {
			return Command{}, fmt.Errorf("a command that begins with @ needs its argument 0")
		}
		c.Args = words[1:]
	}
	return c, nil
}

// Expand returns the arguments with ${NAME} replaced inside words, and $NAME standing alone replaced by the words of its value.
func (c Command) Expand(env []string) []string {
	if c.Literal {
		return c.Args
	}
	value := lookup(env)
	args := make([]string, 0, len(c.Args))
	for i, a := range c.Args {
		if name, ok := strings.CutPrefix(a, "$"); i > 0 && ok && isName(name) {
			args = append(args, strings.Fields(value(name))...)
			continue
		}
		args = append(args, braces(a, value))
	}
	return args
}

// lookup returns the function that finds a variable; later assignments win.
func lookup(env []string) func(string) string {
	return func(name string) string {
		for i := len(env) - 1; i >= 0; i-- {
			if v, ok := strings.CutPrefix(env[i], name+"="); ok {
				return v
			}
		}
		return ""
	}
}

// braces replaces ${NAME} in a word; "$$" is a dollar sign.
func braces(word string, value func(string) string) string {
	var out strings.Builder
	for {
		before, rest, found := strings.Cut(word, "$")
		out.WriteString(before)
		if !found {
			return out.String()
		}
		name, after, closed := strings.Cut(strings.TrimPrefix(rest, "{"), "}")
		switch {
		case strings.HasPrefix(rest, "$"):
			out.WriteByte('$')
			word = rest[1:]
		case strings.HasPrefix(rest, "{") && closed && isName(name):
			out.WriteString(value(name))
			word = after
		default:
			out.WriteByte('$')
			word = rest
		}
	}
}

func isName(s string) bool {
	for i, r := range s {
		letter := r == '_' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
		if !letter && (i == 0 || r < '0' || r > '9') {
			return false
		}
	}
	return s != ""
}

// escapes are the C-style escapes of systemd.syntax(7) that stand for one byte.
var escapes = map[byte]byte{'a': 7, 'b': 8, 'f': 12, 'n': 10, 'r': 13, 't': 9, 'v': 11, '\\': '\\', '"': '"', '\'': '\'', 's': ' ', '$': '$', ';': ';', ' ': ' '}

// split cuts a value into words at white space, minding quotes and escapes.
func split(line string) ([]string, error) {
	var words []string
	var word strings.Builder
	inWord := false
	var quote byte
	for i := 0; i < len(line); i++ {
		c := line[i]
		switch {
		case c == '\\' && i+1 < len(line):
			i++
			e, ok := escapes[line[i]]
			if !ok {
				return nil, fmt.Errorf("unknown escape \\%c", line[i])
			}
			word.WriteByte(e)
			inWord = true
		case quote != 0:
			if c == quote {
				quote = 0
			} else {
				word.WriteByte(c)
			}
		case c == '"' || c == '\'':
			quote, inWord = c, true
		case c == ' ' || c == '\t' || c == '\n':
			if inWord {
				words = append(words, word.String())
				word.Reset()
			}
			inWord = false
		default:
			word.WriteByte(c)
			inWord = true
		}
	}
	if quote != 0 {
		return nil, fmt.Errorf("a quote (%c) is not closed", quote)
	}
	if inWord {
		words = append(words, word.String())
	}
	return words, nil
}

// ParseEnvironment reads the text of an environment file: assignments, one a line, values optionally quoted, comments with # or ;. Lines that are no
// assignment are skipped, as systemd does.
func ParseEnvironment(text string) []string {
	var env []string
	text = strings.ReplaceAll(text, "\\\n", "")
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		name, value, ok := strings.Cut(line, "=")
		if !ok || strings.HasPrefix(line, "#") || strings.HasPrefix(line, ";") || !isName(strings.TrimSpace(name)) {
			continue
		}
		env = append(env, strings.TrimSpace(name)+"="+unquote(strings.TrimSpace(value)))
	}
	return env
}

// unquote removes the quotes around parts of a value, and the backslashes before what they protect.
func unquote(value string) string {
	var out strings.Builder
	var quote byte
	for i := 0; i < len(value); i++ {
		c := value[i]
		switch {
		case c == '\\' && quote != '\'' && i+1 < len(value):
			i++
			out.WriteByte(value[i])
		case c == quote:
			quote = 0
		case quote == 0 && (c == '"' || c == '\''):
			quote = c
		default:
			out.WriteByte(c)
		}
	}
	return out.String()
}
