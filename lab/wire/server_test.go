package wire_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/backup"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	asapi "storefront/lab/api/autoscaling"
	backupapi "storefront/lab/api/backup"
	ec2api "storefront/lab/api/ec2"
	kmsapi "storefront/lab/api/kms"
	s3api "storefront/lab/api/s3"
	stsapi "storefront/lab/api/sts"
	"storefront/lab/wire"
	"storefront/lab/wire/sigv4"
	"storefront/lab/wire/wiretest"
)

type backupService struct{ backupapi.API }

func (backupService) ListBackupVaults(context.Context, *backupapi.ListBackupVaultsInput) (*backupapi.ListBackupVaultsOutput, error) {
	return &backupapi.ListBackupVaultsOutput{}, nil
}

type s3Service struct{ s3api.API }

func (s3Service) GetObject(ctx context.Context, in *s3api.GetObjectInput) (*s3api.GetObjectOutput, error) {
	text := *in.Bucket + "|" + *in.Key + "|" + wire.Caller(ctx).ARN
	return &s3api.GetObjectOutput{Body: io.NopCloser(strings.NewReader(text)), ContentLength: new(int64(len(text)))}, nil
}

func (s3Service) PutObject(_ context.Context, in *s3api.PutObjectInput) (*s3api.PutObjectOutput, error) {
	_, err := io.Copy(io.Discard, in.Body)
	return &s3api.PutObjectOutput{ETag: new(`"x"`)}, err
}

func (s3Service) PutBucketVersioning(context.Context, *s3api.PutBucketVersioningInput) (*s3api.PutBucketVersioningOutput, error) {
	return &s3api.PutBucketVersioningOutput{}, nil
}

// families are one operation of each protocol family, called with the credentials and the endpoint of a configuration.
func families() map[string]func(context.Context, aws.Config) error {
	return map[string]func(context.Context, aws.Config) error{
		"query": func(ctx context.Context, c aws.Config) error {
			_, err := sts.NewFromConfig(c).GetCallerIdentity(ctx, nil)
			return err
		},
		"ec2": func(ctx context.Context, c aws.Config) error {
			_, err := ec2.NewFromConfig(c).CreateVpc(ctx, &ec2.CreateVpcInput{CidrBlock: aws.String("10.0.0.0/16")})
			return err
		},
		"json": func(ctx context.Context, c aws.Config) error {
			_, err := kms.NewFromConfig(c).Encrypt(ctx, &kms.EncryptInput{KeyId: aws.String("k"), Plaintext: []byte("x")})
			return err
		},
		"rest": func(ctx context.Context, c aws.Config) error {
			_, err := backup.NewFromConfig(c).ListBackupVaults(ctx, nil)
			return err
		},
		"s3": func(ctx context.Context, c aws.Config) error {
			_, err := s3.NewFromConfig(c, func(o *s3.Options) { o.UsePathStyle = true }).GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String("bucket"), Key: aws.String("k")})
			return err
		},
	}
}

func all() []*wire.Service {
	return []*wire.Service{ec2api.New(ec2Service{}), kmsapi.New(kmsService{}), stsapi.New(stsService{}), asapi.New(asgService{}), backupapi.New(backupService{}), s3api.New(s3Service{})}
}

func TestRefusedCredentials(t *testing.T) {
	now := time.Now()
	s := wiretest.Start(t, wire.Options{Services: all(), Region: "us-east-1", Clock: func() time.Time { return now }, Credentials: wiretest.Keys{
		"GOOD":    {Secret: "secret"},
		"SESSION": {Secret: "secret", SessionToken: "token", Expires: now.Add(time.Hour)},
		"EXPIRED": {Secret: "secret", SessionToken: "token", Expires: now},
	}})
	for _, c := range []struct {
		name, key, secret, token, region string
		codes                            map[string]string
	}{
		{name: "right", key: "GOOD", secret: "secret"},
		{name: "right session", key: "SESSION", secret: "secret", token: "token"},
		{"unknown key", "NONE", "secret", "", "", map[string]string{"query": "InvalidClientTokenId", "ec2": "AuthFailure", "json": "UnrecognizedClientException", "s3": "InvalidAccessKeyId"}},
		{"wrong secret", "GOOD", "guess", "", "", map[string]string{"query": "SignatureDoesNotMatch", "ec2": "SignatureDoesNotMatch", "json": "InvalidSignatureException", "s3": "SignatureDoesNotMatch"}},
		{"no token", "SESSION", "secret", "", "", map[string]string{"query": "InvalidClientTokenId", "ec2": "AuthFailure", "json": "UnrecognizedClientException", "s3": "InvalidToken"}},
		{"wrong token", "SESSION", "secret", "forged", "", map[string]string{"query": "InvalidClientTokenId", "ec2": "AuthFailure", "json": "UnrecognizedClientException", "s3": "InvalidToken"}},
		{"token of no session", "GOOD", "secret", "token", "", map[string]string{"query": "InvalidClientTokenId", "ec2": "AuthFailure", "json": "UnrecognizedClientException", "s3": "InvalidToken"}},
		{"expired session", "EXPIRED", "secret", "token", "", map[string]string{"query": "ExpiredToken", "ec2": "RequestExpired", "json": "ExpiredTokenException", "s3": "ExpiredToken"}},
		{"other region", "GOOD", "secret", "", "eu-west-1", map[string]string{"query": "SignatureDoesNotMatch", "ec2": "AuthFailure", "json": "InvalidSignatureException", "s3": "AuthorizationHeaderMalformed"}},
	} {
		for family, call := range families() {
			t.Run(c.name+" "+family, func(t *testing.T) {
				config := s.Config()
				config.Credentials = credentials.NewStaticCredentialsProvider(c.key, c.secret, c.token)
				if c.region != "" {
					config.Region = c.region
				}
				err := call(t.Context(), config)
				if c.codes == nil {
					if err != nil {
						t.Error(err)
					}
					return
				}
				if family == "rest" {
					family = "json" // has the same names
				}
				wantCode(t, err, c.codes[family], "")
			})
		}
	}
}

func TestRefusedStatus(t *testing.T) {
	s := wiretest.Start(t, wire.Options{Services: all(), Credentials: wiretest.Keys{}})
	for family, want := range map[string]int{"query": 403, "ec2": 401, "json": 400, "rest": 403, "s3": 403} {
		e, ok := errors.AsType[*awshttp.ResponseError](families()[family](t.Context(), s.Config()))
		if !ok || e.HTTPStatusCode() != want {
			t.Errorf("%s: an unknown key is answered with %v, want status %d", family, e, want)
		}
	}
}

func TestClockSkew(t *testing.T) {
	for name, offset := range map[string]time.Duration{"late": 16 * time.Minute, "early": -16 * time.Minute} {
		s := wiretest.Start(t, wire.Options{Services: all(), Clock: func() time.Time { return time.Now().Add(offset) }})
		for family, code := range map[string]string{"query": "SignatureDoesNotMatch", "ec2": "RequestExpired", "json": "InvalidSignatureException", "s3": "RequestTimeTooSkewed"} {
			t.Run(name+" "+family, func(t *testing.T) {
				wantCode(t, families()[family](t.Context(), s.Config()), code, "")
			})
		}
	}
}

// send makes a request of its own, with the Host of an AWS endpoint where one is given.
func send(t *testing.T, s *wiretest.Server, method, path, host, contentType, body string) (int, string) {
	t.Helper()
	r, err := http.NewRequest(method, s.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Host = host
	r.Header.Set("Content-Type", contentType)
	return do(t, r)
}

func do(t *testing.T, r *http.Request) (int, string) {
	t.Helper()
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(text)
}

const form = "application/x-www-form-urlencoded"

func TestUnsignedRequests(t *testing.T) {
	s := wiretest.New(t, all()...)
	for _, c := range []struct {
		method, path, host, contentType, body string
		status                                int
		want                                  string
	}{
		{"POST", "/", "", form, "Action=GetCallerIdentity&Version=2011-06-15", 403, "<Code>MissingAuthenticationToken</Code>"},
		{"POST", "/", "ec2.us-east-1.amazonaws.com", form, "Action=CreateVpc&CidrBlock=x", 403, "<Code>MissingAuthenticationToken</Code>"},
		{"GET", "/bucket/a/key", "", "", "", 200, "bucket|a/key|"},
		{"GET", "/a/key", "my.bucket.s3.us-east-1.amazonaws.com", "", "", 200, "my.bucket|a/key|"},
		{"GET", "/a/key", "bucket.s3.amazonaws.com:443", "", "", 200, "bucket|a/key|"},
		{"GET", "/bucket/key", "s3.us-east-1.amazonaws.com", "", "", 200, "bucket|key|"},
		{"POST", "/", "dynamodb.us-east-1.amazonaws.com", "application/x-amz-json-1.0", "{}", 403, "Request is missing Authentication Token"},
	} {
		status, text := send(t, s, c.method, c.path, c.host, c.contentType, c.body)
		if status != c.status || !strings.Contains(text, c.want) {
			t.Errorf("%s %s of %s %s: got %d %s", c.method, c.path, c.host, c.body, status, text)
		}
	}
}

// TestUnsignedOperation serves the one kind of operation that has no signature because it fetches credentials.
func TestUnsignedOperation(t *testing.T) {
	type input struct{ RoleSessionName *string }
	type output struct{ Provider *string }
	s := wiretest.New(t, &wire.Service{Name: "sts", Protocol: wire.Query, Operations: []wire.Operation{
		wire.Op("AssumeRoleWithWebIdentity", "POST", "/", func(ctx context.Context, in *input) (*output, error) {
			return &output{new(*in.RoleSessionName + wire.Caller(ctx).ARN)}, nil
		})}})
	const body = "Action=AssumeRoleWithWebIdentity&RoleSessionName=it"
	if status, text := send(t, s, "POST", "/", "sts.us-east-1.amazonaws.com", form, body); status != 200 || !strings.Contains(text, "<Provider>it</Provider>") {
		t.Errorf("got %d %s", status, text)
	}
}

func TestUnknownServicesAndOperations(t *testing.T) {
	s := wiretest.New(t, all()...)
	for _, c := range []struct{ service, target, contentType, body, want string }{
		{"sqs", "AmazonSQS.CreateQueue", "application/x-amz-json-1.0", "{}", `"__type":"UnknownOperationException"`},
		{"kms", "TrentService.Forge", "application/x-amz-json-1.1", "{}", `"__type":"UnknownOperationException"`},
		{"kms", "OtherService.Encrypt", "application/x-amz-json-1.1", "{}", `"__type":"UnknownOperationException"`},
		{"cloudformation", "", form, "Action=CreateStack&Version=2010-05-15", "<Code>InvalidAction</Code>"},
		{"sts", "", form, "Action=GetMoney&Version=2011-06-15", "<Message>Could not find operation GetMoney for version 2011-06-15</Message>"},
	} {
		r, _ := http.NewRequest("POST", s.URL+"/", strings.NewReader(c.body))
		r.Header.Set("Content-Type", c.contentType)
		if c.target != "" {
			r.Header.Set("X-Amz-Target", c.target)
		}
		sign(r, c.service, c.body)
		if status, text := do(t, r); status != 400 || !strings.Contains(text, c.want) {
			t.Errorf("%s %s%s: got %d %s", c.service, c.target, c.body, status, text)
		}
	}
	if got := s.Unsupported(); len(got) != 5 || got[0].Times != 1 {
		t.Errorf("got %v", got)
	}
}

func sign(r *http.Request, service, body string) {
	sigv4.Sign(r, sigv4.Hash([]byte(body)), sigv4.Credentials{AccessKeyID: wiretest.AccessKeyID, SecretAccessKey: wiretest.SecretKey}, wiretest.Region, service, time.Now())
}

func TestS3Bodies(t *testing.T) {
	s := wiretest.New(t, all()...)
	for _, c := range []struct {
		name, path, body string
		change           func(*http.Request)
		status           int
		want             string
	}{
		{name: "object", path: "/b/k", body: "content", status: 200},
		{name: "forged content", path: "/b/k", body: "content", change: func(r *http.Request) { r.Body = io.NopCloser(strings.NewReader("CONTENT")) }, status: 400, want: "XAmzContentSHA256Mismatch"},
		{name: "forged XML", path: "/b?versioning", body: "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>",
			change: func(r *http.Request) {
				r.Body = io.NopCloser(strings.NewReader("<VersioningConfiguration><Status>EnableD</Status></VersioningConfiguration>"))
			}, status: 400, want: "XAmzContentSHA256Mismatch"},
		{name: "XML", path: "/b?versioning", body: `<VersioningConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Status>Enabled</Status></VersioningConfiguration>`, status: 200},
		{name: "wrong root", path: "/b?versioning", body: "<Tagging/>", status: 400, want: "MalformedXML"},
		{name: "unknown element", path: "/b?versioning", body: "<VersioningConfiguration><State>On</State></VersioningConfiguration>", status: 400, want: "MalformedXML"},
		{name: "wrong value", path: "/b?versioning", body: "<VersioningConfiguration><Status>On</Status></VersioningConfiguration>", status: 400, want: "MalformedXML"},
		{name: "no XML", path: "/b?versioning", body: "<<", status: 400, want: "MalformedXML"},
		{name: "empty", path: "/b?versioning", body: "", status: 400, want: "MalformedXML"},
		{name: "no such subresource", path: "/b?torrent", body: "", status: 501, want: "NotImplemented"},
	} {
		r, _ := http.NewRequest("PUT", s.URL+c.path, strings.NewReader(c.body))
		sign(r, "s3", c.body)
		if c.change != nil {
			c.change(r)
		}
		if status, text := do(t, r); status != c.status || !strings.Contains(text, c.want) {
			t.Errorf("%s: got %d %s", c.name, status, text)
		}
	}
}

func TestValidation(t *testing.T) {
	s := wiretest.New(t, all()...)
	for _, c := range []struct{ service, target, body, code, message string }{
		{"ec2", "", "Action=CreateTags&Version=2016-11-15&ResourceId.1=vpc-1", "MissingParameter", "The request must contain the parameter Tag"},
		{"ec2", "", "Action=DescribeVpcs&Version=2016-11-15&VpcIds.1=vpc-1", "UnknownParameter", "The parameter VpcIds is not recognized"},
		{"ec2", "", "Action=DescribeVpcs&Version=2016-11-15&MaxResults=many", "InvalidParameterValue", "Invalid value for parameter MaxResults: &#34;many&#34; is not an integer"},
		{"autoscaling", "", "Action=DeletePolicy&Version=2011-01-01", "ValidationError", "1 validation error detected: Value null at &#39;policyName&#39; failed to satisfy constraint: Member must not be null"},
		{"kms", "TrentService.Encrypt", "{}", "ValidationException", "2 validation errors detected: Value null at 'keyId' failed to satisfy constraint: Member must not be null; Value null at 'plaintext' failed"},
		{"kms", "TrentService.Encrypt", `{"KeyId":"k","Plaintext":"eA==","EncryptionAlgorithm":"ROT13"}`, "ValidationException", "Value 'ROT13' at 'encryptionAlgorithm' failed to satisfy constraint: Member must satisfy enum value set: ["},
		{"kms", "TrentService.Encrypt", `{"KeyId":1}`, "SerializationException", "KeyId: a number cannot be a string"},
		{"kms", "TrentService.Encrypt", `{`, "SerializationException", "unexpected EOF"},
	} {
		r, _ := http.NewRequest("POST", s.URL+"/", strings.NewReader(c.body))
		r.Header.Set("Content-Type", form)
		if c.target != "" {
			r.Header.Set("X-Amz-Target", c.target)
			r.Header.Set("Content-Type", "application/x-amz-json-1.1")
		}
		sign(r, c.service, c.body)
		if status, text := do(t, r); status != 400 || !strings.Contains(text, c.code) || !strings.Contains(text, c.message) {
			t.Errorf("%s: got %d %s", c.body, status, text)
		}
	}
}

func TestBodyLimit(t *testing.T) {
	s := wiretest.Start(t, wire.Options{Services: all(), MaxBody: 100})
	_, err := kms.NewFromConfig(s.Config()).Encrypt(t.Context(), &kms.EncryptInput{KeyId: aws.String("k"), Plaintext: make([]byte, 200)})
	wantCode(t, err, "RequestEntityTooLargeException", "")
}

func TestAuthorize(t *testing.T) {
	var asked []string
	s := wiretest.Start(t, wire.Options{Services: all(), Authorize: func(_ context.Context, id wire.Identity, service, operation string, input any) error {
		asked = append(asked, id.ARN+" "+service+":"+operation+" "+*input.(*asapi.DeletePolicyInput).PolicyName)
		return wire.Errorf(403, "AccessDenied", "no")
	}})
	_, err := autoscaling.NewFromConfig(s.Config()).DeletePolicy(t.Context(), &autoscaling.DeletePolicyInput{PolicyName: aws.String("p")})
	wantCode(t, err, "AccessDenied", "no")
	if want := wiretest.Caller().ARN + " autoscaling:DeletePolicy p"; len(asked) != 1 || asked[0] != want {
		t.Errorf("got %v, want %s", asked, want)
	}
}

// A throttled call fails with the code of its service's family, and before its operation runs.
func TestThrottled(t *testing.T) {
	var answer error
	s := wiretest.Start(t, wire.Options{Services: all(), Disturb: func(context.Context, string) error { return answer }})
	for family, code := range map[string]string{"query": "Throttling", "ec2": "RequestLimitExceeded", "json": "ThrottlingException", "s3": "SlowDown"} {
		answer = wire.ErrThrottled
		wantCode(t, families()[family](t.Context(), s.Config()), code, "")
		if answer = nil; families()[family](t.Context(), s.Config()) != nil {
			t.Errorf("%s: undisturbed, the call fails", family)
		}
	}
	answer = context.DeadlineExceeded // of a fault that waits longer than the client
	wantCode(t, families()["query"](t.Context(), s.Config()), "InternalFailure", "")
}
