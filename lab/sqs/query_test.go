package sqs_test

import (
	"crypto/tls"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"storefront/lab/wire/sigv4"
	"storefront/lab/wire/wiretest"

	api "storefront/lab/api/sqs"
)

// form sends a request as clients before SQS's JSON protocol do, and returns the answer's status and text. Parameters come in pairs.
func (h *harness) form(method, address string, parameters ...string) (int, string) {
	h.t.Helper()
	form := url.Values{"Version": {"2012-11-05"}}
	for i := 0; i < len(parameters); i += 2 {
		form.Set(parameters[i], parameters[i+1])
	}
	body := form.Encode()
	if method == http.MethodGet {
		address, body = address+"?"+body, ""
	}
	r := wiretest.Must(http.NewRequest(method, address, strings.NewReader(body)))
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	}
	sigv4.Sign(r, sigv4.Hash([]byte(body)), sigv4.Credentials{AccessKeyID: wiretest.AccessKeyID, SecretAccessKey: wiretest.SecretKey}, wiretest.Region, "sqs", time.Now())
	answer := wiretest.Must(http.DefaultClient.Do(r))
	defer answer.Body.Close()
	return answer.StatusCode, string(wiretest.Must(io.ReadAll(answer.Body)))
}

// changing is what differs from run to run in answers.
var changing = regexp.MustCompile(`(<(?:RequestId|ReceiptHandle)>)[^<]+|(<Name>(?:SentTimestamp|ApproximateFirstReceiveTimestamp)</Name><Value>)\d+`)

func (h *harness) expectForm(want string, method, address string, parameters ...string) {
	h.t.Helper()
	status, got := h.form(method, address, parameters...)
	got = changing.ReplaceAllString(strings.TrimPrefix(got, `<?xml version="1.0" encoding="UTF-8"?>`+"\n"), "$1$2*")
	want = strings.NewReplacer("\n", "", "\t", "", "XMLNS", `xmlns="http://queue.amazonaws.com/doc/2012-11-05/"`, "URL", h.url+"/000000000000/",
		"METADATA", "<ResponseMetadata><RequestId>*</RequestId></ResponseMetadata>").Replace(want)
	if got != want || status != http.StatusOK && !strings.Contains(want, "ErrorResponse") {
		h.t.Errorf("%v answered %d\n%s\nwant\n%s", parameters, status, got, want)
	}
}

// TestQueryProtocol compares answers with the examples in the SQS API reference.
func TestQueryProtocol(t *testing.T) {
	h := start(t)
	q := h.url + "/000000000000/q"
	const post, get = http.MethodPost, http.MethodGet
	h.expectForm(`<CreateQueueResponse XMLNS><CreateQueueResult><QueueUrl>URLq</QueueUrl></CreateQueueResult>METADATA</CreateQueueResponse>`,
		post, h.url, "Action", "CreateQueue", "QueueName", "q", "Attribute.1.Name", "VisibilityTimeout", "Attribute.1.Value", "40", "Tag.1.Key", "team", "Tag.1.Value", "shop")
	h.expectForm(`<ListQueuesResponse XMLNS><ListQueuesResult><QueueUrl>URLq</QueueUrl></ListQueuesResult>METADATA</ListQueuesResponse>`, get, h.url+"/", "Action", "ListQueues")
	h.expectForm(`<GetQueueAttributesResponse XMLNS><GetQueueAttributesResult><Attribute><Name>QueueArn</Name><Value>arn:aws:sqs:us-east-1:000000000000:q</Value></Attribute>
		<Attribute><Name>VisibilityTimeout</Name><Value>40</Value></Attribute></GetQueueAttributesResult>METADATA</GetQueueAttributesResponse>`,
		post, q, "Action", "GetQueueAttributes", "AttributeName.1", "VisibilityTimeout", "AttributeName.2", "QueueArn")
	h.expectForm(`<ListQueueTagsResponse XMLNS><ListQueueTagsResult><Tag><Key>team</Key><Value>shop</Value></Tag></ListQueueTagsResult>METADATA</ListQueueTagsResponse>`,
		get, q, "Action", "ListQueueTags")
	h.expectForm(`<SetQueueAttributesResponse XMLNS>METADATA</SetQueueAttributesResponse>`, post, q, "Action", "SetQueueAttributes", "Attribute.Name", "DelaySeconds", "Attribute.1.Name", "DelaySeconds", "Attribute.1.Value", "0")
	h.expectForm(`<SendMessageResponse XMLNS><SendMessageResult><MD5OfMessageAttributes>5aa6dbdff19d04ea635d97ac23983046</MD5OfMessageAttributes>
		<MD5OfMessageBody>fafb00f5732ab283681e124bf8747ed1</MD5OfMessageBody><MessageId>00000000-0000-4000-8000-000000000001</MessageId></SendMessageResult>METADATA</SendMessageResponse>`,
		post, q, "Action", "SendMessage", "MessageBody", "This is a test message", "MessageAttribute.1.Name", "n", "MessageAttribute.1.Value.DataType", "Number", "MessageAttribute.1.Value.StringValue", "7",
		"MessageAttribute.2.Name", "b", "MessageAttribute.2.Value.DataType", "Binary", "MessageAttribute.2.Value.BinaryValue", "YWJj")
	h.expectForm(`<ReceiveMessageResponse XMLNS><ReceiveMessageResult><Message><Attribute><Name>ApproximateReceiveCount</Name><Value>1</Value></Attribute><Attribute><Name>SenderId</Name><Value>AIDATEST</Value></Attribute>
		<Body>This is a test message</Body><MD5OfBody>fafb00f5732ab283681e124bf8747ed1</MD5OfBody><MD5OfMessageAttributes>5aa6dbdff19d04ea635d97ac23983046</MD5OfMessageAttributes>
		<MessageAttribute><Name>b</Name><Value><BinaryValue>YWJj</BinaryValue><DataType>Binary</DataType></Value></MessageAttribute>
		<MessageAttribute><Name>n</Name><Value><DataType>Number</DataType><StringValue>7</StringValue></Value></MessageAttribute>
		<MessageId>00000000-0000-4000-8000-000000000001</MessageId><ReceiptHandle>*</ReceiptHandle></Message></ReceiveMessageResult>METADATA</ReceiveMessageResponse>`,
		post, q, "Action", "ReceiveMessage", "MessageAttributeName.1", "All", "AttributeName.1", "SenderId", "AttributeName.2", "ApproximateReceiveCount", "VisibilityTimeout", "0")
	h.expectForm(`<SendMessageBatchResponse XMLNS><SendMessageBatchResult>
		<BatchResultErrorEntry><Code>MissingParameter</Code><Id>b</Id><Message>The request must contain the parameter MessageBody.</Message><SenderFault>true</SenderFault></BatchResultErrorEntry>
		<SendMessageBatchResultEntry><Id>a</Id><MD5OfMessageBody>0cc175b9c0f1b6a831c399e269772661</MD5OfMessageBody><MessageId>00000000-0000-4000-8000-000000000002</MessageId></SendMessageBatchResultEntry>
		</SendMessageBatchResult>METADATA</SendMessageBatchResponse>`,
		post, q, "Action", "SendMessageBatch", "SendMessageBatchRequestEntry.1.Id", "a", "SendMessageBatchRequestEntry.1.MessageBody", "a",
		"SendMessageBatchRequestEntry.2.Id", "b", "SendMessageBatchRequestEntry.2.MessageBody", "")
	for _, m := range h.receive(&q, 10) {
		h.expectForm(`<DeleteMessageResponse XMLNS>METADATA</DeleteMessageResponse>`, post, q, "Action", "DeleteMessage", "ReceiptHandle", *m.ReceiptHandle)
	}
	h.expectDepth("q", 0, 0, 0)
	h.queue("source", "RedrivePolicy", redrive("q", 3))
	h.expectForm(`<ListDeadLetterSourceQueuesResponse XMLNS><ListDeadLetterSourceQueuesResult><QueueUrl>URLsource</QueueUrl></ListDeadLetterSourceQueuesResult>METADATA</ListDeadLetterSourceQueuesResponse>`,
		post, q, "Action", "ListDeadLetterSourceQueues")
	h.expectForm(`<TagQueueResponse XMLNS>METADATA</TagQueueResponse>`, post, q, "Action", "TagQueue", "Tag.1.Key", "a", "Tag.1.Value", "1")
	h.expectForm(`<UntagQueueResponse XMLNS>METADATA</UntagQueueResponse>`, post, q, "Action", "UntagQueue", "TagKey.1", "team", "TagKey.2", "a")
	h.expectForm(`<ListQueueTagsResponse XMLNS><ListQueueTagsResult></ListQueueTagsResult>METADATA</ListQueueTagsResponse>`, get, q, "Action", "ListQueueTags")
	h.expectForm(`<AddPermissionResponse XMLNS>METADATA</AddPermissionResponse>`, post, q, "Action", "AddPermission", "Label", "l", "AWSAccountId.1", "111122223333", "ActionName.1", "SendMessage")
	h.expectForm(`<ErrorResponse XMLNS><Error><Type>Sender</Type><Code>AWS.SimpleQueueService.NonExistentQueue</Code><Message>The specified queue does not exist.</Message></Error><RequestId>*</RequestId></ErrorResponse>`,
		post, h.url+"/000000000000/none", "Action", "PurgeQueue")
	h.expectForm(`<ErrorResponse XMLNS><Error><Type>Sender</Type><Code>InvalidAction</Code><Message>Could not find operation Fly for version 2012-11-05</Message></Error><RequestId>*</RequestId></ErrorResponse>`,
		post, q, "Action", "Fly")
}

// TestQueueURLNamesTheHostThatWasAsked asks by another name, over TLS, as callers inside the region's network do.
func TestQueueURLNamesTheHostThatWasAsked(t *testing.T) {
	h := start(t)
	server := httptest.NewTLSServer(wiretest.New(t, api.New(h.service)).Server)
	defer server.Close()
	r := wiretest.Must(http.NewRequest(http.MethodPost, server.URL, strings.NewReader(`{"QueueName":"q"}`)))
	r.Host = "sqs.us-east-1.amazonaws.com"
	r.Header.Set("X-Amz-Target", "AmazonSQS.CreateQueue")
	r.Header.Set("Content-Type", "application/x-amz-json-1.0")
	sigv4.Sign(r, sigv4.Hash([]byte(`{"QueueName":"q"}`)), sigv4.Credentials{AccessKeyID: wiretest.AccessKeyID, SecretAccessKey: wiretest.SecretKey}, wiretest.Region, "sqs", time.Now())
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: server.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs, ServerName: "example.com"}}}
	answer := wiretest.Must(client.Do(r))
	defer answer.Body.Close()
	if text := wiretest.Must(io.ReadAll(answer.Body)); string(text) != `{"QueueUrl":"https://sqs.us-east-1.amazonaws.com/000000000000/q"}` {
		t.Errorf("got %s", text)
	}
	h.send(new("https://sqs.us-east-1.amazonaws.com/000000000000/q"), "a")
	h.expect(new("https://queue.amazonaws.com/000000000000/q"), "a")
}
