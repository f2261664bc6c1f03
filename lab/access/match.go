package access

import "strings"

// Wild characters that are meant literally, such as those in the value of a policy variable, stand as these in a pattern.
const (
	literalStar     = '\x01'
	literalQuestion = '\x02'
)

var literally = strings.NewReplacer("*", string(literalStar), "?", string(literalQuestion))

// Like reports whether text matches a pattern in which * stands for any characters and ? for one.
func Like(pattern, text string) bool {
	star, retry := -1, 0 // the last *, and where its match would end next
	p, t := 0, 0
	for t < len(text) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, retry = p, t
			p++
		case p < len(pattern) && same(pattern[p], text[t]):
			p, t = p+1, t+1
		case star >= 0:
			retry++
			p, t = star+1, retry
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}

func same(pattern, c byte) bool {
	switch pattern {
	case '?':
		return true
	case literalStar:
		return c == '*'
	case literalQuestion:
		return c == '?'
	}
	return pattern == c
}

// likeARN matches as ArnLike and ArnEquals do: each of the six parts for itself.
func likeARN(pattern, arn string) bool {
	p, a := strings.SplitN(pattern, ":", 6), strings.SplitN(arn, ":", 6)
	if len(p) != 6 || len(a) != 6 {
		return false
	}
	for i := range p {
		if !Like(p[i], a[i]) {
			return false
		}
	}
	return true
}

// matchesAction compares without regard to case, as IAM does with actions.
func matchesAction(patterns Strings, action string) bool {
	action = strings.ToLower(action)
	for _, p := range patterns {
		if Like(strings.ToLower(p), action) {
			return true
		}
	}
	return false
}

// matchesResource reports whether a resource element covers the request's resource. What has no resource of its own is asked for as "*", and only "*" covers it.
func (d Document) matchesResource(patterns Strings, r *Request) bool {
	for _, p := range patterns {
		if p, ok := d.expand(p, r); ok && Like(p, r.Resource) {
			return true
		}
	}
	return false
}

// expand replaces policy variables, of which only documents of the current version have any. A variable without a value makes the element match nothing.
func (d Document) expand(text string, r *Request) (string, bool) {
	if d.Version != current || !strings.Contains(text, "${") {
		return text, true
	}
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(text, "${")
		b.WriteString(before)
		if !found {
			return b.String(), true
		}
		name, after, closed := strings.Cut(rest, "}")
		if !closed {
			b.WriteString("${" + rest)
			return b.String(), true
		}
		value, ok := r.variable(name)
		if !ok {
			return "", false
		}
		b.WriteString(literally.Replace(value))
		text = after
	}
}

// variable returns the value of "key", or of "key, 'default'".
func (r *Request) variable(name string) (string, bool) {
	if name == "*" || name == "?" || name == "$" {
		return name, true
	}
	key, otherwise, hasDefault := strings.Cut(name, ",")
	if values := r.values(strings.TrimSpace(key)); len(values) == 1 {
		return values[0], true
	}
	return strings.Trim(strings.TrimSpace(otherwise), "'"), hasDefault
}
