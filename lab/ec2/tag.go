package ec2

import (
	"context"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	api "storefront/lab/api/ec2"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// tagTable holds the tags of every resource by its ID.
var tagTable = state.NewTable[map[string]string]("ec2.tags")

const maxTags = 50

// tagTypes are the resource types by ID prefix, for DescribeTags.
func tagTypes() map[string]string {
	return map[string]string{
		"acl": "network-acl", "ami": "image", "dopt": "dhcp-options", "eipalloc": "elastic-ip", "eni": "network-interface", "fl": "vpc-flow-log",
		"i": "instance", "igw": "internet-gateway", "key": "key-pair", "lt": "launch-template", "nat": "natgateway", "rtb": "route-table",
		"sg": "security-group", "sgr": "security-group-rule", "sir": "spot-instances-request", "subnet": "subnet", "vol": "volume", "vpc": "vpc", "vpce": "vpc-endpoint",
	}
}

// tagsOf returns the tags of a resource; nil when it has none.
func tagsOf(tx *state.Tx, id string) map[string]string {
	tags, _, err := tagTable.Get(tx, id)
	if err != nil {
		panic(err) // as Table.All does: the file is not ours
	}
	return tags
}

// showTags returns the tags of a resource, sorted by key.
func showTags(tx *state.Tx, id string) []api.Tag {
	tags := tagsOf(tx, id)
	out := make([]api.Tag, 0, len(tags))
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		out = append(out, api.Tag{Key: new(key), Value: new(tags[key])})
	}
	return out
}

// tag adds tags to a resource, overwriting those of the same key.
func tag(ctx context.Context, tx *state.Tx, id string, tags []api.Tag) error {
	if len(tags) == 0 {
		return nil
	}
	have := tagsOf(tx, id)
	if have == nil {
		have = map[string]string{}
	}
	for _, t := range tags {
		if err := checkTag(ctx, wire.Value(t.Key), wire.Value(t.Value)); err != nil {
			return err
		}
		have[wire.Value(t.Key)] = wire.Value(t.Value)
	}
	if len(have) > maxTags {
		return fault("TagLimitExceeded", "More than %d tags specified for resource '%s'", maxTags, id)
	}
	return tagTable.Put(tx, id, have)
}

func checkTag(ctx context.Context, key, value string) error {
	switch {
	case key == "":
		return fault("InvalidParameterValue", "Tag key cannot be empty")
	case utf8.RuneCountInString(key) > 128:
		return fault("InvalidParameterValue", "Tag key exceeds the maximum length of 128 characters")
	case utf8.RuneCountInString(value) > 256:
		return fault("InvalidParameterValue", "Tag value exceeds the maximum length of 256 characters")
	case strings.HasPrefix(strings.ToLower(key), "aws:") && !isService(ctx):
		return fault("InvalidParameterValue", "Tag keys starting with 'aws:' are reserved for internal use")
	}
	return nil
}

// checkSpecifications refuses tag specifications of types that an operation does not create, and duplicate keys.
func checkSpecifications(specs []api.TagSpecification, types ...string) error {
	for _, spec := range specs {
		if !slices.Contains(types, wire.Value(spec.ResourceType)) {
			return fault("InvalidParameterValue", "'%s' is not a valid taggable resource type for this operation.", wire.Value(spec.ResourceType))
		}
		seen := map[string]bool{}
		for _, t := range spec.Tags {
			if seen[wire.Value(t.Key)] {
				return fault("InvalidParameterValue", "Duplicate tag key '%s' specified.", wire.Value(t.Key))
			}
			seen[wire.Value(t.Key)] = true
		}
	}
	return nil
}

// tagNew tags a new resource with the specifications of its type.
func tagNew(ctx context.Context, tx *state.Tx, id string, specs []api.TagSpecification, resourceType string) error {
	for _, spec := range specs {
		if wire.Value(spec.ResourceType) == resourceType {
			if err := tag(ctx, tx, id, spec.Tags); err != nil {
				return err
			}
		}
	}
	return nil
}

// CreateTags tags existing resources, all or none.
func (s *Service) CreateTags(ctx context.Context, in *api.CreateTagsInput) (*api.CreateTagsOutput, error) {
	return change(s, in.DryRun, func(tx *state.Tx, _ *api.CreateTagsOutput) error {
		for _, id := range in.Resources {
			if err := s.exists(tx, id); err != nil {
				return err
			}
			if err := tag(ctx, tx, id, in.Tags); err != nil {
				return err
			}
		}
		return nil
	})
}

// DeleteTags removes tags by key, or by key and value; without tags it removes all that the user may set.
func (s *Service) DeleteTags(ctx context.Context, in *api.DeleteTagsInput) (*api.DeleteTagsOutput, error) {
	return change(s, in.DryRun, func(tx *state.Tx, _ *api.DeleteTagsOutput) error {
		for _, id := range in.Resources {
			if err := s.exists(tx, id); err != nil {
				return err
			}
			have := tagsOf(tx, id)
			if len(in.Tags) == 0 {
				maps.DeleteFunc(have, func(key, _ string) bool { return !strings.HasPrefix(key, "aws:") })
			}
			for _, t := range in.Tags {
				if strings.HasPrefix(strings.ToLower(wire.Value(t.Key)), "aws:") && !isService(ctx) {
					return fault("InvalidParameterValue", "Tag keys starting with 'aws:' are reserved for internal use")
				}
				if t.Value == nil || have[wire.Value(t.Key)] == *t.Value {
					delete(have, wire.Value(t.Key))
				}
			}
			if err := tagTable.Put(tx, id, have); err != nil {
				return err
			}
		}
		return nil
	})
}

// tagRow is one row of DescribeTags.
type tagRow struct{ resource, resourceType, key, value string }

func (r tagRow) id() string { return r.resource + "\x00" + r.key }

// DescribeTags lists the tags of all resources.
func (s *Service) DescribeTags(_ context.Context, in *api.DescribeTagsInput) (*api.DescribeTagsOutput, error) {
	return read(s, in.DryRun, func(tx *state.Tx, out *api.DescribeTagsOutput) error {
		rows := kind[tagRow]{filters: map[string]func(tagRow) []string{
			"key":           one(func(r tagRow) string { return r.key }),
			"value":         one(func(r tagRow) string { return r.value }),
			"resource-id":   one(func(r tagRow) string { return r.resource }),
			"resource-type": one(func(r tagRow) string { return r.resourceType }),
		}}
		match, err := rows.matcher(tx, in.Filters)
		if err != nil {
			return err
		}
		types, found := tagTypes(), []tagRow(nil)
		for id, tags := range tagTable.All(tx) {
			prefix, _, _ := strings.Cut(id, "-")
			for _, key := range slices.Sorted(maps.Keys(tags)) {
				if r := (tagRow{id, types[prefix], key, tags[key]}); match(r) {
					found = append(found, r)
				}
			}
		}
		out.Tags, out.NextToken, err = page(tx, found, query{maxResults: in.MaxResults, nextToken: in.NextToken}, tagRow.id,
			func(_ *state.Tx, r tagRow) api.TagDescription {
				return api.TagDescription{ResourceId: &r.resource, ResourceType: &r.resourceType, Key: &r.key, Value: &r.value}
			})
		return err
	})
}

// exists checks that there is a taggable resource of that ID.
func (s *Service) exists(tx *state.Tx, id string) (err error) {
	prefix, _, _ := strings.Cut(id, "-")
	switch prefix {
	case "acl":
		_, err = acls.get(tx, id)
	case "eipalloc":
		_, err = addresses.get(tx, id)
	case "eni":
		_, err = interfaces.get(tx, id)
	case "fl":
		_, err = flowLogs.get(tx, id)
	case "i":
		_, err = s.instance(tx, id)
	case "igw":
		_, err = gateways.get(tx, id)
	case "key":
		_, err = keyPairs.get(tx, id)
	case "lt":
		_, err = templates.get(tx, id)
	case "nat":
		_, err = nats.get(tx, id)
	case "rtb":
		_, err = routeTables.get(tx, id)
	case "sg":
		_, err = groups.get(tx, id)
	case "sgr":
		_, _, err = findRule(tx, id)
	case "subnet":
		_, err = subnets.get(tx, id)
	case "vol":
		_, err = volumes.get(tx, id)
	case "vpc":
		_, err = vpcs.get(tx, id)
	case "vpce":
		_, err = endpoints.get(tx, id)
	default:
		return fault("InvalidID", "The ID '%s' is not valid", id)
	}
	return err
}
