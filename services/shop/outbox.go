package shop

import "context"

// Publish is handed summaries of an outbox and answers for each of them, in their order, as Index.Put does: nil for one that is published and leaves
// the outbox; an Invalid error for one that is refused, which is set aside with the reason and is in nobody's way then; any other error for one that
// stays where it is.
type Publish func(context.Context, []Summary) []error

// Outbox holds the summaries of applied orders until they are published. Any number of callers may empty it at once. A summary may be handed out again
// after it was published; its version is the same then. Every implementation passes shoptest.Ledger.
type Outbox interface {
	// Pending hands up to n of the oldest summaries that were not refused, and that no other caller holds, to publish. It does not call publish
	// when there are none. The error is the first one that made a summary stay, or the outbox's own.
	Pending(ctx context.Context, n int, publish Publish) (Published, error)
	// Retry is Pending for the summaries that are set aside, those first that were refused the longest ago.
	Retry(ctx context.Context, n int, publish Publish) (Published, error)
	// Refused returns how many summaries are set aside.
	Refused(ctx context.Context) (int, error)
}

// Published counts what became of the summaries that were handed out; those that stay are in neither number.
type Published struct{ Taken, Refused int }

// Verdicts parts summaries by what was answered for them.
type Verdicts struct {
	Taken   []int64  // versions of those that are published
	Refused []int64  // versions of those that are refused
	Reasons []string // why, one for each of Refused
	Held    error    // the first error that makes one stay
}

// Judge parts summaries by the answers for them, one for each, as Outbox has it.
func Judge(summaries []Summary, answers []error) (v Verdicts) {
	for i, s := range summaries {
		switch err := answers[i]; {
		case err == nil:
			v.Taken = append(v.Taken, s.Version)
		case CodeOf(err) == Invalid:
			v.Refused, v.Reasons = append(v.Refused, s.Version), append(v.Reasons, err.Error())
		case v.Held == nil:
			v.Held = err
		}
	}
	return v
}

// Count returns the numbers of v.
func (v Verdicts) Count() Published { return Published{Taken: len(v.Taken), Refused: len(v.Refused)} }
