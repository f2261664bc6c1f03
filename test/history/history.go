// Package history records what clients of a shop saw, and judges it afterwards against what the shop holds, as Jepsen does: every operation is
// invoked and ends ok, failed (it certainly had no effect) or unknown (it may have had one). What was acknowledged must be there, exactly once.
package history

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"sync"
	"time"
)

// Result is how an operation ended.
type Result string

// The results of operations.
const (
	OK      Result = "ok"      // acknowledged: its effect must be there
	Fail    Result = "fail"    // refused: its effect must not be there
	Unknown Result = "unknown" // no answer, or one that promises nothing: either way
)

// Operation is one order that a client posted.
type Operation struct {
	Process   int              `json:"process"` // the client
	Key       string           `json:"key"`     // idempotency key; several operations may share one
	Items     map[string]int64 `json:"items"`   // quantity by product
	Invoked   time.Time        `json:"invoked"`
	Completed time.Time        `json:"completed"`
	Result    Result           `json:"result"`
	Order     string           `json:"order,omitempty"` // the ID that was acknowledged
	Detail    string           `json:"detail,omitempty"`
}

// Recorder keeps a history. It is safe for concurrent use; the zero value is ready.
type Recorder struct {
	mu         sync.Mutex
	operations []Operation
	faults     []time.Time
}

// Invoke begins an operation. The function that it returns ends it, and must be called once.
func (r *Recorder) Invoke(process int, key string, items map[string]int64) func(result Result, order, detail string) {
	op := Operation{Process: process, Key: key, Items: items, Invoked: time.Now()}
	return func(result Result, order, detail string) {
		op.Completed, op.Result, op.Order, op.Detail = time.Now(), result, order, detail
		r.mu.Lock()
		defer r.mu.Unlock()
		r.operations = append(r.operations, op)
	}
}

// Fault notes that something is being broken now. Recovery is counted from the last fault.
func (r *Recorder) Fault() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.faults = append(r.faults, time.Now())
}

// Operations returns the operations that have ended, in the order of their ends.
func (r *Recorder) Operations() []Operation {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]Operation(nil), r.operations...)
}

// Faults returns the times of the faults.
func (r *Recorder) Faults() []time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]time.Time(nil), r.faults...)
}

// Write writes operations as JSON lines, for whoever studies a verdict.
func Write(w io.Writer, operations []Operation) error {
	b := bufio.NewWriter(w)
	e := json.NewEncoder(b)
	for _, op := range operations {
		if err := e.Encode(op); err != nil {
			return fmt.Errorf("writing a history: %w", err)
		}
	}
	return b.Flush()
}
