// Package iam is the lab's AWS Identity and Access Management: roles, managed and inline policies, instance profiles, service-linked roles, and
// users with access keys. It checks policies for form and tells which apply to whom; lab/authorization decides by them.
package iam

import (
	"cmp"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"storefront/lab/access"
	api "storefront/lab/api/iam"
	"storefront/lab/region"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// Service implements the IAM API.
type Service struct {
	store  *state.Store
	region region.Region
	now    func() time.Time
	parsed access.Cache
}

var _ api.API = (*Service)(nil)

// New returns the service on a store; now is its clock.
func New(store *state.Store, r region.Region, now func() time.Time) *Service {
	return &Service{store: store, region: r, now: now}
}

var (
	validName = regexp.MustCompile(`^[A-Za-z0-9+=,.@_-]+$`)
	validPath = regexp.MustCompile(`^/([!-~]+/)?$`)
)

func noSuchEntity(format string, args ...any) error {
	return wire.Errorf(404, "NoSuchEntity", format, args...)
}

func alreadyExists(format string, args ...any) error {
	return wire.Errorf(409, "EntityAlreadyExists", format, args...)
}

func deleteConflict(format string, args ...any) error {
	return wire.Errorf(409, "DeleteConflict", format, args...)
}

func validation(format string, args ...any) error {
	return wire.Errorf(400, "ValidationError", format, args...)
}

// checkName checks a new entity's name and path; member is the request's member, such as "roleName".
func checkName(member, name string, path *string) (cleanPath string, err error) {
	if !validName.MatchString(name) {
		return "", validation("The specified value for %s is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-", member)
	}
	cleanPath = cmp.Or(wire.Value(path), "/")
	if !validPath.MatchString(cleanPath) {
		return "", validation("The specified value for path is invalid. It must begin and end with / and contain only alphanumeric characters and/or / characters.")
	}
	return cleanPath, nil
}

// newID numbers an entity in the form of IAM's unique IDs: a prefix of four letters and 17 more characters.
func newID(tx *state.Tx, prefix string) (string, error) {
	n, err := tx.Sequence("iam-" + prefix)
	if err != nil {
		return "", fmt.Errorf("numbering a new %s: %w", prefix, err)
	}
	return fmt.Sprintf("%s%017X", prefix, n), nil
}

// arn names an entity: arn:aws:iam::<account>:<kind><path><name>.
func (s *Service) arn(kind, path, name string) string {
	return s.region.GlobalARN("iam", kind+path+name)
}

// escaped is how IAM returns policy documents: URL-encoded as in RFC 3986.
func escaped(document string) *string {
	return new(strings.ReplaceAll(url.QueryEscape(document), "+", "%20"))
}

// listed turns a page's next key into IAM's pair of marker and truncation flag.
func listed(next *string) (marker *string, truncated *bool) { return next, new(next != nil) }

func pageSize(maxItems *int64) int64 {
	if maxItems == nil {
		return 100
	}
	return *maxItems
}

func tagMap(tags []api.Tag) map[string]string {
	m := map[string]string{}
	for _, t := range tags {
		m[*t.Key] = *t.Value
	}
	return m
}

func tagList(m map[string]string) []api.Tag {
	tags := []api.Tag{}
	for _, k := range slices.Sorted(maps.Keys(m)) {
		tags = append(tags, api.Tag{Key: new(k), Value: new(m[k])})
	}
	return tags
}

func putTags(m map[string]string, tags []api.Tag) (map[string]string, error) {
	out := maps.Clone(m)
	if out == nil {
		out = map[string]string{}
	}
	maps.Copy(out, tagMap(tags))
	if len(out) > 50 {
		return nil, wire.Errorf(409, "LimitExceeded", "The number of tags has reached the maximum limit of 50.")
	}
	return out, nil
}

func removeTags(m map[string]string, keys []string) map[string]string {
	out := maps.Clone(m)
	for _, k := range keys {
		delete(out, k)
	}
	return out
}
