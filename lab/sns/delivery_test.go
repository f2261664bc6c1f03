package sns_test

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"

	kmsapi "storefront/lab/api/kms"
	sqsapi "storefront/lab/api/sqs"
	lab "storefront/lab/sns"
	"storefront/lab/state"
	"storefront/lab/wire"
	"storefront/lab/wire/wiretest"
)

// certificate gets the certificate that a message names.
func (h *harness) certificate(address string) *x509.Certificate {
	h.t.Helper()
	u := wiretest.Must(url.Parse(address))
	w := httptest.NewRecorder()
	h.service.ServeHTTP(w, httptest.NewRequest(http.MethodGet, u.Path, nil))
	block, _ := pem.Decode(wiretest.Must(io.ReadAll(w.Result().Body)))
	if block == nil || u.Host != "sns.us-east-1.amazonaws.com" {
		h.t.Fatalf("no certificate at %s: %d", address, w.Code)
	}
	return wiretest.Must(x509.ParseCertificate(block.Bytes))
}

func TestEnvelope(t *testing.T) {
	h := start(t)
	topic := h.topic("t")
	h.queue("q", *topic)
	subscription := h.subscribe(topic, "q")
	for version, algorithm := range map[string]x509.SignatureAlgorithm{"1": x509.SHA1WithRSA, "2": x509.SHA256WithRSA} {
		if err := h.set(topic, "SignatureVersion", version); err != nil {
			t.Fatal(err)
		}
		out := wiretest.Must(h.Publish(t.Context(), &sns.PublishInput{TopicArn: topic, Subject: new("Hi <you>"), Message: new("a \"b\" & <c>\n"), MessageAttributes: map[string]types.MessageAttributeValue{
			"s": text("v"), "b": {DataType: new("Binary"), BinaryValue: []byte("abc")}}}))
		body := *h.received("q")[0].Body
		var got map[string]any
		if err := json.Unmarshal([]byte(body), &got); err != nil {
			t.Fatal(err)
		}
		signature := wiretest.Must(base64.StdEncoding.DecodeString(got["Signature"].(string)))
		signed := "Message\na \"b\" & <c>\n\nMessageId\n" + *out.MessageId + "\nSubject\nHi <you>\nTimestamp\n2026-07-01T12:00:00.005Z\nTopicArn\n" + *topic + "\nType\nNotification\n"
		if err := checkSignature(h.certificate(got["SigningCertURL"].(string)), algorithm, signed, signature); err != nil {
			t.Errorf("version %s: %v", version, err)
		}
		if err := checkSignature(h.certificate(got["SigningCertURL"].(string)), algorithm, signed+"x", signature); err == nil {
			t.Error("the signature is good for another message")
		}
		want := "{\n  \"Type\" : \"Notification\",\n  \"MessageId\" : \"" + *out.MessageId + "\",\n  \"TopicArn\" : \"" + *topic + "\",\n  \"Subject\" : \"Hi <you>\",\n  \"Message\" : \"a \\\"b\\\" & <c>\\n\",\n" +
			"  \"Timestamp\" : \"2026-07-01T12:00:00.005Z\",\n  \"SignatureVersion\" : \"" + version + "\",\n  \"Signature\" : \"" + got["Signature"].(string) + "\",\n  \"SigningCertURL\" : \"" +
			got["SigningCertURL"].(string) + "\",\n  \"UnsubscribeURL\" : \"https://sns.us-east-1.amazonaws.com/?Action=Unsubscribe&SubscriptionArn=" + url.QueryEscape(*subscription) + "\",\n" +
			"  \"MessageAttributes\" : {\n    \"b\" : {\"Type\":\"Binary\",\"Value\":\"YWJj\"},\n    \"s\" : {\"Type\":\"String\",\"Value\":\"v\"}\n  }\n}"
		if body != want {
			t.Errorf("got\n%s\nwant\n%s", body, want)
		}
	}
}

// checkSignature is x509's check, which no longer takes the SHA-1 that SNS's first version signs.
func checkSignature(c *x509.Certificate, algorithm x509.SignatureAlgorithm, text string, signature []byte) error {
	if algorithm == x509.SHA256WithRSA {
		return c.CheckSignature(algorithm, []byte(text), signature)
	}
	sum := sha1.Sum([]byte(text))
	return rsa.VerifyPKCS1v15(c.PublicKey.(*rsa.PublicKey), crypto.SHA1, sum[:], signature)
}

func TestRawDelivery(t *testing.T) {
	h := start(t)
	topic := h.topic("t")
	h.queue("q", *topic)
	h.subscribe(topic, "q", "RawMessageDelivery", "true")
	wiretest.Must(h.Publish(t.Context(), &sns.PublishInput{TopicArn: topic, MessageStructure: new("json"), Message: new(`{"default":"d","sqs":"for queues"}`),
		MessageAttributes: map[string]types.MessageAttributeValue{"n": {DataType: new("Number"), StringValue: new("7")}, "l": {DataType: new("String.Array"), StringValue: new(`["a"]`)}}}))
	h.open()
	m := h.expect("q", "for queues")[0]
	if a := m.MessageAttributes; *a["n"].DataType != "Number" || *a["n"].StringValue != "7" || *a["l"].DataType != "String.Array" || m.Attributes["SenderId"] != "sns.amazonaws.com" {
		t.Errorf("got %+v", m)
	}
}

// TestQueuesThatRefuse: queues decide by their policies who sends, and the subscription's dead-letter queue takes what they refuse.
func TestQueuesThatRefuse(t *testing.T) {
	h := start(t)
	topic := h.topic("t")
	redrive := `{"deadLetterTargetArn":"` + queueARN + `dead"}`
	h.queue("dead", *topic)
	h.queue("q", *topic)
	h.queue("others", topicARN+"other") // lets another topic send
	for _, queue := range []string{"q", "others", "gone"} {
		h.subscribe(topic, queue, "RawMessageDelivery", "true", "RedrivePolicy", redrive)
	}
	h.publish(topic, "a")
	h.expect("q", "a")
	h.expect("others")
	h.expect("dead", "a", "a")
	wiretest.Must(h.queues.SetQueueAttributes(t.Context(), &sqsapi.SetQueueAttributesInput{QueueUrl: new("http://lab/000000000000/dead"), Attributes: map[string]string{"Policy": ""}}))
	h.publish(topic, "b") // goes where it may, and is lost elsewhere
	h.expect("q", "b")
	h.expect("dead")
}

func TestFIFO(t *testing.T) {
	h := start(t)
	topic := h.topic("t.fifo", "FifoTopic", "true", "ContentBasedDeduplication", "true")
	h.queue("q.fifo", *topic, "FifoQueue", "true")
	h.subscribe(topic, "q.fifo", "RawMessageDelivery", "true")
	publish := func(body string) *sns.PublishOutput {
		return wiretest.Must(h.Publish(t.Context(), &sns.PublishInput{TopicArn: topic, Message: &body, MessageGroupId: new("g")}))
	}
	first, again, second := publish("a"), publish("a"), publish("b")
	if *first.MessageId != *again.MessageId || *first.SequenceNumber != *again.SequenceNumber || *second.SequenceNumber <= *first.SequenceNumber {
		t.Errorf("got %+v, %+v and %+v", first, again, second)
	}
	if m := h.expect("q.fifo", "a", "b")[0]; m.Attributes["MessageGroupId"] != "g" {
		t.Errorf("got %+v", m.Attributes)
	}
	h.now = h.now.Add(5 * time.Minute)
	if err := h.service.Expire(); err != nil {
		t.Fatal(err)
	}
	if third := publish("a"); *third.MessageId == *first.MessageId {
		t.Error("a message is a duplicate after five minutes")
	}
	_, err := h.Publish(t.Context(), &sns.PublishInput{TopicArn: topic, Message: new("a")})
	wiretest.Refused(t, err, "InvalidParameter", "MessageGroupId")
	_, err = h.Subscribe(t.Context(), &sns.SubscribeInput{TopicArn: h.topic("standard"), Protocol: new("sqs"), Endpoint: new(queueARN + "q.fifo")})
	wiretest.Refused(t, err, "InvalidParameter", "FIFO SQS Queues can not be subscribed to standard SNS topics")
}

func TestPublishIsChecked(t *testing.T) {
	h := start(t)
	topic := h.topic("t")
	for part, in := range map[string]*sns.PublishInput{
		"Empty message":                  {Message: new("")},
		"Message too long":               {Message: new(strings.Repeat("x", 256<<10+1))},
		"Subject":                        {Message: new("a"), Subject: new("two\nlines")},
		"No default entry":               {Message: new(`{"sqs":"a"}`), MessageStructure: new("json")},
		"failed to parse":                {Message: new(`a`), MessageStructure: new("json")},
		"Message Structure":              {Message: new(`a`), MessageStructure: new("yaml")},
		"MessageDeduplicationId":         {Message: new("a"), MessageDeduplicationId: new("d")},
		"TopicArn or TargetArn":          {Message: new("a"), TargetArn: topic},
		"the lab sends no text messages": {Message: new("a"), PhoneNumber: new("+15550100")},
	} {
		if in.PhoneNumber == nil {
			in.TopicArn = topic
		}
		_, err := h.Publish(t.Context(), in)
		wiretest.Refused(t, err, "InvalidParameter", part)
	}
	for part, a := range map[string]types.MessageAttributeValue{"invalid message attribute type": {DataType: new("Text"), StringValue: new("a")}, "to number": {DataType: new("Number"), StringValue: new("a")},
		"String.Array": {DataType: new("String.Array"), StringValue: new(`[{}]`)}, "non-empty": {DataType: new("Binary"), StringValue: new(`a`)}} {
		_, err := h.Publish(t.Context(), &sns.PublishInput{TopicArn: topic, Message: new("a"), MessageAttributes: map[string]types.MessageAttributeValue{"x": a}})
		wiretest.Refused(t, err, "ParameterValueInvalid", part)
	}
	_, err := h.Publish(t.Context(), &sns.PublishInput{TopicArn: new(topicARN + "none"), Message: new("a")})
	wiretest.Refused(t, err, "NotFound", "Topic does not exist")
}

func TestPublishBatch(t *testing.T) {
	h := start(t)
	topic := h.topic("t")
	h.queue("q", *topic)
	h.subscribe(topic, "q", "RawMessageDelivery", "true")
	entry := func(id, message string) types.PublishBatchRequestEntry {
		return types.PublishBatchRequestEntry{Id: &id, Message: &message}
	}
	publish := func(topic *string, entries ...types.PublishBatchRequestEntry) (*sns.PublishBatchOutput, error) {
		return h.PublishBatch(t.Context(), &sns.PublishBatchInput{TopicArn: topic, PublishBatchRequestEntries: entries})
	}
	out := wiretest.Must(publish(topic, entry("1", "a"), entry("2", ""), entry("3", "c")))
	if len(out.Successful) != 2 || len(out.Failed) != 1 || *out.Failed[0].Id != "2" || *out.Failed[0].Code != "InvalidParameter" {
		t.Errorf("got %+v", out)
	}
	h.expect("q", "a", "c")
	_, err := publish(topic, []types.PublishBatchRequestEntry{}...)
	wiretest.Refused(t, err, "EmptyBatchRequest", "")
	_, err = publish(topic, entry("1", "a"), entry("1", "a"))
	wiretest.Refused(t, err, "BatchEntryIdsNotDistinct", "")
	_, err = publish(topic, entry("a b", "a"))
	wiretest.Refused(t, err, "InvalidBatchEntryId", "")
	_, err = publish(new(topicARN+"none"), entry("1", "a"))
	wiretest.Refused(t, err, "NotFound", "")
}

func TestTopicKey(t *testing.T) {
	h := start(t)
	key := wiretest.Must(h.keys.CreateKey(t.Context(), &kmsapi.CreateKeyInput{})).KeyMetadata
	topic := h.topic("t", "KmsMasterKeyId", *key.KeyId)
	h.publish(topic, "a")
	wiretest.Must(h.keys.DisableKey(t.Context(), &kmsapi.DisableKeyInput{KeyId: key.KeyId}))
	_, err := h.Publish(t.Context(), &sns.PublishInput{TopicArn: topic, Message: new("a")})
	if wiretest.Refused(t, err, "KMSDisabled", "is disabled"); !errors.As(err, new(*types.KMSDisabledException)) {
		t.Errorf("got %T", err)
	}
}

// TestPublishAs: what a service publishes is as durable as the transaction of its caller, and arrives when the lab runs again.
func TestPublishAs(t *testing.T) {
	h := start(t)
	topic, closed := h.topic("alarms"), h.topic("closed")
	h.queue("q", *topic)
	h.subscribe(topic, "q", "RawMessageDelivery", "true")
	if err := h.set(closed, "Policy", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"events.amazonaws.com"},"Action":"sns:Publish","Resource":"`+*closed+`"}]}`); err != nil {
		t.Fatal(err)
	}
	publish := func(topic, message string, after error) error {
		return h.store.Update(func(tx *state.Tx) error {
			return errors.Join(h.service.PublishAs(tx, "cloudwatch.amazonaws.com", lab.Notification{Topic: topic, Subject: "ALARM", Message: message, Source: "arn:aws:cloudwatch:us-east-1:000000000000:alarm:a"}), after)
		})
	}
	undone := errors.New("undone")
	if err := publish(*topic, "a", nil); err != nil {
		t.Fatal(err)
	}
	if err := publish(*topic, "b", undone); !errors.Is(err, undone) {
		t.Fatal(err)
	}
	if err := publish(*topic, "c", nil); err != nil {
		t.Fatal(err)
	}
	if err := publish(*closed, "d", nil); !errors.Is(err, &wire.Error{Code: "AuthorizationError"}) {
		t.Errorf("got %v", err)
	}
	if err := publish(topicARN+"none", "d", nil); !errors.Is(err, &wire.Error{Code: "NotFound"}) {
		t.Errorf("got %v", err)
	}
	h.expect("q")
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- h.service.Run(ctx) }()
	for wake, late := h.store.Watch(ctx, "sqs.message"), time.After(10*time.Second); ; {
		if d, _ := h.queues.Depth("q"); d.Visible == 2 {
			break
		}
		select {
		case <-wake:
		case <-late:
			t.Fatal("not delivered after ten seconds")
		}
	}
	cancel()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	h.expect("q", "a", "c")
}
