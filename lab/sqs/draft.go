package sqs

import (
	"context"
	"regexp"
	"strconv"
	"strings"

	api "storefront/lab/api/sqs"
	"storefront/lab/wire"
)

var (
	validAttribute = regexp.MustCompile(`^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$`)
	validType      = regexp.MustCompile(`^(String|Number|Binary)(\..+)?$`)
	validToken     = regexp.MustCompile("^[A-Za-z0-9!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~]{1,128}$") // group and deduplication IDs
)

// maxAttributes is how many attributes a message can have.
const maxAttributes = 10

func errAttributes(n int) error {
	return fail("InvalidParameterValue", "Number of message attributes [%d] exceeds the allowed maximum [%d].", n, maxAttributes)
}

// newDraft checks what a request sends.
func newDraft(ctx context.Context, in *api.SendMessageBatchRequestEntry) (*draft, error) {
	d := &draft{content: content{Body: *in.MessageBody}, sender: wire.Caller(ctx).UserID, delay: in.DelaySeconds, group: in.MessageGroupId, dedup: in.MessageDeduplicationId}
	if d.Body == "" {
		return nil, missing("MessageBody")
	}
	if err := checkCharacters(d.Body); err != nil {
		return nil, err
	}
	var err error
	if d.Attributes, err = readAttributes(in.MessageAttributes); err != nil {
		return nil, err
	}
	for name, v := range in.MessageSystemAttributes {
		if name != api.MessageSystemAttributeNameForSendsAWSTraceHeader || wire.Value(v.DataType) != "String" || wire.Value(v.StringValue) == "" {
			return nil, invalid(name, "MessageSystemAttributes", "The message system attribute must be AWSTraceHeader, with a String that is not empty.")
		}
		d.System = map[string]Attribute{name: {Type: "String", Text: *v.StringValue}}
	}
	return d, nil
}

// checkCharacters refuses what XML 1.0 cannot carry.
func checkCharacters(text string) error {
	for _, r := range text {
		if r < 0x20 && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFE || r == 0xFFFF {
			return fail("InvalidMessageContents", "Invalid binary character '#x%X' was found in the message body, the set of allowed characters is "+
				"#x9 | #xA | #xD | [#x20 to #xD7FF] | [#xE000 to #xFFFD] | [#x10000 to #x10FFFF]", r)
		}
	}
	return nil
}

// readAttributes checks message attributes.
func readAttributes(in map[string]api.MessageAttributeValue) (map[string]Attribute, error) {
	if len(in) == 0 {
		return nil, nil
	}
	if len(in) > maxAttributes {
		return nil, errAttributes(len(in))
	}
	out := map[string]Attribute{}
	for name, v := range in {
		a := Attribute{Type: *v.DataType, Text: wire.Value(v.StringValue), Bytes: v.BinaryValue}
		lower := strings.ToLower(name)
		switch {
		case len(name) > 256 || !validAttribute.MatchString(name) || strings.HasPrefix(lower, "aws.") || strings.HasPrefix(lower, "amazon."):
			return nil, fail("InvalidParameterValue", "Message (user) attribute name '%s' is invalid: it can contain the characters A-Z, a-z, 0-9, underscore, hyphen and period, "+
				"must not start with AWS. or Amazon., and must not have periods in succession or at its ends.", name)
		case !validType.MatchString(a.Type) || len(a.Type) > 256:
			return nil, fail("InvalidParameterValue", "The message attribute '%s' has an invalid message attribute type, the set of supported type prefixes is Binary, Number, and String.", name)
		case a.binary() && len(a.Bytes) == 0 || !a.binary() && a.Text == "":
			return nil, fail("InvalidParameterValue", "The message attribute '%s' must contain a non-empty message attribute value for message attribute type '%s'.", name, a.Type)
		case a.binary() && a.Text != "" || !a.binary() && len(a.Bytes) > 0 || len(v.StringListValues)+len(v.BinaryListValues) > 0:
			return nil, fail("InvalidParameterValue", "Message attribute '%s' has another value than its type '%s'; list values are not supported.", name, a.Type)
		}
		if strings.HasPrefix(a.Type, "Number") {
			if _, err := strconv.ParseFloat(a.Text, 64); err != nil {
				return nil, fail("InvalidParameterValue", "Can't cast the value of message (user) attribute '%s' to a number.", name)
			}
		}
		if err := checkCharacters(a.Text); err != nil {
			return nil, err
		}
		out[name] = a
	}
	return out, nil
}

func (a Attribute) binary() bool { return strings.HasPrefix(a.Type, "Binary") }

// entrySize is what an entry counts towards the limit of a batch.
func entrySize(e *api.SendMessageBatchRequestEntry) int {
	n := len(wire.Value(e.MessageBody))
	for name, v := range e.MessageAttributes {
		n += len(name) + len(wire.Value(v.DataType)) + len(wire.Value(v.StringValue)) + len(v.BinaryValue)
	}
	return n
}

// size is what counts towards the limit of a message, in bytes: body and attributes, but not the system attributes.
func (d *draft) size() int64 {
	n := len(d.Body)
	for name, a := range d.Attributes {
		n += len(name) + len(a.Type) + len(a.Text) + len(a.Bytes)
	}
	return int64(n)
}

// check checks what depends on the queue.
func (d *draft) check(q *queue) error {
	if limit := q.number("MaximumMessageSize"); d.size() > limit {
		return fail("InvalidParameterValue", "One or more parameters are invalid. Reason: Message must be shorter than %d bytes.", limit)
	}
	if d.delay != nil && (*d.delay < 0 || *d.delay > numeric["DelaySeconds"].high) {
		return invalid(*d.delay, "DelaySeconds", "DelaySeconds must be >= 0 and <= 900.")
	}
	if d.group != nil && !validToken.MatchString(*d.group) {
		return invalid(*d.group, "MessageGroupId", "MessageGroupId can only include alphanumeric and punctuation characters. 1 to 128 in length.")
	}
	if !q.fifo() {
		if d.dedup != nil {
			return invalid(*d.dedup, "MessageDeduplicationId", "The request include parameter that is not valid for this queue type")
		}
		return nil
	}
	switch {
	case d.group == nil:
		return missing("MessageGroupId")
	case d.dedup != nil && !validToken.MatchString(*d.dedup):
		return invalid(*d.dedup, "MessageDeduplicationId", "MessageDeduplicationId can only include alphanumeric and punctuation characters. 1 to 128 in length.")
	case d.dedup == nil && !q.flag("ContentBasedDeduplication"):
		return fail("InvalidParameterValue", "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly")
	case d.delay != nil && *d.delay != 0:
		return invalid(*d.delay, "DelaySeconds", "The request include parameter that is not valid for this queue type.")
	}
	return nil
}
