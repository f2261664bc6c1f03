package sqs

import (
	"cmp"

	"storefront/lab/access"
	"storefront/lab/state"
)

// Post is a message that an AWS service sends to a queue.
type Post struct {
	Queue         string // ARN
	Body          string
	Attributes    map[string]Attribute
	Group, Dedup  string // of FIFO queues; "" is none
	Service       string // who sends: "sns.amazonaws.com"
	Source        string // ARN of the resource that it sends for, the queue policy's aws:SourceArn
	SourceAccount string
}

// Posting runs f in the store's transaction, where post sends messages to queues: they are sent when all of it is committed. An error of post that is
// a *wire.Error says why AWS refuses that one message; nothing of it has happened then, and f can go on with others.
func (s *Service) Posting(f func(tx *state.Tx, post func(*Post) error) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.change(func(tx *state.Tx) error {
		return f(tx, func(p *Post) error { return s.post(tx, p) })
	})
}

func (s *Service) post(tx *state.Tx, p *Post) error {
	q, ok := s.byARN(p.Queue)
	if !ok {
		return errNoQueue()
	}
	if !q.admitsService(p) {
		return errDenied(p)
	}
	if key := q.Attributes["KmsMasterKeyId"]; key != "" && s.KeyAdmits != nil {
		if err := s.KeyAdmits(tx, p.Service, p.Source, key, encryptionContext(p.Queue)); err != nil {
			return keyError(err)
		}
	}
	d := &draft{content: content{Body: p.Body, Attributes: p.Attributes}, sender: p.Service}
	if p.Group != "" {
		d.group = &p.Group
	}
	if p.Dedup != "" {
		d.dedup = &p.Dedup
	}
	if len(p.Attributes) > maxAttributes {
		return errAttributes(len(p.Attributes))
	}
	if err := cmp.Or(checkCharacters(p.Body), d.check(q)); err != nil {
		return err
	}
	_, err := s.send(tx, q, d)
	return err
}

// admitsService asks the queue's policy whether a service may send. Nothing else can allow it: services have no identity policies.
func (q *queue) admitsService(p *Post) bool {
	document, err := access.Parse(q.Attributes["Policy"])
	if err != nil {
		return false // no policy, or none that can be read
	}
	return access.Decide(&access.Request{
		Principal: access.Principal{Service: p.Service}, Action: "sqs:SendMessage", Resource: p.Queue,
		Context: map[string][]string{"aws:sourcearn": {p.Source}, "aws:sourceaccount": {p.SourceAccount}, "aws:securetransport": {"true"}, "aws:principalisawsservice": {"true"}},
	}, access.Policies{Resource: &document}).Allowed
}
