package sqs

import (
	"crypto/md5"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"

	"storefront/lab/state"
)

// record is what changes while a message lives. Times are milliseconds since the epoch.
type record struct {
	Seq      uint64 // unique in the region and growing: the order within a queue
	ID       string
	Queue    string
	Sent     int64
	Due      int64  // when it becomes visible
	Sender   string `json:",omitempty"`
	Group    string `json:",omitempty"`
	Dedup    string `json:",omitempty"`
	First    int64  `json:",omitempty"` // first receive
	Received int64  `json:",omitempty"` // over all queues
	Before   int64  `json:",omitempty"` // part of Received that happened before it came into this queue
	Receipt  string `json:",omitempty"` // the latest receipt handle
	Source   string `json:",omitempty"` // ARN of the queue that this dead letter comes from
	Sealed   bool   `json:",omitempty"` // the content's body is encrypted
}

// content is what never changes.
type content struct {
	Body       string               `json:",omitempty"`
	Sealed     *sealed              `json:",omitempty"` // instead of Body
	Attributes map[string]Attribute `json:",omitempty"`
	System     map[string]Attribute `json:",omitempty"`
}

// Attribute is a message attribute: Text, or Bytes when its type is Binary.
type Attribute struct {
	Type  string
	Text  string `json:",omitempty"`
	Bytes []byte `json:",omitempty"`
}

// message is a record in a queue's index.
type message struct {
	record
	waiting bool // delayed or in flight
	place   int  // in timers or ready; -1 when in neither
	age     int  // in ages
}

func (m *message) key() string { return fmt.Sprintf("%016x", m.Seq) }

// put stores a message's record.
func (m *message) put(tx *state.Tx) error { return records.Put(tx, m.key(), m.record) }

// drop removes a message for good.
func (q *queue) drop(tx *state.Tx, m *message) error {
	q.remove(m)
	if err := contents.Delete(tx, m.ID); err != nil {
		return err
	}
	return records.Delete(tx, m.key())
}

func md5Hex(text string) string {
	sum := md5.Sum([]byte(text))
	return hex.EncodeToString(sum[:])
}

// attributesMD5 is the checksum of attributes as "Calculating the MD5 message digest for message attributes" in the SQS developer guide has it, or "" for none.
func attributesMD5(attributes map[string]Attribute) string {
	if len(attributes) == 0 {
		return ""
	}
	var text []byte
	add := func(part string) { text = append(binary.BigEndian.AppendUint32(text, uint32(len(part))), part...) }
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		a := attributes[name]
		add(name)
		add(a.Type)
		if a.binary() {
			text = append(text, 2)
			add(string(a.Bytes))
		} else {
			text = append(text, 1)
			add(a.Text)
		}
	}
	return md5Hex(string(text))
}
