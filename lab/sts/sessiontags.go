package sts

import (
	"slices"
	"strings"

	api "storefront/lab/api/sts"
	"storefront/lab/wire"
)

// maxTags is how many tags a session can have, from "IAM and AWS STS quotas".
const maxTags = 50

// sessionTags reads the tags of a request, from "Pass session tags in AWS STS". Their keys differ in more than case.
func sessionTags(list []api.Tag) (map[string]string, error) {
	tags, seen := map[string]string{}, map[string]bool{}
	for _, t := range list {
		key := wire.Value(t.Key)
		switch lower := strings.ToLower(key); {
		case seen[lower]:
			return nil, wire.Errorf(400, "InvalidParameterValue", "Duplicate tag keys found. Please note that Tag keys are case insensitive.")
		case strings.HasPrefix(lower, "aws:"):
			return nil, wire.Errorf(400, "InvalidParameterValue", "The tag key %s begins with aws:, which is reserved for AWS.", key)
		default:
			seen[lower], tags[key] = true, wire.Value(t.Value)
		}
	}
	return tags, nil
}

// carry gives a role's session its tags and its source identity: those of the request and what the caller's session passes on, the zero Session for who has none
// ("Chaining roles with session tags", "Monitor and control actions taken with assumed roles").
func (x *Session) carry(from Session, in *api.AssumeRoleInput) (err error) {
	if x.Tags, err = sessionTags(in.Tags); err != nil {
		return err
	}
	for _, key := range in.TransitiveTagKeys {
		if _, ok := x.Tags[key]; !ok {
			return wire.Errorf(400, "InvalidParameterValue", "The specified transitive tag key %s must be included in the requested tags.", key)
		}
	}
	x.Transitive, x.SourceIdentity = slices.Clone(in.TransitiveTagKeys), wire.Value(in.SourceIdentity)
	for _, key := range from.Transitive {
		for own := range x.Tags {
			if strings.EqualFold(own, key) {
				return wire.Errorf(400, "InvalidParameterValue", "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session.")
			}
		}
		x.Tags[key] = from.Tags[key]
		x.Transitive = append(x.Transitive, key)
	}
	if len(x.Tags) > maxTags {
		return wire.Errorf(400, "ValidationError", "1 validation error detected: a session can have at most %d tags.", maxTags)
	}
	switch {
	case from.SourceIdentity == "":
	case x.SourceIdentity != "" && x.SourceIdentity != from.SourceIdentity:
		return wire.Errorf(403, "AccessDenied", "The source identity %s of the calling session cannot be changed.", from.SourceIdentity)
	default:
		x.SourceIdentity = from.SourceIdentity
	}
	return nil
}
