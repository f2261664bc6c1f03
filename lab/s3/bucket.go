package s3

import (
	"context"
	"encoding/base64"
	"maps"
	"slices"
	"strings"

	api "storefront/lab/api/s3"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// CreateBucket implements the operation of that name. Buckets begin as AWS makes them since 2023: encrypted with SSE-S3, all public
// access blocked, access control lists off.
func (s *Service) CreateBucket(ctx context.Context, in *api.CreateBucketInput) (*api.CreateBucketOutput, error) {
	if err := s.permit(ctx, nil); err != nil {
		return nil, err
	}
	if err := checkName(*in.Bucket); err != nil {
		return nil, err
	}
	if err := s.checkLocation(in.CreateBucketConfiguration); err != nil {
		return nil, err
	}
	ownership := "BucketOwnerEnforced"
	if in.ObjectOwnership != nil {
		ownership = *in.ObjectOwnership
	}
	b := bucket{
		Name: *in.Bucket, Created: seconds(s.now()), Payer: "BucketOwner", Encryption: defaultEncryption(),
		PublicAccess: &api.PublicAccessBlockConfiguration{BlockPublicAcls: new(true), BlockPublicPolicy: new(true), IgnorePublicAcls: new(true), RestrictPublicBuckets: new(true)},
		Ownership:    &api.OwnershipControls{Rules: []api.OwnershipControlsRule{{ObjectOwnership: &ownership}}},
	}
	if wire.Value(in.ObjectLockEnabledForBucket) {
		b.Versioning, b.ObjectLock = "Enabled", &api.ObjectLockConfiguration{ObjectLockEnabled: new("Enabled")}
	}
	if in.ACL != nil && *in.ACL != "private" {
		if err := s.setACL(&b, *in.ACL, nil); err != nil {
			return nil, err
		}
	}
	err := s.store.Update(func(tx *state.Tx) error {
		if _, taken, err := buckets.Get(tx, b.Name); err != nil || taken {
			return orError(err, &wire.Error{Status: 409, Code: "BucketAlreadyOwnedByYou",
				Message: "Your previous request to create the named bucket succeeded and you already own it.", Fields: map[string]string{"BucketName": b.Name}})
		}
		return buckets.Put(tx, b.Name, b)
	})
	if err != nil {
		return nil, err
	}
	return &api.CreateBucketOutput{Location: new("/" + b.Name)}, nil
}

func (s *Service) checkLocation(c *api.CreateBucketConfiguration) error {
	location := ""
	if c != nil {
		if c.Bucket != nil || c.Location != nil {
			return notImplemented("directory buckets")
		}
		location = wire.Value(c.LocationConstraint)
	}
	here := s.region.Name
	if location == here && here != "us-east-1" || location == "" && here == "us-east-1" {
		return nil
	}
	if location == "" {
		location = "unspecified"
	}
	return wire.Errorf(400, "IllegalLocationConstraintException", "The %s location constraint is incompatible for the region specific endpoint this request was sent to.", location)
}

// DeleteBucket implements the operation of that name.
func (s *Service) DeleteBucket(ctx context.Context, in *api.DeleteBucketInput) (*api.DeleteBucketOutput, error) {
	if err := s.permit(ctx, in.ExpectedBucketOwner); err != nil {
		return nil, err
	}
	return &api.DeleteBucketOutput{}, s.store.Update(func(tx *state.Tx) error {
		b, err := getBucket(tx, *in.Bucket)
		if err != nil {
			return err
		}
		for _, v := range versions.WithPrefix(tx, b.Name+"\x00") {
			message := "The bucket you tried to delete is not empty"
			if b.Versioning != "" {
				message = "The bucket you tried to delete is not empty. You must delete all versions in the bucket."
			}
			return &wire.Error{Status: 409, Code: "BucketNotEmpty", Message: message, Fields: map[string]string{"BucketName": v.Bucket}}
		}
		for _, u := range uploads.WithPrefix(tx, b.Name+"\x00") {
			return &wire.Error{Status: 409, Code: "BucketNotEmpty", Message: "The bucket you tried to delete has multipart uploads in progress", Fields: map[string]string{"BucketName": u.Bucket}}
		}
		return buckets.Delete(tx, b.Name)
	})
}

// HeadBucket implements the operation of that name.
func (s *Service) HeadBucket(ctx context.Context, in *api.HeadBucketInput) (*api.HeadBucketOutput, error) {
	return &api.HeadBucketOutput{BucketRegion: &s.region.Name, AccessPointAlias: new(false)},
		s.view(ctx, in.Bucket, in.ExpectedBucketOwner, func(*state.Tx, bucket) error { return nil })
}

// GetBucketLocation implements the operation of that name. Buckets of us-east-1 have no location.
func (s *Service) GetBucketLocation(ctx context.Context, in *api.GetBucketLocationInput) (*api.GetBucketLocationOutput, error) {
	out := &api.GetBucketLocationOutput{}
	if s.region.Name != "us-east-1" {
		out.LocationConstraint = &s.region.Name
	}
	return out, s.view(ctx, in.Bucket, in.ExpectedBucketOwner, func(*state.Tx, bucket) error { return nil })
}

// ListBuckets implements the operation of that name.
func (s *Service) ListBuckets(ctx context.Context, in *api.ListBucketsInput) (*api.ListBucketsOutput, error) {
	if err := s.permit(ctx, nil); err != nil {
		return nil, err
	}
	after, err := decodeToken(in.ContinuationToken)
	if err != nil {
		return nil, err
	}
	out := &api.ListBucketsOutput{Owner: s.owner(), Prefix: in.Prefix, Buckets: []api.Bucket{}}
	limit := 10000
	if in.MaxBuckets != nil {
		limit = int(*in.MaxBuckets)
	}
	err = s.store.View(func(tx *state.Tx) error {
		for name, b := range buckets.WithPrefix(tx, wire.Value(in.Prefix)) {
			if name <= after || in.BucketRegion != nil && *in.BucketRegion != s.region.Name {
				continue
			}
			if len(out.Buckets) == limit {
				out.ContinuationToken = encodeToken(*out.Buckets[limit-1].Name)
				break
			}
			out.Buckets = append(out.Buckets, api.Bucket{Name: new(name), CreationDate: new(b.Created), BucketRegion: &s.region.Name})
		}
		return nil
	})
	return out, err
}

// checkName applies the rules of "General purpose bucket naming rules" in the Amazon S3 User Guide.
func checkName(name string) error {
	good := len(name) >= 3 && len(name) <= 63 && !strings.Contains(name, "..") && !looksLikeIP(name)
	for i := range len(name) {
		c := name[i]
		edge := i == 0 || i == len(name)-1
		good = good && ('a' <= c && c <= 'z' || '0' <= c && c <= '9' || (c == '-' || c == '.') && !edge)
	}
	for _, prefix := range []string{"xn--", "sthree-", "amzn-s3-demo-"} {
		good = good && !strings.HasPrefix(name, prefix)
	}
	for _, suffix := range []string{"-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"} {
		good = good && !strings.HasSuffix(name, suffix)
	}
	if !good {
		return &wire.Error{Status: 400, Code: "InvalidBucketName", Message: "The specified bucket is not valid.", Fields: map[string]string{"BucketName": name}}
	}
	return nil
}

func looksLikeIP(name string) bool {
	fields := strings.Split(name, ".")
	return len(fields) == 4 && !slices.ContainsFunc(fields, func(f string) bool { return f == "" || strings.Trim(f, "0123456789") != "" })
}

// encodeToken makes an opaque continuation token of the last name that was listed.
func encodeToken(name string) *string { return new(base64.URLEncoding.EncodeToString([]byte(name))) }

func decodeToken(token *string) (string, error) {
	name, err := base64.URLEncoding.DecodeString(wire.Value(token))
	if err != nil {
		return "", invalidArgument("continuation-token", "The continuation token provided is incorrect")
	}
	return string(name), nil
}

func invalidArgument(name, message string) *wire.Error {
	return &wire.Error{Status: 400, Code: "InvalidArgument", Message: message, Fields: map[string]string{"ArgumentName": name}}
}

func invalidRequest(message string) *wire.Error {
	return wire.Errorf(400, "InvalidRequest", "%s", message)
}

func malformedXML(detail string) *wire.Error {
	return &wire.Error{Status: 400, Code: "MalformedXML", Message: "The XML you provided was not well-formed or did not validate against our published schema",
		Fields: map[string]string{"Detail": detail}}
}

// notImplemented is S3's answer to what the lab does not do.
func notImplemented(what string) *wire.Error {
	return &wire.Error{Status: 501, Code: "NotImplemented", Message: "A header you provided implies functionality that is not implemented", Fields: map[string]string{"Header": what}}
}

func notFound(code, message string, b bucket) *wire.Error {
	return &wire.Error{Status: 404, Code: code, Message: message, Fields: map[string]string{"BucketName": b.Name}}
}

func orError(err, other error) error {
	if err != nil {
		return err
	}
	return other
}

func sortedValues[V any](m map[string]V) []V {
	out := make([]V, 0, len(m))
	for _, key := range slices.Sorted(maps.Keys(m)) {
		out = append(out, m[key])
	}
	return out
}
