package s3_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"storefront/lab/wire/wiretest"
)

func itoa(n int) string { return strconv.Itoa(n) }

// TestChunkedUpload sends a body that cannot be sought over TLS, which the SDK does in chunks with the checksum behind them.
func TestChunkedUpload(t *testing.T) {
	f := serve(t)
	b := f.bucket(t, "chunked")
	var encoding, hash string
	tls := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		encoding, hash = strings.Join(r.Header.Values("Content-Encoding"), ","), r.Header.Get("X-Amz-Content-Sha256")
		f.server.ServeHTTP(w, r)
	}))
	defer tls.Close()
	c := client(&wiretest.Server{URL: tls.URL}, func(o *s3.Options) { o.HTTPClient = wiretest.Client(tls.Client().Transport) })
	content := strings.Repeat("stream ", 50_000)
	must(c.PutObject(ctx, &s3.PutObjectInput{Bucket: b, Key: str("k"), Body: io.MultiReader(strings.NewReader(content)), ContentLength: aws.Int64(int64(len(content))), ContentEncoding: str("identity")}))(t)
	if !strings.Contains(encoding, "aws-chunked") || hash != "STREAMING-UNSIGNED-PAYLOAD-TRAILER" {
		t.Fatalf("the client sent %q, %q: not what this test is about", encoding, hash)
	}
	out := must(f.GetObject(ctx, &s3.GetObjectInput{Bucket: b, Key: str("k"), ChecksumMode: "ENABLED"}))(t)
	if got := read(t, out.Body); got != content || *out.ContentEncoding != "identity" || out.ChecksumCRC32 == nil {
		t.Errorf("got %d bytes, encoding %q, checksum %v", len(got), *out.ContentEncoding, out.ChecksumCRC32)
	}
}

func TestVirtualHosts(t *testing.T) {
	f := serve(t)
	b := f.bucket(t, "my.hosted-bucket")
	transport := http.DefaultTransport.(*http.Transport).Clone()
	defer transport.CloseIdleConnections()
	c := s3.NewFromConfig(f.server.Config(), func(o *s3.Options) {
		o.BaseEndpoint = str("http://s3.us-east-1.amazonaws.com")
		transport.Proxy = nil
		o.HTTPClient = wiretest.Client(redirect{transport, strings.TrimPrefix(f.server.URL, "http://")})
	})
	must(c.PutObject(ctx, &s3.PutObjectInput{Bucket: b, Key: str("a/k"), Body: strings.NewReader("v")}))(t)
	if got := f.get(t, b, "a/k"); got != "v" {
		t.Errorf("got %q", got)
	}
	if list := must(c.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: b}))(t); len(list.Contents) != 1 {
		t.Errorf("got %+v", list.Contents)
	}
}

// redirect connects every request to one address, as the region's DNS does, and keeps its Host.
type redirect struct {
	http.RoundTripper
	address string
}

func (r redirect) RoundTrip(req *http.Request) (*http.Response, error) {
	req.Host = req.URL.Host
	req.URL.Host = r.address
	return r.RoundTripper.RoundTrip(req)
}

// TestCommandLine drives the service with AWS's own command line.
func TestCommandLine(t *testing.T) {
	if _, err := exec.LookPath("aws"); err != nil {
		t.Skip("the aws command is not installed")
	}
	f := serve(t)
	dir := t.TempDir()
	config := filepath.Join(dir, "config")
	if err := os.WriteFile(config, []byte("[default]\ns3 =\n  signature_version = s3v4\n"), 0o600); err != nil { // its default for presigned URLs is version 2
		t.Fatal(err)
	}
	run := func(args ...string) string {
		t.Helper()
		cmd := exec.Command("aws", append([]string{"--endpoint-url", f.server.URL}, args...)...)
		cmd.Env = append(os.Environ(), "AWS_ACCESS_KEY_ID="+wiretest.AccessKeyID, "AWS_SECRET_ACCESS_KEY="+wiretest.SecretKey, "AWS_DEFAULT_REGION=us-east-1",
			"AWS_CONFIG_FILE="+config, "AWS_EC2_METADATA_DISABLED=true", "HOME="+dir)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("aws %s: %v\n%s", strings.Join(args, " "), err, out)
		}
		return string(out)
	}
	big := filepath.Join(dir, "big file")
	content := bytes.Repeat([]byte("0123456789abcdef"), 17<<16) // 17 MiB: three parts
	if err := os.WriteFile(big, content, 0o600); err != nil {
		t.Fatal(err)
	}
	run("s3", "mb", "s3://cli-bucket")
	run("s3", "cp", big, "s3://cli-bucket/dir/big file")
	if out := run("s3", "ls", "--recursive", "s3://cli-bucket"); !strings.Contains(out, itoa(len(content))+" dir/big file") {
		t.Errorf("ls: %s", out)
	}
	run("s3", "cp", "s3://cli-bucket/dir/big file", filepath.Join(dir, "back"))
	if back := must(os.ReadFile(filepath.Join(dir, "back")))(t); !bytes.Equal(back, content) {
		t.Errorf("got %d other bytes back", len(back))
	}
	if head := must(f.HeadObject(ctx, &s3.HeadObjectInput{Bucket: str("cli-bucket"), Key: str("dir/big file")}))(t); !strings.HasSuffix(*head.ETag, `-3"`) {
		t.Errorf("got ETag %s, want one of three parts", *head.ETag)
	}
	url := strings.TrimSpace(run("s3", "presign", "s3://cli-bucket/dir/big file"))
	res := must(http.Get(url))(t)
	if body := read(t, res.Body); res.StatusCode != 200 || len(body) != len(content) {
		t.Errorf("presigned: got %s, %d bytes", res.Status, len(body))
	}
	run("s3", "rb", "--force", "s3://cli-bucket")
	if list := must(f.ListBuckets(ctx, nil))(t); len(list.Buckets) != 0 {
		t.Errorf("got %+v", list.Buckets)
	}
}
