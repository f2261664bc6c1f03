// Package naming makes names that fit AWS's limits. All functions are pure: the same input always gives the same name.
package naming

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// Limits of AWS names, in characters.
const (
	LoadBalancerLimit = 32 // also target groups
	RoleLimit         = 64
	ClusterLimit      = 63 // RDS identifiers
)

const (
	autonameSuffix = 8 // what Pulumi adds to a logical name: "-" and seven hexadecimal digits
	hashLength     = 6
)

// Short returns name unchanged when it has at most limit characters, else its beginning and a hash of the whole, so that
// two long names with one beginning stay two names. The limit must leave room for a letter, a hyphen and the hash: at least 8.
func Short(name string, limit int) string {
	if len(name) <= limit {
		return name
	}
	sum := sha256.Sum256([]byte(name))
	head := strings.TrimRight(name[:limit-hashLength-1], "-")
	return head + "-" + hex.EncodeToString(sum[:])[:hashLength]
}

// Logical joins parts with hyphens to a logical name that is short enough for Pulumi to add its random suffix and stay
// within limit. Pulumi refuses a name that is too long; it does not shorten it.
func Logical(limit int, parts ...string) string {
	return Short(strings.Join(parts, "-"), limit-autonameSuffix)
}

// Identifier returns an RDS identifier: lower case letters, digits and single hyphens, a letter first, at most ClusterLimit
// characters.
func Identifier(parts ...string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(strings.Join(parts, "-")) {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9' && b.Len() > 0:
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
	name := strings.TrimRight(b.String(), "-")
	if name == "" {
		name = "x"
	}
	return Short(name, ClusterLimit)
}
