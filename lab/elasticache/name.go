package elasticache

import (
	"crypto/sha256"
	"encoding/base32"
	"regexp"
	"strings"

	"storefront/lab/wire"
)

var identifierPattern = regexp.MustCompile(`^[a-z](-?[a-z0-9])*$`)

// identifier returns an identifier in lower case, as ElastiCache keeps it, or AWS's error for one that is malformed.
func identifier(parameter string, given *string, limit int) (string, error) {
	id := strings.ToLower(wire.Value(given))
	if len(id) > limit || !identifierPattern.MatchString(id) {
		return "", invalidValue("The parameter %s is not a valid identifier. Identifiers must begin with a letter; must contain only ASCII letters, digits, and hyphens; must not end with a hyphen or contain two consecutive hyphens; and have at most %d characters.", parameter, limit)
	}
	return id, nil
}

// endpointSuffix is what the endpoints of one account in one region end with after its ID: "use1.cache.amazonaws.com".
func (s *Service) endpointSuffix() string {
	zone, _, _ := strings.Cut(s.Region.Zones()[0].ID, "-")
	return zone + ".cache.amazonaws.com"
}

// accountID is the part of endpoints that tells the caches of accounts apart: six letters and digits.
func (s *Service) accountID() string {
	sum := sha256.Sum256([]byte("elasticache " + s.Region.Account + " " + s.Region.Name))
	return strings.ToLower(base32.StdEncoding.EncodeToString(sum[:])[:6])
}

// primaryEndpoint is the name of a group's primary; groups with TLS have names of another form ("Finding connection endpoints").
func (s *Service) primaryEndpoint(g group) string {
	if g.TLS {
		return "master." + g.ID + "." + s.accountID() + "." + s.endpointSuffix()
	}
	return g.ID + "." + s.accountID() + ".ng.0001." + s.endpointSuffix()
}

func (s *Service) readerEndpoint(g group) string {
	if g.TLS {
		return "replica." + g.ID + "." + s.accountID() + "." + s.endpointSuffix()
	}
	return g.ID + "-ro." + s.accountID() + ".ng.0001." + s.endpointSuffix()
}

func (s *Service) nodeEndpoint(g group, n node) string {
	if g.TLS {
		return n.ID + "." + g.ID + "." + s.accountID() + "." + s.endpointSuffix()
	}
	return n.ID + "." + s.accountID() + ".0001." + s.endpointSuffix()
}
