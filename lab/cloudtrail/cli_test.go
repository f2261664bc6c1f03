package cloudtrail_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"storefront/lab/wire/wiretest"
)

// open opens a security group to the world and returns its ID.
func (h *harness) open() string {
	h.t.Helper()
	vpc := wiretest.Must(h.ec2.CreateVpc(h.t.Context(), &ec2.CreateVpcInput{CidrBlock: new("10.0.0.0/16")})).Vpc.VpcId
	group := wiretest.Must(h.ec2.CreateSecurityGroup(h.t.Context(), &ec2.CreateSecurityGroupInput{GroupName: new("web"), Description: new("web"), VpcId: vpc})).GroupId
	wiretest.Must(h.ec2.AuthorizeSecurityGroupIngress(h.t.Context(), &ec2.AuthorizeSecurityGroupIngressInput{GroupId: group, IpPermissions: []types.IpPermission{
		{IpProtocol: new("tcp"), FromPort: new(int32(22)), ToPort: new(int32(22)), IpRanges: []types.IpRange{{CidrIp: new("0.0.0.0/0")}}}}}))
	return *group
}

// Who opened that security group? The event history tells, and the trail's log files do, with the command line alone.
func TestWhoOpenedTheSecurityGroup(t *testing.T) {
	h := start(t)
	h.trail(nil)
	group := h.open()
	got, err := h.aws("cloudtrail", "lookup-events", "--lookup-attributes", "AttributeKey=ResourceName,AttributeValue="+group, "--output", "text",
		"--query", "Events[?EventName=='AuthorizeSecurityGroupIngress'].[Username,ReadOnly,EventSource]")
	if err != nil || got != "test\tfalse\tec2.amazonaws.com" {
		t.Errorf("the history says %q, %v", got, err)
	}
	h.deliver()
	dir := t.TempDir()
	if out, err := h.aws("s3", "cp", "--recursive", "--quiet", "s3://trail/AWSLogs/"+account+"/CloudTrail/", dir); err != nil {
		t.Fatalf("%s: %v", out, err)
	}
	opened := h.named("AuthorizeSecurityGroupIngress")
	if len(opened) != 1 {
		t.Fatalf("the trail has %d such events", len(opened))
	}
	identity, request := opened[0]["userIdentity"].(map[string]any), opened[0]["requestParameters"].(map[string]any)
	permission := request["ipPermissions"].(map[string]any)["items"].([]any)[0].(map[string]any)
	ranges := permission["ipRanges"].(map[string]any)["items"].([]any)[0].(map[string]any)
	if identity["userName"] != "test" || request["groupId"] != group || permission["toPort"] != 22.0 || ranges["cidrIp"] != "0.0.0.0/0" {
		t.Errorf("the event does not tell: %v", opened[0])
	}
}

// The command line's validation of digests and log files passes, over several digests, and finds what was changed, removed or forged.
func TestValidateLogs(t *testing.T) {
	h := start(t)
	began := time.Now().UTC().Add(-time.Minute).Format(time.RFC3339)
	h.trail(nil)
	h.open()
	h.deliver()
	h.ahead.Add(int64(time.Hour)) // an hour of the clock ends
	h.deliver()
	wiretest.Must(h.ec2.CreateVpc(t.Context(), &ec2.CreateVpcInput{CidrBlock: new("10.1.0.0/16")}))
	h.deliver()
	h.stop()
	validate := func() (string, error) {
		return h.aws("cloudtrail", "validate-logs", "--trail-arn", trailARN, "--start-time", began, "--end-time", time.Now().UTC().Add(3*time.Hour).Format(time.RFC3339))
	}
	digests, files := h.keys("CloudTrail-Digest"), h.keys("CloudTrail")
	if len(digests) != 2 || len(files) != 3 {
		t.Fatalf("digests %q of files %q", digests, files)
	}
	if out, err := validate(); err != nil || !strings.Contains(out, "2/2 digest files valid") || !strings.Contains(out, "3/3 log files valid") {
		t.Fatalf("%s\n%v", out, err)
	}
	original := h.rewrite(files[0], func(b []byte) []byte { return bytes.ReplaceAll(b, []byte("0.0.0.0/0"), []byte("10.0.0.0/8")) })
	if out, err := validate(); err == nil || !strings.Contains(out, files[0]+"\tINVALID: hash value doesn't match") {
		t.Errorf("a changed log file: %v\n%s", err, out)
	}
	h.put(files[0], original, nil)
	digest := h.rewrite(digests[0], func(b []byte) []byte { return bytes.ReplaceAll(b, []byte("logFiles"), []byte("logfiles")) })
	if out, err := validate(); err == nil || !strings.Contains(out, digests[0]+"\tINVALID: signature verification failed") {
		t.Errorf("a forged digest: %v\n%s", err, out)
	}
	h.put(digests[0], digest, nil)
	wiretest.Must(h.s3.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: new("trail"), Key: &files[1]}))
	if out, err := validate(); err == nil || !strings.Contains(out, files[1]+"\tINVALID: not found") {
		t.Errorf("a deleted log file: %v\n%s", err, out)
	}
}

// rewrite changes what an object says, keeps its metadata and returns what was there.
func (h *harness) rewrite(key string, change func([]byte) []byte) []byte {
	h.t.Helper()
	out := wiretest.Must(h.s3.GetObject(h.t.Context(), &s3.GetObjectInput{Bucket: new("trail"), Key: &key}))
	content := wiretest.Must(io.ReadAll(out.Body))
	out.Body.Close()
	plain := wiretest.Must(io.ReadAll(wiretest.Must(gzip.NewReader(bytes.NewReader(content)))))
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	_, _ = z.Write(change(plain))
	_ = z.Close()
	h.put(key, zipped.Bytes(), out.Metadata)
	return content
}

func (h *harness) put(key string, content []byte, metadata map[string]string) {
	h.t.Helper()
	wiretest.Must(h.s3.PutObject(h.t.Context(), &s3.PutObjectInput{Bucket: new("trail"), Key: &key, Body: bytes.NewReader(content), Metadata: metadata}))
}
