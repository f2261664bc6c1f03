package shop

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
	"unicode/utf8"
)

// ErrPoison says that a message is not an order and never will be.
var ErrPoison = errors.New("the message is not an order")

// orderMessage is the form of an order in the queue.
type orderMessage struct {
	ID       string      `json:"id"`
	Key      string      `json:"key"`
	Items    []OrderItem `json:"items"`
	PlacedAt time.Time   `json:"placed_at"`
}

// EncodeOrder writes a taken order as the JSON body of a message.
func EncodeOrder(o Order) ([]byte, error) {
	body, err := json.Marshal(orderMessage{ID: o.ID, Key: o.Key, Items: o.Items, PlacedAt: o.PlacedAt})
	if err != nil {
		return nil, fmt.Errorf("encoding order %s: %w", o.ID, err)
	}
	return body, nil
}

// DecodeOrder reads what EncodeOrder wrote. Any other body is ErrPoison. Unknown fields are allowed, so that a newer instance can send to an older.
func DecodeOrder(body []byte) (Order, error) {
	if !utf8.Valid(body) {
		return Order{}, fmt.Errorf("%w: it is not valid UTF-8", ErrPoison)
	}
	var m orderMessage
	d := json.NewDecoder(bytes.NewReader(body))
	if err := d.Decode(&m); err != nil {
		return Order{}, fmt.Errorf("%w: %w", ErrPoison, err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return Order{}, fmt.Errorf("%w: something follows the JSON object", ErrPoison)
	}
	o := Order{ID: m.ID, Key: m.Key, Status: Queued, Items: m.Items, PlacedAt: m.PlacedAt.UTC().Truncate(time.Millisecond)}
	if err := o.Validate(); err != nil {
		return Order{}, fmt.Errorf("%w: %w", ErrPoison, err)
	}
	return o, nil
}
