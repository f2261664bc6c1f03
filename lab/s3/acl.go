package s3

import (
	"context"
	"strings"

	api "storefront/lab/api/s3"
	"storefront/lab/state"
	"storefront/lab/wire"
)

const (
	everyone      = "http://acs.amazonaws.com/groups/global/AllUsers"
	authenticated = "http://acs.amazonaws.com/groups/global/AuthenticatedUsers"
	logDelivery   = "http://acs.amazonaws.com/groups/s3/LogDelivery"
)

// GetBucketAcl implements the operation of that name.
func (s *Service) GetBucketAcl(ctx context.Context, in *api.GetBucketAclInput) (*api.GetBucketAclOutput, error) {
	out := &api.GetBucketAclOutput{Owner: s.owner()}
	return out, s.view(ctx, in.Bucket, in.ExpectedBucketOwner, func(_ *state.Tx, b bucket) error {
		out.Grants = s.grantsOr(b.ACL)
		return nil
	})
}

// PutBucketAcl implements the operation of that name.
func (s *Service) PutBucketAcl(ctx context.Context, in *api.PutBucketAclInput) (*api.PutBucketAclOutput, error) {
	if err := noGrantHeaders(in.GrantFullControl, in.GrantRead, in.GrantReadACP, in.GrantWrite, in.GrantWriteACP); err != nil {
		return nil, err
	}
	return &api.PutBucketAclOutput{}, s.change(ctx, in.Bucket, in.ExpectedBucketOwner, func(b *bucket) error {
		return s.setACL(b, wire.Value(in.ACL), in.AccessControlPolicy)
	})
}

// GetObjectAcl implements the operation of that name.
func (s *Service) GetObjectAcl(ctx context.Context, in *api.GetObjectAclInput) (*api.GetObjectAclOutput, error) {
	out := &api.GetObjectAclOutput{Owner: s.owner()}
	return out, s.view(ctx, in.Bucket, in.ExpectedBucketOwner, func(tx *state.Tx, b bucket) error {
		v, err := find(tx, b.Name, *in.Key, in.VersionId)
		out.Grants = s.grantsOr(v.ACL)
		return err
	})
}

// PutObjectAcl implements the operation of that name.
func (s *Service) PutObjectAcl(ctx context.Context, in *api.PutObjectAclInput) (*api.PutObjectAclOutput, error) {
	if err := noGrantHeaders(in.GrantFullControl, in.GrantRead, in.GrantReadACP, in.GrantWrite, in.GrantWriteACP); err != nil {
		return nil, err
	}
	_, err := s.changeVersion(ctx, in.Bucket, in.Key, in.VersionId, in.ExpectedBucketOwner, func(b bucket, v *version) (err error) {
		v.ACL, err = s.newACL(b, wire.Value(in.ACL), in.AccessControlPolicy)
		return err
	})
	return &api.PutObjectAclOutput{}, err
}

// noGrantHeaders refuses the x-amz-grant- headers, whose grantees the lab does not parse.
func noGrantHeaders(grants ...*string) error {
	for _, g := range grants {
		if g != nil {
			return notImplemented("x-amz-grant-*")
		}
	}
	return nil
}

// grantsOr returns the grants, or those of a private resource: full control for the owner.
func (s *Service) grantsOr(grants []api.Grant) []api.Grant {
	if len(grants) == 0 {
		return s.canned("private")
	}
	return grants
}

func (s *Service) setACL(b *bucket, canned string, policy *api.AccessControlPolicy) (err error) {
	b.ACL, err = s.newACL(*b, canned, policy)
	return err
}

// objectACL is the list that a new object gets.
func (s *Service) objectACL(b bucket, canned *string, grants []*string) ([]api.Grant, error) {
	if err := noGrantHeaders(grants...); err != nil {
		return nil, err
	}
	if canned == nil || *canned == "private" || *canned == "bucket-owner-full-control" {
		return nil, nil
	}
	return s.newACL(b, *canned, nil)
}

// newACL checks a list against the bucket's settings. A private one is stored as none.
func (s *Service) newACL(b bucket, canned string, policy *api.AccessControlPolicy) ([]api.Grant, error) {
	grants := s.canned(canned)
	if policy != nil {
		grants = policy.Grants
	}
	private := !isPublic(grants) && len(grants) == 1 && wire.Value(grants[0].Grantee.ID) == *s.owner().ID
	switch {
	case canned == "" && policy == nil:
		return nil, wire.Errorf(400, "MissingSecurityHeader", "Your request was missing a required header")
	case b.aclsOff() && !private:
		return nil, &wire.Error{Status: 400, Code: "AccessControlListNotSupported", Message: "The bucket does not allow ACLs", Fields: map[string]string{"BucketName": b.Name}}
	case isPublic(grants) && b.PublicAccess != nil && *b.PublicAccess.BlockPublicAcls:
		return nil, wire.Errorf(403, "AccessDenied", "User: is not authorized to perform: s3:PutBucketAcl because public access control lists (ACLs) are prevented by the BlockPublicAcls setting in S3 Block Public Access.")
	case private:
		return nil, nil
	}
	return grants, nil
}

// canned expands a canned list, from "Canned ACL" in the Amazon S3 User Guide.
func (s *Service) canned(name string) []api.Grant {
	own := api.Grant{Grantee: &api.Grantee{Type: new("CanonicalUser"), ID: s.owner().ID, DisplayName: s.owner().DisplayName}, Permission: new("FULL_CONTROL")}
	group := func(uri, permission string) api.Grant {
		return api.Grant{Grantee: &api.Grantee{Type: new("Group"), URI: &uri}, Permission: &permission}
	}
	switch name {
	case "public-read":
		return []api.Grant{own, group(everyone, "READ")}
	case "public-read-write":
		return []api.Grant{own, group(everyone, "READ"), group(everyone, "WRITE")}
	case "authenticated-read":
		return []api.Grant{own, group(authenticated, "READ")}
	case "log-delivery-write":
		return []api.Grant{own, group(logDelivery, "WRITE"), group(logDelivery, "READ_ACP")}
	}
	return []api.Grant{own}
}

// isPublic tells whether a list grants anything to more than known users.
func isPublic(grants []api.Grant) bool {
	for _, g := range grants {
		if g.Grantee != nil && strings.Contains(wire.Value(g.Grantee.URI), "/global/") {
			return true
		}
	}
	return false
}
