// Package queue makes an SQS queue with its dead-letter queue: messages that fail too often go there and stay longer than in the
// queue itself. Both are encrypted, spoken to over TLS only, and watched: for a message that waits too long, and for any message
// in the dead-letter queue.
//
// Left out: queues without or with a shared dead-letter queue, subscriptions to topics, access of other accounts.
package queue

import (
	"cmp"
	"errors"
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/sqs"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"storefront/components/internal/naming"
	"storefront/components/internal/tags"
)

// Type is the component's type token.
const Type = "storefront:queue:Queue"

// ErrArgs says that the arguments cannot make a queue; the text tells which and why.
var ErrArgs = errors.New("queue arguments")

const (
	nameLimit  = 80        // of SQS, in characters
	fifoSuffix = 5         // ".fifo", which Pulumi adds to the names it makes
	deadDays   = 14        // the longest that SQS keeps a message
	day        = 24 * 3600 // in seconds
)

// Args describe a queue.
type Args struct {
	// KeyARN is a KMS key. Nil means SQS's own encryption, which costs nothing and needs no permissions.
	KeyARN pulumi.StringInput

	FIFO bool // exactly once and in order by message group, in high throughput mode
	// Deduplicate lets FIFO derive deduplication IDs from contents.
	Deduplicate bool

	VisibilitySeconds int // how long a received message is hidden, 1 to 43200; 0 means 30
	WaitSeconds       int // long polling where a receiver asks for nothing else, 1 to 20; 0 means 20
	DelaySeconds      int // before a message is seen first, 0 to 900
	RetentionDays     int // 1 to 13, one less than the dead-letter queue's 14; 0 means 4
	MaxReceives       int // after so many a message goes to the dead-letter queue, 1 to 1000; 0 means 5
	MaxMessageBytes   int // 1024 to 262144; 0 means 262144

	OldestSeconds int                  // alarm when a message is this old; 0 means 300
	AlarmActions  []pulumi.StringInput // topics that alarms are told to; empty leaves the alarms out
}

// Queue is a queue with its dead-letter queue.
type Queue struct {
	pulumi.ResourceState

	URL            pulumi.StringOutput `pulumi:"url"` // known once the policies are there
	ARN            pulumi.StringOutput `pulumi:"arn"`
	Name           pulumi.StringOutput `pulumi:"name"`
	DeadLetterURL  pulumi.StringOutput `pulumi:"deadLetterUrl"`
	DeadLetterARN  pulumi.StringOutput `pulumi:"deadLetterArn"`
	DeadLetterName pulumi.StringOutput `pulumi:"deadLetterName"`

	name string
	args Args
}

// New makes a queue. Errors of arguments are ErrArgs.
func New(ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption) (*Queue, error) {
	a := *args
	a.VisibilitySeconds, a.WaitSeconds, a.RetentionDays = cmp.Or(a.VisibilitySeconds, 30), cmp.Or(a.WaitSeconds, 20), cmp.Or(a.RetentionDays, 4)
	a.MaxReceives, a.MaxMessageBytes, a.OldestSeconds = cmp.Or(a.MaxReceives, 5), cmp.Or(a.MaxMessageBytes, 262144), cmp.Or(a.OldestSeconds, 300)
	if err := check(&a); err != nil {
		return nil, fmt.Errorf("queue %s: %w", name, err)
	}
	q := &Queue{name: name, args: a}
	if err := ctx.RegisterComponentResource(Type, name, q, opts...); err != nil {
		return nil, err
	}
	child := pulumi.Parent(q)
	dead, err := q.queue(ctx, "dead", deadDays, child)
	if err != nil {
		return nil, err
	}
	source, err := q.queue(ctx, "", a.RetentionDays, child)
	if err != nil {
		return nil, err
	}
	ready, err := q.makePolicies(ctx, source, dead, child)
	if err != nil {
		return nil, err
	}
	if err := q.makeAlarms(ctx, source, dead, child); err != nil {
		return nil, err
	}
	q.URL, q.ARN, q.Name = ready, source.Arn, source.Name
	q.DeadLetterURL, q.DeadLetterARN, q.DeadLetterName = dead.Url, dead.Arn, dead.Name
	return q, ctx.RegisterResourceOutputs(q, pulumi.Map{
		"url": q.URL, "arn": q.ARN, "name": q.Name,
		"deadLetterUrl": q.DeadLetterURL, "deadLetterArn": q.DeadLetterARN, "deadLetterName": q.DeadLetterName,
	})
}

func check(a *Args) error {
	for _, n := range []struct {
		what               string
		value, least, most int
	}{
		{"visibility timeout, in seconds", a.VisibilitySeconds, 1, 43200},
		{"wait for messages, in seconds", a.WaitSeconds, 1, 20},
		{"delay, in seconds", a.DelaySeconds, 0, 900},
		{"retention, in days", a.RetentionDays, 1, deadDays - 1},
		{"number of receives", a.MaxReceives, 1, 1000},
		{"size of a message, in bytes", a.MaxMessageBytes, 1024, 262144},
		{"age of the oldest message, in seconds", a.OldestSeconds, 1, deadDays * day},
	} {
		if n.value < n.least || n.value > n.most {
			return fmt.Errorf("%w: %s: %d: %d to %d are allowed", ErrArgs, n.what, n.value, n.least, n.most)
		}
	}
	if a.Deduplicate && !a.FIFO {
		return fmt.Errorf("%w: only FIFO queues deduplicate by content", ErrArgs)
	}
	return nil
}

// queue makes one of the two queues. Policies are resources of their own: redrive and redrive-allow name each other's queue.
func (q *Queue) queue(ctx *pulumi.Context, suffix string, days int, child pulumi.ResourceOption) (*sqs.Queue, error) {
	a, name := &q.args, q.name
	if suffix != "" {
		name += "-" + suffix
	}
	args := &sqs.QueueArgs{
		VisibilityTimeoutSeconds: pulumi.Int(a.VisibilitySeconds),
		ReceiveWaitTimeSeconds:   pulumi.Int(a.WaitSeconds),
		MessageRetentionSeconds:  pulumi.Int(days * day),
		MaxMessageSize:           pulumi.Int(a.MaxMessageBytes),
		Tags:                     tags.Named(name),
	}
	if suffix == "" {
		args.DelaySeconds = pulumi.Int(a.DelaySeconds)
	}
	if a.KeyARN != nil {
		args.KmsMasterKeyId = a.KeyARN.ToStringOutput().ToStringPtrOutput()
		args.KmsDataKeyReusePeriodSeconds = pulumi.Int(300) // SQS asks KMS once in so many seconds
	} else {
		args.SqsManagedSseEnabled = pulumi.Bool(true)
	}
	if a.FIFO {
		args.FifoQueue = pulumi.Bool(true)
		args.ContentBasedDeduplication = pulumi.Bool(a.Deduplicate)
		args.DeduplicationScope, args.FifoThroughputLimit = pulumi.String("messageGroup"), pulumi.String("perMessageGroupId")
	}
	made, err := sqs.NewQueue(ctx, naming.Logical(nameLimit-fifoSuffix, name), args, child)
	if err != nil {
		return nil, fmt.Errorf("creating queue %s: %w", name, err)
	}
	return made, nil
}
