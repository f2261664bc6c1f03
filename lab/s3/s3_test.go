package s3_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"

	api "storefront/lab/api/s3"
	"storefront/lab/region"
	lab "storefront/lab/s3"
	"storefront/lab/state"
	"storefront/lab/wire"
	"storefront/lab/wire/wiretest"
)

// fixture is a running S3 with a client.
type fixture struct {
	*s3.Client
	server  *wiretest.Server
	service *lab.Service
	store   *state.Store
	dir     string
	now     time.Time
}

func serve(t *testing.T, change ...func(*lab.Options)) *fixture {
	t.Helper()
	return serveIn(t, t.TempDir(), change...)
}

// serveIn serves from a lab directory that may have state already.
func serveIn(t *testing.T, dir string, change ...func(*lab.Options)) *fixture {
	t.Helper()
	f := &fixture{dir: dir, now: time.Now()}
	store, err := state.Open(filepath.Join(f.dir, "state"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	f.store = store
	o := lab.Options{Store: store, Dir: filepath.Join(f.dir, "s3"), Region: region.Default(), Clock: func() time.Time { return f.now }, Log: slog.New(slog.DiscardHandler)}
	for _, c := range change {
		c(&o)
	}
	if f.service, err = lab.New(o); err != nil {
		t.Fatal(err)
	}
	f.server = wiretest.Start(t, wire.Options{Services: []*wire.Service{api.New(f.service)}, Region: "us-east-1"})
	f.Client = client(f.server)
	return f
}

func client(s *wiretest.Server, options ...func(*s3.Options)) *s3.Client {
	return s3.NewFromConfig(s.Config(), append(options, func(o *s3.Options) { o.UsePathStyle = true })...)
}

// clientAt is a client of a server in another process.
func clientAt(url string) *s3.Client { return client(&wiretest.Server{URL: url}) }

func (f *fixture) bucket(t *testing.T, name string) *string {
	t.Helper()
	if _, err := f.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &name}); err != nil {
		t.Fatal(err)
	}
	return &name
}

func (f *fixture) put(t *testing.T, bucket *string, key, content string) *s3.PutObjectOutput {
	t.Helper()
	out, err := f.PutObject(t.Context(), &s3.PutObjectInput{Bucket: bucket, Key: &key, Body: bytes.NewReader([]byte(content))})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func (f *fixture) get(t *testing.T, bucket *string, key string) string {
	t.Helper()
	out, err := f.GetObject(t.Context(), &s3.GetObjectInput{Bucket: bucket, Key: &key})
	if err != nil {
		t.Fatal(err)
	}
	return read(t, out.Body)
}

func read(t *testing.T, r io.ReadCloser) string {
	t.Helper()
	defer r.Close()
	data, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func wantCode(t *testing.T, err error, code string) {
	t.Helper()
	e, ok := errors.AsType[smithy.APIError](err)
	if !ok || e.ErrorCode() != code {
		t.Helper()
		t.Errorf("got error %v, want code %s", err, code)
	}
}

// must returns the value of a call that the test needs to succeed.
func must[T any](v T, err error) func(t *testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

var (
	str = aws.String
	ctx = context.Background()
)
