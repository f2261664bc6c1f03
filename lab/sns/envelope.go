package sns

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/url"
	"slices"
	"strings"
)

// envelope is the JSON document that a queue gets of a message when raw delivery is off, as "Fanout Amazon SNS notifications to Amazon SQS queues" shows it. Messages
// of FIFO topics have a sequence number and no signature.
func (p *publication) envelope(t *topic, sub *subscription, m *message) (string, error) {
	members := [][2]string{{"Type", "Notification"}, {"MessageId", m.id}}
	if m.sequence != "" {
		members = append(members, [2]string{"SequenceNumber", m.sequence})
	}
	members = append(members, [2]string{"TopicArn", m.topic})
	if m.subject != nil {
		members = append(members, [2]string{"Subject", *m.subject})
	}
	timestamp := m.sent.UTC().Format("2006-01-02T15:04:05.000Z")
	members = append(members, [2]string{"Message", m.text}, [2]string{"Timestamp", timestamp})
	host := "https://sns." + p.Region.Name + ".amazonaws.com/"
	if !t.fifo() {
		version := t.Attributes["SignatureVersion"]
		if version == "" {
			version = "1"
		}
		signature, certificate, err := p.signer.sign(p.tx, version, stringToSign(m, timestamp))
		if err != nil {
			return "", err
		}
		members = append(members, [2]string{"SignatureVersion", version}, [2]string{"Signature", base64.StdEncoding.EncodeToString(signature)},
			[2]string{"SigningCertURL", host + certificate})
	}
	members = append(members, [2]string{"UnsubscribeURL", host + "?Action=Unsubscribe&SubscriptionArn=" + url.QueryEscape(sub.ARN)})
	var b strings.Builder
	b.WriteString("{")
	for i, member := range members {
		if i > 0 {
			b.WriteString(",")
		}
		b.WriteString("\n  " + quote(member[0]) + " : " + quote(member[1]))
	}
	if len(m.attributes) > 0 {
		b.WriteString(",\n  \"MessageAttributes\" : {")
		for i, name := range slices.Sorted(maps.Keys(m.attributes)) {
			if i > 0 {
				b.WriteString(",")
			}
			a := m.attributes[name]
			value := a.Text
			if a.Type == "Binary" {
				value = base64.StdEncoding.EncodeToString(a.Bytes)
			}
			b.WriteString("\n    " + quote(name) + " : {\"Type\":" + quote(a.Type) + ",\"Value\":" + quote(value) + "}")
		}
		b.WriteString("\n  }")
	}
	b.WriteString("\n}")
	return b.String(), nil
}

// quote writes a JSON string, as AWS does without the escapes that only HTML needs.
func quote(text string) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(text) // a string always has a JSON form
	return strings.TrimSuffix(b.String(), "\n")
}

// stringToSign is what the signature covers, from "Verifying the signatures of Amazon SNS messages".
func stringToSign(m *message, timestamp string) string {
	var b strings.Builder
	add := func(name, value string) { b.WriteString(name + "\n" + value + "\n") }
	add("Message", m.text)
	add("MessageId", m.id)
	if m.subject != nil {
		add("Subject", *m.subject)
	}
	add("Timestamp", timestamp)
	add("TopicArn", m.topic)
	add("Type", "Notification")
	return b.String()
}
