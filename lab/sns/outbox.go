package sns

import (
	"context"
	"errors"
	"fmt"

	"storefront/lab/state"
	"storefront/lab/wire"
)

// Notification is what a service of the region publishes.
type Notification struct {
	Topic   string // ARN
	Subject string // at most 100 characters of ASCII; "" is none
	Message string
	Source  string // ARN of the resource that it is about, such as an alarm: aws:SourceArn in the topic's policy
}

// entry is a notification that waits for Run.
type entry struct {
	Service string
	Notification
}

// PublishAs publishes for an AWS service, named as "cloudwatch.amazonaws.com", when the transaction of its caller is committed: a change of state and its
// notification happen both or not at all. Run delivers. Errors are those of the operation Publish: the topic does not exist, or its policy does not let the
// service publish; the transaction can go on without the notification.
func (s *Service) PublishAs(tx *state.Tx, service string, n Notification) error {
	t, err := s.find(tx, n.Topic)
	if err != nil {
		return err
	}
	if !s.admits(&t, service, n.Source) {
		return wire.Errorf(403, "AuthorizationError", "User: %s is not authorized to perform: SNS:Publish on resource: %s", service, n.Topic)
	}
	if key := t.Attributes["KmsMasterKeyId"]; key != "" && s.KeyAdmits != nil {
		if err := s.KeyAdmits(tx, service, n.Source, key, map[string]string{"aws:sns:topicArn": n.Topic}); err != nil {
			return err
		}
	}
	if t.fifo() {
		return invalid("TopicArn", "services publish to standard topics only")
	}
	if err := checkContent(&draft{message: n.Message, subject: wire.Optional(n.Subject)}); err != nil {
		return err
	}
	number, err := tx.Sequence("sns.outbox")
	if err != nil {
		return err
	}
	return outbox.Put(tx, fmt.Sprintf("%016x", number), entry{service, n})
}

// Run delivers what services of the region publish, until ctx ends. What waits when the lab ends is delivered when it runs again.
func (s *Service) Run(ctx context.Context) error {
	for wake := s.Store.Watch(ctx, "sns.outbox"); ; {
		select {
		case <-ctx.Done():
			return nil
		case <-wake:
			if err := s.deliverWaiting(); err != nil {
				return fmt.Errorf("delivering notifications: %w", err)
			}
		}
	}
}

// deliverWaiting empties the outbox. A notification whose topic is gone by now, or whose key cannot be used, is dropped, as AWS does.
func (s *Service) deliverWaiting() error {
	type numbered struct {
		number string
		entry
	}
	var waiting []numbered
	if err := s.Store.View(func(tx *state.Tx) error {
		for number, e := range outbox.All(tx) {
			waiting = append(waiting, numbered{number, e})
		}
		return nil
	}); err != nil || len(waiting) == 0 {
		return err
	}
	return s.publishing(func(p *publication) error {
		for _, e := range waiting {
			_, err := p.publish(e.Topic, &draft{message: e.Message, subject: wire.Optional(e.Subject)})
			if refused, ok := errors.AsType[*wire.Error](err); ok {
				s.Log.Warn("notification dropped", "service", e.Service, "topic", e.Topic, "error", refused)
			} else if err != nil {
				return err
			}
			if err := outbox.Delete(p.tx, e.number); err != nil {
				return err
			}
		}
		return nil
	})
}
