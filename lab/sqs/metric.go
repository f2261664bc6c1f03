package sqs

// observation is a value of a metric that a transaction will have made true.
type observation struct {
	queue, metric string
	value         float64
}

// measure notes a value of a metric in CloudWatch's namespace AWS/SQS. It is observed when the transaction that goes on has been committed.
func (s *Service) measure(q *queue, metric string, value float64) {
	s.measured = append(s.measured, observation{q.Name, metric, value})
}

// observe passes on what was measured.
func (s *Service) observe() {
	for _, o := range s.measured {
		if s.Observe != nil {
			s.Observe(o.queue, o.metric, o.value)
		}
	}
	s.measured = s.measured[:0]
}
