package sns

import (
	"encoding/json"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	api "storefront/lab/api/sns"
	"storefront/lab/sqs"
	"storefront/lab/wire"
)

// maxMessage is how long a message with its attributes may be, in bytes.
const maxMessage = 256 << 10

var (
	validAttribute = regexp.MustCompile(`^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$`)
	validType      = regexp.MustCompile(`^(String|String\.Array|Number|Binary)$`)
	validToken     = regexp.MustCompile("^[!-~]{1,128}$") // group and deduplication IDs
)

// draft is a message that a request wants to publish.
type draft struct {
	message      string
	subject      *string
	structured   bool // message has a text for each protocol
	attributes   map[string]sqs.Attribute
	group, dedup *string
}

// newDraft checks what a request publishes, but for what depends on its topic.
func newDraft(in *api.PublishBatchRequestEntry) (*draft, error) {
	d := &draft{message: *in.Message, subject: in.Subject, group: in.MessageGroupId, dedup: in.MessageDeduplicationId}
	switch kind := wire.Value(in.MessageStructure); kind {
	case "", "json":
		d.structured = kind == "json"
	default:
		return nil, invalid("Message Structure", "it can only be json")
	}
	var err error
	if d.attributes, err = readAttributes(in.MessageAttributes); err != nil {
		return nil, err
	}
	return d, checkContent(d)
}

// checkContent checks the texts of a message.
func checkContent(d *draft) error {
	size := len(d.message)
	for name, a := range d.attributes {
		size += len(name) + len(a.Type) + len(a.Text) + len(a.Bytes)
	}
	switch {
	case d.message == "":
		return invalid("Empty message")
	case size > maxMessage:
		return invalid("Message too long")
	case !utf8.ValidString(d.message):
		return invalid("Message", "it must be UTF-8")
	case d.subject != nil && !validSubject(*d.subject):
		return invalid("Subject")
	}
	if !d.structured {
		return nil
	}
	_, err := d.body()
	return err
}

// validSubject: ASCII text of at most 100 characters that begins with a letter, number or punctuation mark, without line breaks or control characters.
func validSubject(text string) bool {
	if text == "" || len(text) > 100 || text[0] == ' ' {
		return false
	}
	return !strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' })
}

// body is the text that queues get.
func (d *draft) body() (string, error) {
	if !d.structured {
		return d.message, nil
	}
	var texts map[string]json.RawMessage
	if err := json.Unmarshal([]byte(d.message), &texts); err != nil {
		return "", invalid("Message Structure - JSON message body failed to parse")
	}
	var fallback, own string
	if json.Unmarshal(texts["default"], &fallback) != nil {
		return "", invalid("Message Structure - No default entry in JSON message body")
	}
	if raw, ok := texts["sqs"]; ok && json.Unmarshal(raw, &own) == nil {
		return own, nil
	}
	return fallback, nil
}

// readAttributes checks message attributes.
func readAttributes(in map[string]api.MessageAttributeValue) (map[string]sqs.Attribute, error) {
	bad := func(format string, args ...any) error { return fail("ParameterValueInvalid", format, args...) }
	out := map[string]sqs.Attribute{}
	for name, v := range in {
		a := sqs.Attribute{Type: *v.DataType, Text: wire.Value(v.StringValue), Bytes: v.BinaryValue}
		lower := strings.ToLower(name)
		switch {
		case len(name) > 256 || !validAttribute.MatchString(name) || strings.HasPrefix(lower, "aws.") || strings.HasPrefix(lower, "amazon."):
			return nil, bad("Invalid message attribute name: %s", name)
		case !validType.MatchString(a.Type):
			return nil, bad("The message attribute '%s' has an invalid message attribute type, the set of supported type prefixes is Binary, Number, and String.", name)
		case a.Type == "Binary" && (len(a.Bytes) == 0 || a.Text != "") || a.Type != "Binary" && (a.Text == "" || len(a.Bytes) > 0):
			return nil, bad("The message attribute '%s' must contain non-empty message attribute value for message attribute type '%s'.", name, a.Type)
		}
		switch a.Type {
		case "Number":
			if _, err := strconv.ParseFloat(a.Text, 64); err != nil {
				return nil, bad("Could not cast message attribute '%s' value to number.", name)
			}
		case "String.Array":
			if _, ok := arrayValues(a.Text); !ok {
				return nil, bad("The message attribute '%s' is not a valid String.Array: its values must be strings, numbers, true, false or null.", name)
			}
		}
		out[name] = a
	}
	return out, nil
}

// arrayValues reads an attribute of the type String.Array.
func arrayValues(text string) (values []any, ok bool) {
	if json.Unmarshal([]byte(text), &values) != nil {
		return nil, false
	}
	for _, v := range values {
		switch v.(type) {
		case []any, map[string]any:
			return nil, false
		}
	}
	return values, true
}
