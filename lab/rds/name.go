package rds

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"regexp"
	"strings"

	"storefront/lab/state"
	"storefront/lab/wire"
)

var (
	identifierPattern = regexp.MustCompile(`^[a-z](-?[a-z0-9])*$`)
	groupPattern      = regexp.MustCompile(`^[a-z0-9._ -]{1,255}$`)
	databasePattern   = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,62}$`)
	userPattern       = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]{0,62}$`)
)

// identifier returns an identifier in lower case, as RDS keeps it, or AWS's error for one that is malformed.
func identifier(parameter string, given *string, limit int) (string, error) {
	id := strings.ToLower(wire.Value(given))
	if len(id) > limit || !identifierPattern.MatchString(id) {
		return "", invalidValue("The parameter %s is not a valid identifier. Identifiers must begin with a letter; must contain only ASCII letters, digits, and hyphens; and must not end with a hyphen or contain two consecutive hyphens.", parameter)
	}
	return id, nil
}

// resourceID makes the permanent ID of a cluster ("cluster-...") or instance ("db-..."), which outlives renames.
func resourceID(tx *state.Tx, prefix string) (string, error) {
	n, err := tx.Sequence("rds." + prefix)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%s-%d", prefix, n))
	return prefix + "-" + base32.StdEncoding.EncodeToString(sum[:])[:26], nil
}

// endpointSuffix is what the endpoints of one account in one region have in common: "cxxxxxxxxxxx.us-east-1.rds.amazonaws.com".
func (s *Service) endpointSuffix() string {
	sum := sha256.Sum256([]byte("rds " + s.Region.Account + " " + s.Region.Name))
	return "c" + strings.ToLower(base32.StdEncoding.EncodeToString(sum[:])[:11]) + "." + s.Region.Name + ".rds.amazonaws.com"
}

func (s *Service) writerEndpoint(c cluster) string { return c.ID + ".cluster-" + s.endpointSuffix() }

func (s *Service) readerEndpoint(c cluster) string { return c.ID + ".cluster-ro-" + s.endpointSuffix() }

func (s *Service) instanceEndpoint(i instance) string { return i.ID + "." + s.endpointSuffix() }

func (s *Service) customEndpoint(e endpoint) string {
	return e.ID + ".cluster-custom-" + s.endpointSuffix()
}

func newUUID() (string, error) {
	b := make([]byte, 16)
	if _, err := rand.Read(b); err != nil {
		return "", err
	}
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80 // RFC 9562, version 4
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:]), nil
}
