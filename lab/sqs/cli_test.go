package sqs_test

import (
	"testing"

	"storefront/lab/wire/wiretest"
)

// TestCommandLine: AWS's command line, which spoke the query protocol before version 2.13 and checks the MD5 digests of what it sends and receives.
func TestCommandLine(t *testing.T) {
	h := start(t)
	run := func(arguments ...string) map[string]any {
		t.Helper()
		return wiretest.CommandLineJSON(t, h.url, append([]string{"sqs"}, arguments...)...)
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
