package elasticache

import (
	"regexp"
	"strings"

	"storefront/lab/redis"
)

// Passwords of users and AUTH tokens have this many characters.
const (
	shortestPassword = 16
	longestPassword  = 128
	maxPasswords     = 2
)

// rulePattern is what an access string can hold: a state, patterns of keys and channels, commands and their categories. ElastiCache sets passwords
// otherwise, and has no selectors.
var rulePattern = regexp.MustCompile(`^(on|off|allkeys|resetkeys|allchannels|resetchannels|allcommands|nocommands|~\S+|%[RW]{1,2}~\S+|&\S+|[+-]@?[a-z0-9|-]+)$`)

// rules reads an access string: what Redis's access control lists call rules, with the state first.
func rules(access string) ([]string, error) {
	list := strings.Fields(access)
	if len(list) == 0 {
		return nil, invalidValue("The access string must not be empty.")
	}
	state := "off" // as Redis makes users
	var rest []string
	for _, rule := range list {
		switch {
		case !rulePattern.MatchString(rule):
			return nil, invalidValue("The access string is not valid at %q.", rule)
		case rule == "on" || rule == "off":
			state = rule
		default:
			rest = append(rest, rule)
		}
	}
	return append([]string{state}, rest...), nil
}

// digests checks the passwords of a user and returns what is kept of them: their digests, as Redis does.
func digests(passwords []string) ([]string, error) {
	if len(passwords) > maxPasswords {
		return nil, invalidValue("A user can have at most %d passwords.", maxPasswords)
	}
	var list []string
	for _, p := range passwords {
		if len(p) < shortestPassword || len(p) > longestPassword || strings.ContainsFunc(p, func(r rune) bool { return r < ' ' || r > '~' }) {
			return nil, invalidValue("Passwords must have from %d to %d printable ASCII characters.", shortestPassword, longestPassword)
		}
		list = append(list, redis.Digest(p))
	}
	return list, nil
}

var tokenPattern = regexp.MustCompile(`^[A-Za-z0-9!&#$^<>-]+$`)

// tokenDigest checks an AUTH token and returns what is kept of it ("Authenticating with the Redis OSS AUTH command").
func tokenDigest(token string) (string, error) {
	if len(token) < shortestPassword || len(token) > longestPassword {
		return "", invalidValue("Invalid AuthToken provided: it must have from %d to %d characters.", shortestPassword, longestPassword)
	}
	if !tokenPattern.MatchString(token) {
		return "", invalidValue("Invalid AuthToken provided: only letters, digits and the characters ! & # $ ^ < > - are allowed.")
	}
	return redis.Digest(token), nil
}
