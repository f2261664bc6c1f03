package sqs

import "container/heap"

// order is a heap of messages that can give up any of them: each remembers where it is.
type order struct {
	items []*message
	less  func(a, b *message) bool
	place func(*message) *int // where a message keeps its place in this heap; -1 is none
}

// Len implements heap.Interface.
func (o *order) Len() int { return len(o.items) }

// Less implements heap.Interface.
func (o *order) Less(i, j int) bool { return o.less(o.items[i], o.items[j]) }

// Swap implements heap.Interface.
func (o *order) Swap(i, j int) {
	o.items[i], o.items[j] = o.items[j], o.items[i]
	*o.place(o.items[i]), *o.place(o.items[j]) = i, j
}

// Push implements heap.Interface.
func (o *order) Push(x any) {
	m := x.(*message)
	*o.place(m) = len(o.items)
	o.items = append(o.items, m)
}

// Pop implements heap.Interface.
func (o *order) Pop() any {
	last := len(o.items) - 1
	m := o.items[last]
	o.items[last] = nil
	o.items = o.items[:last]
	*o.place(m) = -1
	return m
}

func (o *order) insert(m *message) { heap.Push(o, m) }

func (o *order) remove(m *message) { heap.Remove(o, *o.place(m)) }

// first is the least message, or nil.
func (o *order) first() *message {
	if len(o.items) == 0 {
		return nil
	}
	return o.items[0]
}
