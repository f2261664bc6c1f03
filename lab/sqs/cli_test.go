package sqs_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"testing"

	"storefront/lab/wire/wiretest"
)

// TestCommandLine: AWS's command line, which spoke the query protocol before version 2.13 and checks the MD5 digests of what it sends and receives.
func TestCommandLine(t *testing.T) {
	program, err := exec.LookPath("/usr/bin/aws")
	if err != nil {
		t.Skip("AWS's command line is not installed")
	}
	h := start(t)
	run := func(arguments ...string) (out map[string]any) {
		t.Helper()
		c := exec.CommandContext(t.Context(), program, append([]string{"--endpoint-url", h.url, "--output", "json", "sqs"}, arguments...)...)
		c.Env = append(os.Environ(), "AWS_ACCESS_KEY_ID="+wiretest.AccessKeyID, "AWS_SECRET_ACCESS_KEY="+wiretest.SecretKey, "AWS_REGION="+wiretest.Region, "AWS_CONFIG_FILE=/dev/null",
			"AWS_SHARED_CREDENTIALS_FILE=/dev/null", "AWS_PAGER=")
		text, err := c.CombinedOutput()
		if err == nil && len(text) > 0 {
			err = json.Unmarshal(text, &out)
		}
		if err != nil {
			t.Fatalf("%v: %v\n%s", arguments, err, text)
		}
		return out
	}
	url := run("create-queue", "--queue-name", "q", "--attributes", "VisibilityTimeout=45")["QueueUrl"].(string)
	if url != h.url+"/000000000000/q" {
		t.Errorf("got %s", url)
	}
	run("send-message", "--queue-url", url, "--message-body", "hello", "--message-attributes", `{"n":{"DataType":"Number","StringValue":"7"}}`)
	messages, _ := run("receive-message", "--queue-url", url, "--message-attribute-names", "All", "--attribute-names", "All")["Messages"].([]any)
	if len(messages) != 1 || messages[0].(map[string]any)["Body"] != "hello" || messages[0].(map[string]any)["MessageAttributes"] == nil {
		t.Fatalf("got %v", messages)
	}
	run("delete-message", "--queue-url", url, "--receipt-handle", messages[0].(map[string]any)["ReceiptHandle"].(string))
	h.expectDepth("q", 0, 0, 0)
}
