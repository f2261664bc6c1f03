package sqs

import (
	"encoding/json"
	"maps"
	"strconv"

	"storefront/lab/iam"
)

// span is the range of a numeric attribute and what it is when it was not set.
type span struct{ low, high, otherwise int64 }

// numeric has the limits of the page "SetQueueAttributes" of the SQS API reference.
var numeric = map[string]span{
	"VisibilityTimeout":             {0, 43200, 30},
	"DelaySeconds":                  {0, 900, 0},
	"MaximumMessageSize":            {1024, 1 << 20, 1 << 20},
	"MessageRetentionPeriod":        {60, 1209600, 345600},
	"ReceiveMessageWaitTimeSeconds": {0, 20, 0},
	"KmsDataKeyReusePeriodSeconds":  {60, 86400, 300},
}

func invalidAttribute(name string) error {
	return fail("InvalidAttributeValue", "Invalid value for the parameter %s.", name)
}

// checkAttributes checks what a request sets, each for itself.
func checkAttributes(set map[string]string) error {
	for name, value := range set {
		if limits, ok := numeric[name]; ok {
			if n, err := strconv.ParseInt(value, 10, 64); err != nil || n < limits.low || n > limits.high {
				return invalidAttribute(name)
			}
			continue
		}
		valid := true
		switch name {
		case "FifoQueue", "ContentBasedDeduplication", "SqsManagedSseEnabled":
			valid = value == "true" || value == "false"
		case "DeduplicationScope":
			valid = value == "queue" || value == "messageGroup"
		case "FifoThroughputLimit":
			valid = value == "perQueue" || value == "perMessageGroupId"
		case "Policy":
			if value != "" {
				_, err := iam.ParseDocument(value)
				valid = err == nil
			}
		case "RedrivePolicy", "RedriveAllowPolicy":
			valid = value == "" || json.Valid([]byte(value))
		case "KmsMasterKeyId":
		default:
			return fail("InvalidAttributeName", "Unknown Attribute %s.", name)
		}
		if !valid {
			return invalidAttribute(name)
		}
	}
	return nil
}

// merge returns the attributes of a queue after a request has set some. An empty document or key removes the attribute.
func merge(old, set map[string]string) (map[string]string, error) {
	if set["KmsMasterKeyId"] != "" && set["SqsManagedSseEnabled"] == "true" {
		return nil, fail("InvalidAttributeValue", "You can use one type of server-side encryption (SSE) at one time. You can either enable KMS SSE or SQS SSE.")
	}
	all := maps.Clone(old)
	if all == nil {
		all = map[string]string{}
	}
	maps.Copy(all, set)
	switch {
	case set["KmsMasterKeyId"] != "":
		all["SqsManagedSseEnabled"] = "false"
	case set["SqsManagedSseEnabled"] == "true":
		delete(all, "KmsMasterKeyId")
	}
	for name, value := range all {
		if value == "" {
			delete(all, name)
		}
	}
	if all["FifoQueue"] == "true" {
		if all["FifoThroughputLimit"] == "perMessageGroupId" && all["DeduplicationScope"] != "messageGroup" {
			return nil, fail("InvalidAttributeValue", "The FifoThroughputLimit perMessageGroupId requires the DeduplicationScope messageGroup.")
		}
		return all, nil
	}
	for _, name := range []string{"ContentBasedDeduplication", "DeduplicationScope", "FifoThroughputLimit"} {
		if _, ok := set[name]; ok {
			return nil, fail("InvalidAttributeName", "You can specify the %s only when FifoQueue is set to true.", name)
		}
	}
	return all, nil
}

// shown are a queue's attributes as GetQueueAttributes returns them, but for the counts.
func (q *queue) shown(arn string) map[string]string {
	all := map[string]string{
		"QueueArn": arn, "CreatedTimestamp": strconv.FormatInt(q.Created, 10), "LastModifiedTimestamp": strconv.FormatInt(q.Modified, 10),
		"SqsManagedSseEnabled": strconv.FormatBool(q.Attributes["KmsMasterKeyId"] == ""),
	}
	for name := range numeric {
		if name != "KmsDataKeyReusePeriodSeconds" || q.Attributes["KmsMasterKeyId"] != "" {
			all[name] = strconv.FormatInt(q.number(name), 10)
		}
	}
	if q.fifo() {
		all["ContentBasedDeduplication"], all["DeduplicationScope"], all["FifoThroughputLimit"] = "false", "queue", "perQueue"
	}
	maps.Copy(all, q.Attributes)
	return all
}
