package sqs

import (
	"slices"
	"strconv"
	"time"
)

// definition is what the store keeps of a queue.
type definition struct {
	Name              string
	Created, Modified int64             // seconds since the epoch
	Attributes        map[string]string // those that were set
	Tags              map[string]string
}

// queue is a queue with its index. Each message is in all and ages; one that is delayed or in flight is in timers, one that the next receive may
// take is in ready. Of a FIFO queue's message group only the first message may be taken, and only while none is in flight.
type queue struct {
	definition
	all      map[uint64]*message // by sequence number
	ages     order               // by the time of sending
	timers   order               // by the time at which they become visible
	ready    order               // by sequence number
	inFlight int

	groups map[string][]*message // FIFO: by group, in order
	busy   map[string]int        // FIFO: how many of a group are in flight

	recent      map[string]duplicate // FIFO: what was sent within the deduplication interval
	recentOrder []string             // its keys, oldest first

	changed chan struct{} // closed when a waiting receive has reason to look again; nil while none waits
	purged  time.Time
}

func newQueue(d definition) *queue {
	place := func(m *message) *int { return &m.place }
	return &queue{
		definition: d, all: map[uint64]*message{}, groups: map[string][]*message{}, busy: map[string]int{}, recent: map[string]duplicate{},
		ages: order{less: func(a, b *message) bool { return a.Sent < b.Sent || a.Sent == b.Sent && a.Seq < b.Seq },
			place: func(m *message) *int { return &m.age }},
		timers: order{less: func(a, b *message) bool { return a.Due < b.Due || a.Due == b.Due && a.Seq < b.Seq }, place: place},
		ready:  order{less: func(a, b *message) bool { return a.Seq < b.Seq }, place: place},
	}
}

// number is the value of a numeric attribute; values are checked when they are set.
func (q *queue) number(name string) int64 {
	n, err := strconv.ParseInt(q.Attributes[name], 10, 64)
	if err != nil {
		return numeric[name].otherwise
	}
	return n
}

func (q *queue) flag(name string) bool { return q.Attributes[name] == "true" }

func (q *queue) fifo() bool { return q.flag("FifoQueue") }

// add takes a message into the index.
func (q *queue) add(m *message, now time.Time) {
	m.place = -1
	q.all[m.Seq] = m
	q.ages.insert(m)
	if q.fifo() {
		q.groups[m.Group] = append(q.groups[m.Group], m)
	}
	if m.Due > now.UnixMilli() {
		q.wait(m)
	} else {
		q.settle(m)
	}
}

// wait makes a message invisible until it is due.
func (q *queue) wait(m *message) {
	if m.place >= 0 {
		q.ready.remove(m)
	}
	m.waiting = true
	q.timers.insert(m)
	if m.Receipt != "" {
		q.inFlight++
		q.busy[m.Group]++
	}
	if q.timers.first() == m {
		q.signal()
	}
}

// leave ends the waiting of a message, without making it visible.
func (q *queue) leave(m *message) {
	q.timers.remove(m)
	m.waiting = false
	if m.Receipt != "" {
		q.inFlight--
		if q.busy[m.Group]--; q.busy[m.Group] == 0 {
			delete(q.busy, m.Group)
		}
	}
}

// settle makes a message that waits no more available, in its turn.
func (q *queue) settle(m *message) {
	if q.fifo() {
		q.offer(m.Group)
		return
	}
	q.ready.insert(m)
	q.signal()
}

// offer makes a group's first message available, if the group is free.
func (q *queue) offer(group string) {
	members := q.groups[group]
	if len(members) == 0 || q.busy[group] > 0 || members[0].waiting || members[0].place >= 0 {
		return
	}
	q.ready.insert(members[0])
	q.signal()
}

// remove takes a message out of the index.
func (q *queue) remove(m *message) {
	switch {
	case m.waiting:
		q.leave(m)
	case m.place >= 0:
		q.ready.remove(m)
	}
	q.ages.remove(m)
	delete(q.all, m.Seq)
	if !q.fifo() {
		return
	}
	members := q.groups[m.Group]
	if members[0] == m {
		members = members[1:] // the usual case, at no cost
	} else {
		members = slices.DeleteFunc(members, func(other *message) bool { return other == m })
	}
	if q.groups[m.Group] = members; len(members) == 0 {
		delete(q.groups, m.Group)
	}
	q.offer(m.Group)
}

// advance makes visible what is due.
func (q *queue) advance(now time.Time) {
	for m := q.timers.first(); m != nil && m.Due <= now.UnixMilli(); m = q.timers.first() {
		q.leave(m)
		q.settle(m)
	}
}

// expired is the oldest message if it is beyond the retention period, or nil.
func (q *queue) expired(now time.Time) *message {
	m := q.ages.first()
	if m == nil || m.Sent+1000*q.number("MessageRetentionPeriod") > now.UnixMilli() {
		return nil
	}
	return m
}

// next takes up to n messages from ready: one, or the first ones of a message group.
func (q *queue) next(n int) []*message {
	first := q.ready.first()
	if first == nil {
		return nil
	}
	q.ready.remove(first)
	if !q.fifo() {
		return []*message{first}
	}
	var taken []*message
	for _, m := range q.groups[first.Group] {
		if m.waiting || len(taken) == n {
			break
		}
		taken = append(taken, m)
	}
	return taken
}

// signal lets waiting receives look again.
func (q *queue) signal() {
	if q.changed != nil {
		close(q.changed)
		q.changed = nil
	}
}

func (q *queue) depth(now time.Time) Depth {
	q.advance(now)
	waiting := q.timers.Len()
	d := Depth{Visible: len(q.all) - waiting, InFlight: q.inFlight, Delayed: waiting - q.inFlight}
	if m := q.ages.first(); m != nil {
		d.OldestAge = now.Sub(time.UnixMilli(m.Sent))
	}
	return d
}
