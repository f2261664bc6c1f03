package ssm_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	api "storefront/lab/api/ssm"
	"storefront/lab/kms"
	"storefront/lab/region"
	lab "storefront/lab/ssm"
	"storefront/lab/state"
	"storefront/lab/wire/wiretest"
)

func start(t *testing.T) (c *ssm.Client, store *state.Store, file string) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "state")
	store = wiretest.Must(state.Open(file))
	t.Cleanup(func() { _ = store.Close() })
	service := lab.New(store, region.Default(), kms.New(store, region.Default(), time.Now), time.Now)
	return ssm.NewFromConfig(wiretest.New(t, api.New(service)).Config()), store, file
}

func put(t *testing.T, c *ssm.Client, name, value string, kind types.ParameterType, overwrite bool) {
	t.Helper()
	wiretest.Must(c.PutParameter(t.Context(), &ssm.PutParameterInput{Name: &name, Value: &value, Type: kind, Overwrite: &overwrite}))
}

func TestVersionsAndHistory(t *testing.T) {
	c, _, _ := start(t)
	ctx := t.Context()
	for i := range 3 {
		put(t, c, "/app/url", fmt.Sprint("v", i+1), types.ParameterTypeString, i > 0)
	}
	for id, want := range map[string]string{"/app/url": "v3", "/app/url:2": "v2", "arn:aws:ssm:us-east-1:000000000000:parameter/app/url": "v3"} {
		if p := wiretest.Must(c.GetParameter(ctx, &ssm.GetParameterInput{Name: &id})).Parameter; *p.Value != want || *p.ARN != "arn:aws:ssm:us-east-1:000000000000:parameter/app/url" {
			t.Errorf("%s: got %+v", id, p)
		}
	}
	_, err := c.GetParameter(ctx, &ssm.GetParameterInput{Name: new("/app/url:9")})
	wiretest.Refused(t, err, "ParameterVersionNotFound", "could not find version 9")
	first := wiretest.Must(c.GetParameterHistory(ctx, &ssm.GetParameterHistoryInput{Name: new("/app/url"), MaxResults: new(int32(2))}))
	second := wiretest.Must(c.GetParameterHistory(ctx, &ssm.GetParameterHistoryInput{Name: new("/app/url"), MaxResults: new(int32(2)), NextToken: first.NextToken}))
	if len(first.Parameters) != 2 || len(second.Parameters) != 1 || *second.Parameters[0].Value != "v3" || second.NextToken != nil {
		t.Errorf("got %+v, %+v", first, second)
	}
	u := wiretest.Must(c.UnlabelParameterVersion(ctx, &ssm.UnlabelParameterVersionInput{Name: new("/app/url"), ParameterVersion: new(int64(1)), Labels: []string{"x"}}))
	if len(u.InvalidLabels) != 1 || len(u.RemovedLabels) != 0 {
		t.Errorf("got %+v", u)
	}
}

func TestSecureStringIsSealed(t *testing.T) {
	c, store, file := start(t)
	ctx := t.Context()
	put(t, c, "/app/key", "correct horse", types.ParameterTypeSecureString, false)
	read := func(decrypt bool) string {
		return *wiretest.Must(c.GetParameter(ctx, &ssm.GetParameterInput{Name: new("/app/key"), WithDecryption: &decrypt})).Parameter.Value
	}
	if read(true) != "correct horse" || strings.Contains(read(false), "horse") {
		t.Errorf("got %q and %q", read(true), read(false))
	}
	if m := wiretest.Must(c.DescribeParameters(ctx, nil)).Parameters; len(m) != 1 || *m[0].KeyId != "alias/aws/ssm" {
		t.Errorf("got %+v", m)
	}
	_, err := c.PutParameter(ctx, &ssm.PutParameterInput{Name: new("k"), Value: new("x"), Type: types.ParameterTypeSecureString, KeyId: new("none")})
	wiretest.Refused(t, err, "InvalidKeyId", "")
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(wiretest.Must(os.ReadFile(file))), "correct horse") {
		t.Error("the state file holds the plain text")
	}
}

func TestPublicParameters(t *testing.T) {
	c, _, _ := start(t)
	const name = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64"
	p := wiretest.Must(c.GetParameter(t.Context(), &ssm.GetParameterInput{Name: new(name)})).Parameter
	if *p.Value != region.AmazonLinux2023 || *p.ARN != "arn:aws:ssm:us-east-1::parameter"+name {
		t.Errorf("got %+v", p)
	}
	_, err := c.GetParameter(t.Context(), &ssm.GetParameterInput{Name: new(name + "x")})
	wiretest.Refused(t, err, "ParameterNotFound", "")
	if l := wiretest.Must(c.GetParametersByPath(t.Context(), &ssm.GetParametersByPathInput{Path: new("/aws/service/ami-amazon-linux-latest")})).Parameters; len(l) != 4 {
		t.Errorf("got %d images", len(l))
	}
}

func TestPathsAndFilters(t *testing.T) {
	c, _, _ := start(t)
	ctx := t.Context()
	for _, n := range []string{"/a/1", "/a/2", "/a/b/3", "/ab/4"} {
		put(t, c, n, n, types.ParameterTypeString, false)
	}
	path := func(recursive bool, token *string) *ssm.GetParametersByPathOutput {
		return wiretest.Must(c.GetParametersByPath(ctx, &ssm.GetParametersByPathInput{Path: new("/a"), Recursive: &recursive, MaxResults: new(int32(2)), NextToken: token}))
	}
	if p := path(false, nil); len(p.Parameters) != 2 || p.NextToken != nil {
		t.Errorf("got %+v", p)
	}
	first := path(true, nil)
	if second := path(true, first.NextToken); len(first.Parameters) != 2 || len(second.Parameters) != 1 || *second.Parameters[0].Name != "/a/b/3" {
		t.Errorf("got %+v, %+v", first, second)
	}
	_, err := c.GetParametersByPath(ctx, &ssm.GetParametersByPathInput{Path: new("a")})
	wiretest.Refused(t, err, "ValidationException", "must begin with a forward slash")
	for _, tc := range []struct {
		key, option, value string
		want               int
	}{{"Name", "Equals", "/a/1", 1}, {"Name", "BeginsWith", "/a", 4}, {"Name", "Contains", "b", 2}, {"Path", "OneLevel", "/a", 2}, {"Path", "Recursive", "/a", 3}, {"Type", "Equals", "SecureString", 0}} {
		f := []types.ParameterStringFilter{{Key: &tc.key, Option: &tc.option, Values: []string{tc.value}}}
		if got := wiretest.Must(c.DescribeParameters(ctx, &ssm.DescribeParametersInput{ParameterFilters: f})).Parameters; len(got) != tc.want {
			t.Errorf("%+v: got %d", tc, len(got))
		}
	}
	got := wiretest.Must(c.GetParameters(ctx, &ssm.GetParametersInput{Names: []string{"/a/1", "/none"}}))
	if len(got.Parameters) != 1 || len(got.InvalidParameters) != 1 {
		t.Errorf("got %+v", got)
	}
	gone := wiretest.Must(c.DeleteParameters(ctx, &ssm.DeleteParametersInput{Names: []string{"/a/1", "/none"}}))
	if len(gone.DeletedParameters) != 1 || len(gone.InvalidParameters) != 1 {
		t.Errorf("got %+v", gone)
	}
	wiretest.Must(c.DeleteParameter(ctx, &ssm.DeleteParameterInput{Name: new("/a/2")}))
	_, err = c.DeleteParameter(ctx, &ssm.DeleteParameterInput{Name: new("/a/2")})
	wiretest.Refused(t, err, "ParameterNotFound", "")
}

func TestTagsAndRefusals(t *testing.T) {
	c, _, _ := start(t)
	ctx := t.Context()
	put(t, c, "p", "x", types.ParameterTypeString, false)
	kind := types.ResourceTypeForTaggingParameter
	wiretest.Must(c.AddTagsToResource(ctx, &ssm.AddTagsToResourceInput{ResourceType: kind, ResourceId: new("p"), Tags: []types.Tag{{Key: new("a"), Value: new("1")}, {Key: new("b"), Value: new("2")}}}))
	wiretest.Must(c.RemoveTagsFromResource(ctx, &ssm.RemoveTagsFromResourceInput{ResourceType: kind, ResourceId: new("p"), TagKeys: []string{"a"}}))
	if l := wiretest.Must(c.ListTagsForResource(ctx, &ssm.ListTagsForResourceInput{ResourceType: kind, ResourceId: new("p")})).TagList; len(l) != 1 || *l[0].Key != "b" {
		t.Errorf("got %v", l)
	}
	for name, tc := range map[string]struct {
		in            ssm.PutParameterInput
		code, message string
	}{
		"exists":   {ssm.PutParameterInput{Name: new("p"), Value: new("y"), Type: "String"}, "ParameterAlreadyExists", "overwrite"},
		"no type":  {ssm.PutParameterInput{Name: new("q"), Value: new("y")}, "ValidationException", "type is required"},
		"reserved": {ssm.PutParameterInput{Name: new("/aws/x"), Value: new("y"), Type: "String"}, "ValidationException", "can't be prefixed"},
		"too long": {ssm.PutParameterInput{Name: new("q"), Value: new(strings.Repeat("x", 4097)), Type: "String"}, "ValidationException", "4096"},
		"pattern":  {ssm.PutParameterInput{Name: new("q"), Value: new("y"), Type: "String", AllowedPattern: new("^x$")}, "ParameterPatternMismatchException", ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := c.PutParameter(ctx, &tc.in)
			wiretest.Refused(t, err, tc.code, tc.message)
		})
	}
}
