package cloudtrail_test

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	trailapi "storefront/lab/api/cloudtrail"
	watchapi "storefront/lab/api/cloudwatch"
	ec2api "storefront/lab/api/ec2"
	iamapi "storefront/lab/api/iam"
	kmsapi "storefront/lab/api/kms"
	logsapi "storefront/lab/api/logs"
	s3api "storefront/lab/api/s3"
	secretsapi "storefront/lab/api/secretsmanager"
	snsapi "storefront/lab/api/sns"
	sqsapi "storefront/lab/api/sqs"
	stsapi "storefront/lab/api/sts"
	lab "storefront/lab/cloudtrail"
	"storefront/lab/cloudwatch"
	ec2lab "storefront/lab/ec2"
	"storefront/lab/iam"
	"storefront/lab/kms"
	"storefront/lab/logs"
	"storefront/lab/metrics"
	"storefront/lab/region"
	s3lab "storefront/lab/s3"
	"storefront/lab/secretsmanager"
	snslab "storefront/lab/sns"
	sqslab "storefront/lab/sqs"
	"storefront/lab/state"
	stslab "storefront/lab/sts"
	"storefront/lab/wire"
	"storefront/lab/wire/wiretest"
)

const (
	account  = wiretest.Account
	trailARN = "arn:aws:cloudtrail:us-east-1:" + account + ":trail/audit"
)

// harness is a lab with a recorder, whose CloudTrail has a clock that can be put forward.
type harness struct {
	*cloudtrail.Client
	t       testing.TB
	dir     string
	url     string
	store   *state.Store
	service *lab.Service
	ahead   atomic.Int64 // of the real time
	s3      *s3.Client
	ec2     *ec2.Client
	logs    *logs.Service
	iam     *iam.Service
	kms     *kms.Service
	queues  *sqslab.Service
	topics  *snslab.Service
	watch   *cloudwatch.Service
	wire    wire.Options
}

func (h *harness) now() time.Time { return time.Now().Add(time.Duration(h.ahead.Load())) }

func start(t testing.TB) *harness {
	t.Helper()
	h := &harness{t: t, dir: t.TempDir()}
	h.store = wiretest.Must(state.Open(filepath.Join(h.dir, "state")))
	t.Cleanup(func() { _ = h.store.Close() })
	r := region.Default()
	h.iam, h.kms = iam.New(h.store, r, time.Now), kms.New(h.store, r, time.Now)
	h.logs = logs.New(logs.Config{Store: h.store, Region: r, Now: time.Now, Publish: func(ctx context.Context, in *watchapi.PutMetricDataInput) error {
		_, err := h.watch.PutMetricData(ctx, in)
		return err
	}})
	buckets := wiretest.Must(s3lab.New(s3lab.Options{Store: h.store, Dir: filepath.Join(h.dir, "objects"), Region: r, Keys: s3lab.KMS(h.kms)}))
	h.queues = wiretest.Must(sqslab.New(sqslab.Config{Store: h.store, Region: r, Endpoint: func() string { return "http://lab" }, Keys: h.kms, Now: time.Now}))
	h.topics = snslab.New(snslab.Config{Store: h.store, Region: r, Now: time.Now, Queues: h.queues, Keys: h.kms, Log: slog.New(slog.DiscardHandler)})
	h.watch = wiretest.Must(cloudwatch.New(cloudwatch.Config{Store: h.store, Region: r, Now: h.now, Metrics: metrics.New(h.now, cloudwatch.Retention), Log: slog.New(slog.DiscardHandler),
		Notify: func(tx *state.Tx, n cloudwatch.Notification) error {
			return h.topics.PublishAs(tx, "cloudwatch.amazonaws.com", snslab.Notification{Topic: n.Topic, Subject: n.Subject, Message: n.Message, Source: n.Alarm})
		}}))
	h.service = wiretest.Must(lab.New(lab.Config{Store: h.store, Region: r, Now: h.now, Log: slog.New(slog.DiscardHandler), Dir: filepath.Join(h.dir, "audit"), Buckets: buckets, Keys: h.kms, Logs: h.logs,
		Roles: h.iam, Publish: func(tx *state.Tx, topic, message, source string) error {
			return h.topics.PublishAs(tx, "cloudtrail.amazonaws.com", snslab.Notification{Topic: topic, Message: message, Source: source})
		}}))
	network := ec2lab.New(ec2lab.Config{Store: h.store, Region: r, Now: time.Now, Profile: func(*state.Tx, string) (ec2lab.Profile, bool) { return ec2lab.Profile{}, false }})
	session := wire.Identity{Account: account, ARN: "arn:aws:sts::" + account + ":assumed-role/shop/i-1", UserID: "AROATEST:i-1"}
	h.wire = wire.Options{Record: h.service.Record,
		Credentials: wiretest.Keys{wiretest.AccessKeyID: {Secret: wiretest.SecretKey, Identity: wiretest.Caller()}, "ASIATEST": {Secret: "secret", SessionToken: "token", Identity: session}},
		Services: []*wire.Service{trailapi.New(h.service), s3api.New(buckets), kmsapi.New(h.kms), iamapi.New(h.iam), logsapi.New(h.logs), snsapi.New(h.topics), sqsapi.New(h.queues), ec2api.New(network),
			secretsapi.New(secretsmanager.New(h.store, r, h.kms, time.Now)), stsapi.New(stslab.New(h.store, r, h.iam, time.Now)), watchapi.New(h.watch)}}
	s := wiretest.Start(t, h.wire)
	h.url = s.URL
	h.Client, h.ec2 = cloudtrail.NewFromConfig(s.Config()), ec2.NewFromConfig(s.Config())
	h.s3 = s3.NewFromConfig(s.Config(), func(o *s3.Options) { o.UsePathStyle = true })
	return h
}

// allow is the policy that a trail's bucket needs.
func allow(bucket, prefix string) string {
	return `{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},"Action":"s3:GetBucketAcl","Resource":"arn:aws:s3:::` + bucket + `","Condition":{"StringEquals":{"aws:SourceArn":"` + trailARN + `"}}},
		{"Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},"Action":"s3:PutObject","Resource":"arn:aws:s3:::` + bucket + `/` + prefix + `AWSLogs/` + account + `/*",
		 "Condition":{"StringEquals":{"s3:x-amz-acl":"bucket-owner-full-control","aws:SourceArn":"` + trailARN + `"}}}]}`
}

// bucket makes a bucket that CloudTrail may write to.
func (h *harness) bucket(name string) {
	h.t.Helper()
	wiretest.Must(h.s3.CreateBucket(h.t.Context(), &s3.CreateBucketInput{Bucket: &name}))
	wiretest.Must(h.s3.PutBucketPolicy(h.t.Context(), &s3.PutBucketPolicyInput{Bucket: &name, Policy: new(allow(name, ""))}))
}

// trail makes the trail "audit" with a bucket "trail", and starts it. Edit changes the request.
func (h *harness) trail(edit func(*cloudtrail.CreateTrailInput)) {
	h.t.Helper()
	h.bucket("trail")
	in := &cloudtrail.CreateTrailInput{Name: new("audit"), S3BucketName: new("trail"), EnableLogFileValidation: new(true), IsMultiRegionTrail: new(true)}
	if edit != nil {
		edit(in)
	}
	wiretest.Must(h.CreateTrail(h.t.Context(), in))
	wiretest.Must(h.StartLogging(h.t.Context(), &cloudtrail.StartLoggingInput{Name: new("audit")}))
}

func (h *harness) deliver() {
	h.t.Helper()
	if err := h.service.Deliver(h.t.Context()); err != nil {
		h.t.Fatal(err)
	}
}

// stop stops the trail and delivers what is left, with the last digest.
func (h *harness) stop() {
	h.t.Helper()
	wiretest.Must(h.StopLogging(h.t.Context(), &cloudtrail.StopLoggingInput{Name: new("audit")}))
	h.ahead.Add(int64(3 * time.Second))
	h.deliver()
}

// keys lists the objects below a folder of the trail's bucket.
func (h *harness) keys(folder string) (keys []string) {
	h.t.Helper()
	for _, o := range wiretest.Must(h.s3.ListObjectsV2(h.t.Context(), &s3.ListObjectsV2Input{Bucket: new("trail"), Prefix: new("AWSLogs/" + account + "/" + folder + "/")})).Contents {
		keys = append(keys, *o.Key)
	}
	return keys
}

// object reads a compressed JSON object.
func (h *harness) object(key string, into any) *s3.GetObjectOutput {
	h.t.Helper()
	out := wiretest.Must(h.s3.GetObject(h.t.Context(), &s3.GetObjectInput{Bucket: new("trail"), Key: &key}))
	defer out.Body.Close()
	if err := json.Unmarshal(wiretest.Must(io.ReadAll(wiretest.Must(gzip.NewReader(out.Body)))), into); err != nil {
		h.t.Fatal(err)
	}
	return out
}

type event map[string]any

// events reads the events of all log files, in the order of the files' names within each.
func (h *harness) events() (all []event) {
	h.t.Helper()
	for _, key := range h.keys("CloudTrail") {
		var file struct{ Records []event }
		h.object(key, &file)
		all = append(all, file.Records...)
	}
	return all
}

// named returns the events of one name.
func (h *harness) named(name string) (found []event) {
	h.t.Helper()
	for _, e := range h.events() {
		if e["eventName"] == name {
			found = append(found, e)
		}
	}
	return found
}

// aws runs the command line against the lab.
func (h *harness) aws(args ...string) (string, error) {
	h.t.Helper()
	return wiretest.CommandLine(h.t, "aws", h.url, args...)
}
