package s3

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"strings"

	api "storefront/lab/api/s3"
	"storefront/lab/state"
	"storefront/lab/wire"
)

const maxPolicy = 20 << 10

// GetBucketPolicy implements the operation of that name.
func (s *Service) GetBucketPolicy(ctx context.Context, in *api.GetBucketPolicyInput) (*api.GetBucketPolicyOutput, error) {
	out := &api.GetBucketPolicyOutput{}
	return out, s.view(ctx, in.Bucket, in.ExpectedBucketOwner, func(_ *state.Tx, b bucket) error {
		if b.Policy == "" {
			return notFound("NoSuchBucketPolicy", "The bucket policy does not exist", b)
		}
		out.Policy = &b.Policy
		return nil
	})
}

// GetBucketPolicyStatus implements the operation of that name.
func (s *Service) GetBucketPolicyStatus(ctx context.Context, in *api.GetBucketPolicyStatusInput) (*api.GetBucketPolicyStatusOutput, error) {
	out := &api.GetBucketPolicyStatusOutput{}
	return out, s.view(ctx, in.Bucket, in.ExpectedBucketOwner, func(_ *state.Tx, b bucket) error {
		if b.Policy == "" {
			return notFound("NoSuchBucketPolicy", "The bucket policy does not exist", b)
		}
		p, err := parsePolicy(b.Name, b.Policy)
		out.PolicyStatus = &api.PolicyStatus{IsPublic: new(err == nil && p.public())}
		return nil
	})
}

// PutBucketPolicy implements the operation of that name. The policy is validated and kept; lab/authorization decides by it.
func (s *Service) PutBucketPolicy(ctx context.Context, in *api.PutBucketPolicyInput) (*api.PutBucketPolicyOutput, error) {
	if len(*in.Policy) > maxPolicy {
		return nil, wire.Errorf(400, "InvalidArgument", "Policy exceeds the maximum allowed document size.")
	}
	p, err := parsePolicy(*in.Bucket, *in.Policy)
	if err != nil {
		return nil, err
	}
	var canonical bytes.Buffer
	if err := json.Compact(&canonical, []byte(*in.Policy)); err != nil {
		return nil, malformedPolicy("This policy contains invalid Json")
	}
	return &api.PutBucketPolicyOutput{}, s.change(ctx, in.Bucket, in.ExpectedBucketOwner, func(b *bucket) error {
		if p.public() && b.PublicAccess != nil && *b.PublicAccess.BlockPublicPolicy {
			return wire.Errorf(403, "AccessDenied", "User: %s is not authorized to perform: s3:PutBucketPolicy on resource: \"arn:aws:s3:::%s\" because public policies are prevented by the BlockPublicPolicy setting in S3 Block Public Access.",
				wire.Caller(ctx).ARN, b.Name)
		}
		b.Policy = canonical.String()
		return nil
	})
}

// Policy returns the policy of a bucket for who asks, "" for none. RestrictPublicBuckets of its public access block keeps out everyone of other accounts, and who does
// not sign, as long as the policy is public.
func (s *Service) Policy(tx *state.Tx, bucketName string, outsider bool) (string, error) {
	b, _, err := buckets.Get(tx, bucketName)
	if err != nil || b.Policy == "" || !outsider || b.PublicAccess == nil || !*b.PublicAccess.RestrictPublicBuckets {
		return b.Policy, err
	}
	if p, err := parsePolicy(b.Name, b.Policy); err != nil || p.public() {
		return "", err
	}
	return b.Policy, nil
}

// DeleteBucketPolicy implements the operation of that name.
func (s *Service) DeleteBucketPolicy(ctx context.Context, in *api.DeleteBucketPolicyInput) (*api.DeleteBucketPolicyOutput, error) {
	return &api.DeleteBucketPolicyOutput{}, s.change(ctx, in.Bucket, in.ExpectedBucketOwner, func(b *bucket) error {
		b.Policy = ""
		return nil
	})
}

// policy is a bucket policy, as far as it is checked.
type policy struct {
	Version   string
	Id        string
	Statement oneOrMore[statement]
}

type statement struct {
	Sid          string
	Effect       string
	Principal    json.RawMessage
	NotPrincipal json.RawMessage
	Action       oneOrMore[string]
	NotAction    oneOrMore[string]
	Resource     oneOrMore[string]
	NotResource  oneOrMore[string]
	Condition    map[string]map[string]oneOrMore[any]
}

// oneOrMore is a list that a policy may write as its only element.
type oneOrMore[T any] []T

// UnmarshalJSON implements json.Unmarshaler.
func (o *oneOrMore[T]) UnmarshalJSON(data []byte) error {
	var list []T
	if bytes.HasPrefix(bytes.TrimSpace(data), []byte("[")) {
		err := strictly(data, &list)
		*o = list
		return err
	}
	var one T
	err := strictly(data, &one)
	*o = oneOrMore[T]{one}
	return err
}

// strictly decodes JSON and refuses members that are not known.
func strictly(data []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	return d.Decode(v)
}

func malformedPolicy(message string) error { return wire.Errorf(400, "MalformedPolicy", "%s", message) }

// parsePolicy checks the form of a policy and that it is about its bucket.
func parsePolicy(bucketName, document string) (policy, error) {
	var p policy
	if !strings.HasPrefix(strings.TrimSpace(document), "{") || !json.Valid([]byte(document)) {
		return p, malformedPolicy("Policies must be valid JSON and the first byte must be '{'")
	}
	if err := strictly([]byte(document), &p); err != nil {
		return p, malformedPolicy("Invalid policy syntax.")
	}
	if p.Version != "" && p.Version != "2012-10-17" && p.Version != "2008-10-17" {
		return p, malformedPolicy("The policy must contain a valid version string")
	}
	if len(p.Statement) == 0 {
		return p, malformedPolicy("Missing required field Statement")
	}
	for _, st := range p.Statement {
		if err := st.check(bucketName); err != nil {
			return p, err
		}
	}
	return p, nil
}

func (st statement) check(bucketName string) error {
	switch {
	case st.Effect != "Allow" && st.Effect != "Deny":
		return malformedPolicy("Invalid effect : " + st.Effect)
	case len(st.Principal) == 0 && len(st.NotPrincipal) == 0:
		return malformedPolicy("Missing required field Principal")
	case len(st.Principal) > 0 && !validPrincipal(st.Principal):
		return malformedPolicy("Invalid principal in policy")
	case len(st.Action)+len(st.NotAction) == 0:
		return malformedPolicy("Missing required field Action")
	case len(st.Resource)+len(st.NotResource) == 0:
		return malformedPolicy("Missing required field Resource")
	}
	for _, action := range slices.Concat(st.Action, st.NotAction) {
		if action != "*" && !strings.HasPrefix(strings.ToLower(action), "s3:") {
			return malformedPolicy("Policy has invalid action")
		}
	}
	own := "arn:aws:s3:::" + bucketName
	for _, resource := range slices.Concat(st.Resource, st.NotResource) {
		if resource != own && !strings.HasPrefix(resource, own+"/") && resource != own+"*" {
			return malformedPolicy("Policy has invalid resource")
		}
	}
	return nil
}

// validPrincipal checks the form of a principal: "*", or lists of identifiers by kind.
func validPrincipal(raw json.RawMessage) bool {
	var any string
	if json.Unmarshal(raw, &any) == nil {
		return any == "*"
	}
	var kinds map[string]oneOrMore[string]
	if json.Unmarshal(raw, &kinds) != nil || len(kinds) == 0 {
		return false
	}
	for kind, ids := range kinds {
		for _, id := range ids {
			account := len(id) == 12 && strings.Trim(id, "0123456789") == ""
			switch {
			case kind == "AWS" && (id == "*" || account || strings.HasPrefix(id, "arn:aws:")):
			case kind == "Service" && strings.HasSuffix(id, ".amazonaws.com"):
			case kind == "Federated" && id != "", kind == "CanonicalUser" && len(id) == 64:
			default:
				return false
			}
		}
	}
	return true
}

// public tells whether the policy lets everybody in, by "The meaning of public" in the Amazon S3 User Guide: an Allow for every
// principal, without a condition that fixes where the caller comes from.
func (p policy) public() bool {
	return slices.ContainsFunc(p.Statement, func(st statement) bool {
		return st.Effect == "Allow" && (len(st.NotPrincipal) > 0 || everybody(st.Principal)) && !st.limited()
	})
}

func everybody(raw json.RawMessage) bool {
	var any string
	if json.Unmarshal(raw, &any) == nil {
		return any == "*"
	}
	var kinds map[string]oneOrMore[string]
	return json.Unmarshal(raw, &kinds) == nil && slices.Contains(kinds["AWS"], "*")
}

// limited tells whether a condition fixes the caller to values without wildcards.
func (st statement) limited() bool {
	for operator, keys := range st.Condition {
		for key, values := range keys {
			fixed := !strings.Contains(operator, "Not") && !slices.ContainsFunc(values, func(v any) bool {
				s, ok := v.(string)
				return !ok || strings.HasPrefix(s, "*") || s == "0.0.0.0/0" || s == "::/0"
			})
			switch strings.ToLower(key) {
			case "aws:principalorgid", "aws:principalarn", "aws:principalaccount", "aws:sourcearn", "aws:sourceaccount", "aws:sourcevpc", "aws:sourcevpce",
				"aws:sourceip", "aws:sourceowner", "aws:userid", "s3:x-amz-server-side-encryption-aws-kms-key-id", "s3:dataaccesspointarn", "s3:dataaccesspointaccount":
				if fixed {
					return true
				}
			}
		}
	}
	return false
}
