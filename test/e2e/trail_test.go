package e2e

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"
)

// groupOpenedIsTraced opens a security group as a person who should not have, and finds out who it was and when, with the AWS command line alone: in the event
// history, in the trail's files, in its log group. The files are proven to be as CloudTrail wrote them.
func groupOpenedIsTraced(t *testing.T, d *deployment) {
	const name = "mallory"
	person := d.person(t, name, `{"Effect":"Allow","Action":"ec2:AuthorizeSecurityGroupIngress","Resource":"*"}`)
	group, before := d.out.FleetSecurityGroup, time.Now().Truncate(time.Second)
	rule := []string{"--group-id", group, "--protocol", "tcp", "--port", "22", "--cidr", "198.51.100.7/32"}
	d.mustCLI(t, person, append([]string{"ec2", "authorize-security-group-ingress"}, rule...)...)
	after := time.Now()
	defer d.mustCLI(t, d.aws, append([]string{"ec2", "revoke-security-group-ingress"}, rule...)...)

	inTime := func(where, text string) {
		at, err := time.Parse(time.RFC3339, text)
		if err != nil || at.Before(before) || at.After(after) {
			t.Errorf("%s says that it was at %q, %v; it was between %s and %s", where, text, err, before, after)
		}
	}
	var history []struct {
		Username, EventTime string
	}
	mustDecode(t, d.mustCLI(t, d.aws, "cloudtrail", "lookup-events", "--lookup-attributes", "AttributeKey=ResourceName,AttributeValue="+group,
		"--start-time", before.UTC().Format(time.RFC3339), "--query", "Events[?EventName=='AuthorizeSecurityGroupIngress']"), &history)
	if len(history) != 1 || history[0].Username != name {
		t.Fatalf("the event history says %v, want one event by %s", history, name)
	}
	inTime("the event history", history[0].EventTime)

	dir := filepath.Join(d.dir, "trail")
	var found *trailEvent
	eventually(t, "wait until the trail's file is there", time.Minute, func() error {
		d.mustCLI(t, d.aws, "s3", "cp", "--recursive", "--quiet", "s3://"+d.out.AuditBucket+"/AWSLogs/", dir)
		if found = eventIn(t, dir, group); found == nil {
			return errors.New("no file has the event")
		}
		return nil
	})
	if found.UserIdentity.UserName != name {
		t.Errorf("the trail's file says that it was %q", found.UserIdentity.UserName)
	}
	inTime("the trail's file", found.EventTime)

	pattern := fmt.Sprintf(`{ $.eventName = "AuthorizeSecurityGroupIngress" && $.requestParameters.groupId = %q && $.userIdentity.userName = %q }`, group, name)
	var logged []string
	eventually(t, "wait until the log group has the event", time.Minute, func() error {
		mustDecode(t, d.mustCLI(t, d.aws, "logs", "filter-log-events", "--log-group-name", d.out.AuditLogGroup, "--filter-pattern", pattern, "--query", "events[].message"), &logged)
		if len(logged) != 1 {
			return fmt.Errorf("the log group has %d such events", len(logged))
		}
		return nil
	})
	var event trailEvent
	mustDecode(t, logged[0], &event)
	inTime("the log group", event.EventTime)
	d.filesAreGenuine(t)
}

// filesAreGenuine ends the trail, so that it signs what it has written, lets the command line check all of it, and begins again.
func (d *deployment) filesAreGenuine(t *testing.T) {
	t.Helper()
	trail := []string{"--name", d.out.AuditTrailARN}
	d.mustCLI(t, d.aws, append([]string{"cloudtrail", "stop-logging"}, trail...)...)
	var out string
	eventually(t, "wait until the trail's files are signed", time.Minute, func() (err error) {
		out, err = d.cli(t, d.aws, "cloudtrail", "validate-logs", "--trail-arn", d.out.AuditTrailARN, "--start-time", time.Now().Add(-time.Hour).UTC().Format(time.RFC3339))
		return err // as long as there is no digest, no key has signed one
	})
	if !strings.Contains(out, "digest files valid") || !strings.Contains(out, "log files valid") || strings.Contains(out, "INVALID") {
		t.Errorf("validate-logs says\n%s", out)
	}
	d.mustCLI(t, d.aws, append([]string{"cloudtrail", "start-logging"}, trail...)...)
}

// trailEvent is what a test reads of an event.
type trailEvent struct {
	EventName, EventTime string
	UserIdentity         struct{ UserName string }
	RequestParameters    json.RawMessage // differ by event
}

// opens says whether the event is that somebody but the lab's own user opened a security group.
func (e *trailEvent) opens(group string) bool {
	var asked struct{ GroupID string }
	return e.EventName == "AuthorizeSecurityGroupIngress" && e.UserIdentity.UserName != "lab" && json.Unmarshal(e.RequestParameters, &asked) == nil && asked.GroupID == group
}

// eventIn finds the event of a security group that was opened in the trail's files below a directory, nil when it is not there.
func eventIn(t *testing.T, dir, group string) (found *trailEvent) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !strings.Contains(path, "/CloudTrail/") || !strings.HasSuffix(path, ".json.gz") {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		r, err := gzip.NewReader(bytes.NewReader(b))
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		var file struct{ Records []trailEvent }
		if err := json.NewDecoder(r).Decode(&file); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		for _, r := range file.Records {
			if r.opens(group) {
				found = &r
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// person makes a user with a policy of one statement, until the test ends, and returns the configuration of the user's clients.
func (d *deployment) person(t *testing.T, name, statement string) aws.Config {
	t.Helper()
	api := iam.NewFromConfig(d.aws)
	if _, err := api.CreateUser(t.Context(), &iam.CreateUserInput{UserName: &name}); err != nil {
		t.Fatal(err)
	}
	if _, err := api.PutUserPolicy(t.Context(), &iam.PutUserPolicyInput{UserName: &name, PolicyName: &name, PolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[` + statement + `]}`)}); err != nil {
		t.Fatal(err)
	}
	key, err := api.CreateAccessKey(t.Context(), &iam.CreateAccessKeyInput{UserName: &name})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx := context.WithoutCancel(t.Context())
		_, keyErr := api.DeleteAccessKey(ctx, &iam.DeleteAccessKeyInput{UserName: &name, AccessKeyId: key.AccessKey.AccessKeyId})
		_, policyErr := api.DeleteUserPolicy(ctx, &iam.DeleteUserPolicyInput{UserName: &name, PolicyName: &name})
		_, userErr := api.DeleteUser(ctx, &iam.DeleteUserInput{UserName: &name})
		if err := errors.Join(keyErr, policyErr, userErr); err != nil {
			t.Error(err)
		}
	})
	own := d.aws
	own.Credentials = credentials.NewStaticCredentialsProvider(*key.AccessKey.AccessKeyId, *key.AccessKey.SecretAccessKey, "")
	return own
}

// cli runs the AWS command line with the credentials of a configuration.
func (d *deployment) cli(t *testing.T, who aws.Config, args ...string) (string, error) {
	t.Helper()
	key, err := who.Credentials.Retrieve(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(d.dir, "aws-config")
	if err := os.WriteFile(config, []byte("[default]\ncli_timestamp_format = iso8601\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c := exec.CommandContext(t.Context(), "aws", append([]string{"--endpoint-url", *who.BaseEndpoint, "--output", "json"}, args...)...)
	c.Env = append(os.Environ(), "AWS_REGION="+who.Region, "AWS_DEFAULT_REGION="+who.Region, "AWS_ACCESS_KEY_ID="+key.AccessKeyID, "AWS_SECRET_ACCESS_KEY="+key.SecretAccessKey,
		"AWS_SESSION_TOKEN="+key.SessionToken, "AWS_ENDPOINT_URL="+*who.BaseEndpoint, "AWS_CONFIG_FILE="+config, "AWS_SHARED_CREDENTIALS_FILE=/dev/null", "AWS_PAGER=")
	out, err := c.CombinedOutput()
	if err != nil {
		return string(out), fmt.Errorf("aws %s: %w\n%s", strings.Join(args, " "), err, out)
	}
	return string(out), nil
}

// mustCLI is cli for a command that has to succeed.
func (d *deployment) mustCLI(t *testing.T, who aws.Config, args ...string) string {
	t.Helper()
	out, err := d.cli(t, who, args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func mustDecode(t *testing.T, text string, v any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), v); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
}
