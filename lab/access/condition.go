package access

import (
	"encoding/base64"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

// operator is a condition operator with its modifiers.
type operator struct {
	name     string
	set      string // "ForAllValues", "ForAnyValue" or ""
	ifExists bool
	negated  bool
	test     func(want, got string) bool
}

// negatives are the operators with a negation in them.
var negatives = []string{"StringNotEquals", "StringNotEqualsIgnoreCase", "StringNotLike", "NumericNotEquals", "DateNotEquals", "NotIpAddress", "ArnNotEquals", "ArnNotLike"}

// parseOperator reads the name of a condition operator, such as "ForAnyValue:StringLikeIfExists".
func parseOperator(text string) (operator, error) {
	o := operator{name: text}
	if set, name, ok := strings.Cut(text, ":"); ok {
		if set != "ForAllValues" && set != "ForAnyValue" {
			return o, fmt.Errorf("Invalid Condition type : %s.", text)
		}
		o.set, o.name = set, name
	}
	o.name, o.ifExists = strings.CutSuffix(o.name, "IfExists")
	if o.name == "Null" && !o.ifExists {
		return o, nil
	}
	if slices.Contains(negatives, o.name) {
		o.negated, o.name = true, strings.Replace(o.name, "Not", "", 1)
	}
	if o.test = tests(o.name); o.test != nil {
		return o, nil
	}
	return o, fmt.Errorf("Invalid Condition type : %s.", text)
}

// tests returns how a condition operator compares what a policy wants with what a request has; nil for an unknown one.
func tests(name string) func(want, got string) bool {
	switch name {
	case "StringEquals":
		return func(want, got string) bool { return unescape(want) == got }
	case "StringEqualsIgnoreCase":
		return func(want, got string) bool { return strings.EqualFold(unescape(want), got) }
	case "StringLike":
		return Like
	case "ArnEquals", "ArnLike":
		return likeARN
	case "Bool":
		return strings.EqualFold
	case "BinaryEquals":
		return func(want, got string) bool {
			w, errWant := base64.StdEncoding.DecodeString(want)
			g, errGot := base64.StdEncoding.DecodeString(got)
			return errWant == nil && errGot == nil && string(w) == string(g)
		}
	case "IpAddress":
		return inRange
	}
	if order, ok := strings.CutPrefix(name, "Numeric"); ok {
		return ordered(order, parseNumber)
	}
	if order, ok := strings.CutPrefix(name, "Date"); ok {
		return ordered(order, parseDate)
	}
	return nil
}

// unescape gives back the literal wild characters of a value that is compared as it is.
func unescape(s string) string {
	return strings.NewReplacer(string(literalStar), "*", string(literalQuestion), "?").Replace(s)
}

func inRange(want, got string) bool {
	address, err := netip.ParseAddr(got)
	if err != nil {
		return false
	}
	if block, err := netip.ParsePrefix(want); err == nil {
		return block.Contains(address)
	}
	single, err := netip.ParseAddr(want)
	return err == nil && single == address
}

// ordered compares values that parse puts in order.
func ordered(order string, parse func(string) (float64, bool)) func(want, got string) bool {
	compare, ok := map[string]func(got, want float64) bool{
		"Equals":            func(got, want float64) bool { return got == want },
		"LessThan":          func(got, want float64) bool { return got < want },
		"LessThanEquals":    func(got, want float64) bool { return got <= want },
		"GreaterThan":       func(got, want float64) bool { return got > want },
		"GreaterThanEquals": func(got, want float64) bool { return got >= want },
	}[order]
	if !ok {
		return nil
	}
	return func(want, got string) bool {
		w, okWant := parse(want)
		g, okGot := parse(got)
		return okWant && okGot && compare(g, w)
	}
}

func parseNumber(s string) (float64, bool) {
	f, err := strconv.ParseFloat(s, 64)
	return f, err == nil
}

// parseDate reads the forms of ISO 8601 that IAM documents, and seconds since the epoch.
func parseDate(s string) (float64, bool) {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04Z07:00", time.DateOnly} {
		if t, err := time.Parse(layout, s); err == nil {
			return float64(t.UnixMilli()) / 1000, true
		}
	}
	return parseNumber(s)
}

// holds reports whether every condition of a statement holds. Operators and keys are joined by "and", the values of a key by "or".
func (d Document) holds(conditions map[string]map[string]Strings, r *Request) bool {
	for name, keys := range conditions {
		o, err := parseOperator(name)
		if err != nil {
			return false // Parse refuses such a document
		}
		for key, want := range keys {
			if !d.holdsFor(o, want, r.values(key), r) {
				return false
			}
		}
	}
	return true
}

func (d Document) holdsFor(o operator, want Strings, got []string, r *Request) bool {
	if o.name == "Null" {
		absent := strconv.FormatBool(len(got) == 0)
		return slices.ContainsFunc(want, func(w string) bool { return strings.EqualFold(w, absent) })
	}
	if len(got) == 0 {
		// A key that the request does not have: "for all" is true of nothing, a negated comparison holds, and so says IfExists.
		return o.ifExists || o.set == "ForAllValues" || o.negated && o.set == ""
	}
	matches := func(value string) bool {
		for _, w := range want {
			if w, ok := d.expand(w, r); ok && o.test(w, value) {
				return !o.negated
			}
		}
		return o.negated
	}
	for _, value := range got {
		switch m := matches(value); {
		case m && o.set == "ForAnyValue":
			return true
		case !m && o.set != "ForAnyValue":
			return false
		}
	}
	return o.set != "ForAnyValue"
}
