package dataplane_test

import (
	"testing"
	"time"

	ec2api "storefront/lab/api/ec2"
	iamapi "storefront/lab/api/iam"
	"storefront/lab/imds"
)

func TestMetadataCredentials(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	r := newTestRegion(t, func() time.Time { return now })
	id := r.launch(ec2api.RunInstancesInput{IamInstanceProfile: r.profile("shop", "ec2.amazonaws.com")})
	credentials := func() imds.Credentials { return must(r.metadata.Credentials(t.Context(), id))(t) }
	first := credentials()
	if m := r.shows(id); m.Role != "shop" || m.ProfileID == "" {
		t.Errorf("the role is %q of profile %q", m.Role, m.ProfileID)
	}
	if !first.LastUpdated.Equal(now) || !first.Expiration.After(now.Add(time.Hour)) {
		t.Errorf("made %v, valid until %v", first.LastUpdated, first.Expiration)
	}
	now = first.Expiration.Add(-30 * time.Minute)
	if again := credentials(); again != first {
		t.Errorf("half an hour before their end: %+v, want %+v", again, first)
	}
	now = now.Add(time.Second)
	renewed := credentials()
	if renewed.AccessKeyID == first.AccessKeyID || !renewed.Expiration.After(first.Expiration) || !renewed.LastUpdated.Equal(now) {
		t.Errorf("renewed: %+v", renewed)
	}

	r.profile("other", "ec2.amazonaws.com")
	for _, step := range []func() error{
		func() error {
			_, err := r.iam.RemoveRoleFromInstanceProfile(t.Context(), &iamapi.RemoveRoleFromInstanceProfileInput{InstanceProfileName: new("shop"), RoleName: new("shop")})
			return err
		},
		func() error {
			_, err := r.iam.AddRoleToInstanceProfile(t.Context(), &iamapi.AddRoleToInstanceProfileInput{InstanceProfileName: new("shop"), RoleName: new("other")})
			return err
		},
	} {
		if err := step(); err != nil {
			t.Fatal(err)
		}
	}
	if other := credentials(); other.AccessKeyID == renewed.AccessKeyID {
		t.Error("the credentials of the former role are handed out for the new one")
	}
}

func TestMetadataWithoutCredentials(t *testing.T) {
	r := newTestRegion(t, time.Now)
	for name, id := range map[string]string{
		"no role":            r.launch(ec2api.RunInstancesInput{}),
		"not for instances":  r.launch(ec2api.RunInstancesInput{IamInstanceProfile: r.profile("build", "codebuild.amazonaws.com")}),
		"an absent instance": "i-0000000000000ffff",
	} {
		if c, err := r.metadata.Credentials(t.Context(), id); err == nil {
			t.Errorf("%s: got %+v", name, c)
		}
	}
}

func TestMetadataDescribesTheInstance(t *testing.T) {
	r := newTestRegion(t, time.Now)
	plain := r.launch(ec2api.RunInstancesInput{})
	id := r.launch(ec2api.RunInstancesInput{UserData: encoded("#!/bin/sh\n"),
		MetadataOptions:   &ec2api.InstanceMetadataOptionsRequest{HttpTokens: new("required"), InstanceMetadataTags: new("enabled")},
		TagSpecifications: []ec2api.TagSpecification{{ResourceType: new("instance"), Tags: []ec2api.Tag{{Key: new("Name"), Value: new("web")}}}}})
	m := r.shows(id)
	if m.LocalIPv4 != "10.0.0.5" || m.Hostname != "ip-10-0-0-5."+domain || m.SubnetCIDR != "10.0.0.0/24" || len(m.VPCCIDRs) != 1 || m.VPCCIDRs[0] != "10.0.0.0/16" ||
		len(m.SecurityGroups) != 1 || m.SecurityGroups[0] != "default" || m.Zone != "us-east-1a" || m.LifeCycle != "on-demand" || m.PublicIPv4 != "" || m.LifecycleState != "" {
		t.Errorf("got %+v", m)
	}
	if string(m.UserData) != "#!/bin/sh\n" || !m.TokensRequired || !m.TagsInMetadata || m.Tags["Name"] != "web" {
		t.Errorf("got user-data %q, tokens required %t, tags %t %v", m.UserData, m.TokensRequired, m.TagsInMetadata, m.Tags)
	}
	if m := r.shows(plain); m.UserData != nil || m.TagsInMetadata || m.Role != "" || m.SpotAction != nil {
		t.Errorf("nothing was asked for, got user-data %q, tags %t, role %q, %v", m.UserData, m.TagsInMetadata, m.Role, m.SpotAction)
	}
}
