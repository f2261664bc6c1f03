package imds_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials/ec2rolecreds"
	client "github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
	"github.com/google/go-cmp/cmp"

	"storefront/lab/imds"
)

var start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// region is a Source with one instance, and its clock.
type region struct {
	metadata imds.Metadata
	failure  error
	clock    time.Time
}

func (r *region) Metadata(id string) (imds.Metadata, error) {
	if id != r.metadata.InstanceID {
		return imds.Metadata{}, errors.New("no such instance")
	}
	return r.metadata, r.failure
}

func (r *region) Credentials(context.Context, string) (imds.Credentials, error) {
	return imds.Credentials{AccessKeyID: "ASIA1", SecretAccessKey: "secret", Token: "token", LastUpdated: start, Expiration: time.Now().Add(time.Hour)}, r.failure
}

func newRegion() *region {
	return &region{clock: start, metadata: imds.Metadata{
		InstanceID: "i-0123456789abcdef0", ImageID: "ami-1", InstanceType: "t3.micro", LifeCycle: "spot", Architecture: "x86_64", Launched: start,
		Account: "000000000000", Region: "us-east-1", Zone: "us-east-1a", ZoneID: "use1-az1", Hostname: "ip-10-0-1-5.ec2.internal", LocalIPv4: "10.0.1.5",
		MAC: "02:00:00:00:00:01", InterfaceID: "eni-1", SubnetID: "subnet-1", SubnetCIDR: "10.0.1.0/24", VPCID: "vpc-1", VPCCIDRs: []string{"10.0.0.0/16"},
		SecurityGroups: []string{"web", "shared"}, SecurityGroupIDs: []string{"sg-1", "sg-2"},
		ProfileARN: "arn:aws:iam::000000000000:instance-profile/p", ProfileID: "AIPA1", Role: "shop", Tags: map[string]string{"Name": "shop 1", "bad key": "x"},
		UserData: []byte("#!/bin/sh\n"), LifecycleState: "InService", TokensRequired: true, TagsInMetadata: true}}
}

func serve(t *testing.T, r *region) string {
	t.Helper()
	server := httptest.NewServer(imds.New(r, "i-0123456789abcdef0", func() time.Time { return r.clock }))
	t.Cleanup(server.Close)
	return server.URL
}

// request sends a request and returns status and body.
func request(t *testing.T, method, url string, headers ...string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	response, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

const (
	tokenHeader = "X-aws-ec2-metadata-token"
	ttlHeader   = "X-aws-ec2-metadata-token-ttl-seconds"
)

func token(t *testing.T, url string) string {
	t.Helper()
	status, body := request(t, http.MethodPut, url+"/latest/api/token", ttlHeader, "60")
	if status != http.StatusOK {
		t.Fatalf("PUT token: %d %s", status, body)
	}
	return body
}

func TestSDKClient(t *testing.T) {
	r := newRegion()
	url := serve(t, r)
	c := client.New(client.Options{Endpoint: url})
	document, err := c.GetInstanceIdentityDocument(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if document.InstanceID != r.metadata.InstanceID || document.PrivateIP != "10.0.1.5" || document.AvailabilityZone != "us-east-1a" || !document.PendingTime.Equal(start) {
		t.Errorf("identity document: %+v", document)
	}
	if region, err := c.GetRegion(t.Context(), nil); err != nil || region.Region != "us-east-1" {
		t.Errorf("GetRegion: %v, %v", region, err)
	}
	if info, err := c.GetIAMInfo(t.Context(), nil); err != nil || info.InstanceProfileArn != r.metadata.ProfileARN {
		t.Errorf("GetIAMInfo: %+v, %v", info, err)
	}
	data, err := c.GetUserData(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if text, _ := io.ReadAll(data.Content); string(text) != "#!/bin/sh\n" {
		t.Errorf("user-data: %q", text)
	}
	credentials, err := ec2rolecreds.New(func(o *ec2rolecreds.Options) { o.Client = c }).Retrieve(t.Context())
	if err != nil || credentials.AccessKeyID != "ASIA1" || credentials.SecretAccessKey != "secret" || credentials.SessionToken != "token" || !credentials.CanExpire {
		t.Errorf("role credentials: %+v, %v", credentials, err)
	}
}

func TestPaths(t *testing.T) {
	r := newRegion()
	notice := start.Add(2 * time.Minute)
	r.metadata.SpotAction, r.metadata.Rebalance = &imds.SpotAction{Action: "terminate", Time: notice}, &start
	url := serve(t, r)
	valid := token(t, url)
	for path, want := range map[string]string{
		"/latest":                                                                        "dynamic\nmeta-data\nuser-data",
		"/2021-07-15/meta-data/instance-id":                                              "i-0123456789abcdef0",
		"/latest/meta-data/placement/":                                                   "availability-zone\navailability-zone-id\nregion",
		"/latest/meta-data/placement/availability-zone":                                  "us-east-1a",
		"/latest/meta-data/iam/":                                                         "info\nsecurity-credentials/",
		"/latest/meta-data/iam/security-credentials/":                                    "shop",
		"/latest/meta-data/security-groups":                                              "web\nshared",
		"/latest/meta-data/tags/instance":                                                "Name",
		"/latest/meta-data/tags/instance/Name":                                           "shop 1",
		"/latest/meta-data/network/interfaces/macs/":                                     "02:00:00:00:00:01/",
		"/latest/meta-data/spot/instance-action":                                         "{\n  \"action\": \"terminate\",\n  \"time\": \"2026-01-02T03:06:05Z\"\n}",
		"/latest/meta-data/spot/termination-time":                                        "2026-01-02T03:06:05Z",
		"/latest/meta-data/events/recommendations/":                                      "rebalance",
		"/latest/meta-data/autoscaling/":                                                 "target-lifecycle-state",
		"/latest/meta-data/instance-life-cycle":                                          "spot",
		"/latest/dynamic/instance-identity/":                                             "document",
		"/latest/meta-data/network/interfaces/macs/02:00:00:00:00:01/security-group-ids": "sg-1\nsg-2",
	} {
		if status, got := request(t, http.MethodGet, url+path, tokenHeader, valid); status != http.StatusOK || got != want {
			t.Errorf("%s: %d %s", path, status, cmp.Diff(want, got))
		}
	}
	for _, path := range []string{"/latest/meta-data/public-ipv4", "/latest/meta-data/iam/security-credentials/other", "/nonsense", "/latest/nonsense", "/latest/meta-data/ami-id/",
		"/latest/meta-data//", "/latest/meta-data/tags/instance/bad key"} {
		if status, _ := request(t, http.MethodGet, url+strings.ReplaceAll(path, " ", "%20"), tokenHeader, valid); status != http.StatusNotFound {
			t.Errorf("%s: got %d, want 404", path, status)
		}
	}
}

func TestTokens(t *testing.T) {
	r := newRegion()
	url := serve(t, r)
	valid := token(t, url)
	get := func(headers ...string) int {
		status, _ := request(t, http.MethodGet, url+"/latest/meta-data/instance-id", headers...)
		return status
	}
	check := func(name string, got, want int) {
		t.Helper()
		if got != want {
			t.Errorf("%s: got %d, want %d", name, got, want)
		}
	}
	check("no token", get(), http.StatusUnauthorized)
	check("a token of nobody", get(tokenHeader, "AAAA"), http.StatusUnauthorized)
	check("a token", get(tokenHeader, valid), http.StatusOK)
	r.clock = start.Add(59 * time.Second)
	check("a token in its last second", get(tokenHeader, valid), http.StatusOK)
	r.clock = start.Add(60 * time.Second)
	check("an expired token", get(tokenHeader, valid), http.StatusUnauthorized)
	for _, ttl := range []string{"", "0", "21601", "x"} {
		status, _ := request(t, http.MethodPut, url+"/latest/api/token", ttlHeader, ttl)
		check("TTL "+ttl, status, http.StatusBadRequest)
	}
	status, _ := request(t, http.MethodPut, url+"/latest/api/token", ttlHeader, "60", "X-Forwarded-For", "10.0.0.1")
	check("forwarded", status, http.StatusForbidden)
	status, _ = request(t, http.MethodPut, url+"/latest/meta-data/instance-id")
	check("PUT of a value", status, http.StatusMethodNotAllowed)
	status, _ = request(t, http.MethodPost, url+"/latest/api/token", ttlHeader, "60")
	check("POST", status, http.StatusMethodNotAllowed)

	r.metadata.TokensRequired = false
	check("version 1", get(), http.StatusOK)
	check("version 1 with a bad token", get(tokenHeader, "AAAA"), http.StatusUnauthorized)
	r.metadata.EndpointDisabled = true
	check("disabled", get(tokenHeader, valid), http.StatusForbidden)
	r.metadata.EndpointDisabled, r.failure = false, errors.New("the state cannot be read")
	check("failed source", get(), http.StatusInternalServerError)
}

func FuzzPath(f *testing.F) {
	for _, seed := range []string{"/", "/latest/meta-data/", "/latest/meta-data/iam/security-credentials/shop", "/latest/user-data", "//", "/latest/..//meta-data", "/latest/api/token"} {
		f.Add(seed)
	}
	r := newRegion()
	r.metadata.TokensRequired = false
	handler := imds.New(r, "i-0123456789abcdef0", func() time.Time { return start })
	f.Fuzz(func(t *testing.T, path string) {
		req := httptest.NewRequest(http.MethodGet, "/", nil)
		req.URL.Path = path
		response := httptest.NewRecorder()
		handler.ServeHTTP(response, req)
		switch response.Code {
		case http.StatusOK, http.StatusNotFound, http.StatusMethodNotAllowed:
		default:
			t.Errorf("%q: %d", path, response.Code)
		}
	})
}
