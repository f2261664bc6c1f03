package history_test

import (
	"strings"
	"testing"
	"time"

	"storefront/test/history"
)

type items = map[string]int64

// healthy is a history that is right: one order accepted, one rejected, one refused, one unknown that happened and one that did not.
func healthy() ([]history.Operation, history.Shop) {
	at := func(s int) time.Time { return time.Unix(int64(s), 0) }
	operations := []history.Operation{
		{Key: "a", Items: items{"cup": 2}, Invoked: at(0), Completed: at(1), Result: history.OK, Order: "1"},
		{Key: "b", Items: items{"cup": 900}, Invoked: at(1), Completed: at(2), Result: history.OK, Order: "2"},
		{Key: "c", Items: items{"cup": 0}, Invoked: at(2), Completed: at(3), Result: history.Fail},
		{Key: "d", Items: items{"mug": 1}, Invoked: at(3), Completed: at(6), Result: history.Unknown},
		{Key: "e", Items: items{"mug": 1}, Invoked: at(4), Completed: at(7), Result: history.Unknown},
		{Key: "a", Items: items{"cup": 2}, Invoked: at(8), Completed: at(9), Result: history.OK, Order: "1"},
	}
	return operations, history.Shop{
		Before: items{"cup": 10, "mug": 5}, After: items{"cup": 8, "mug": 4},
		Ledger: map[string]history.Order{
			"1": {Key: "a", Status: history.Accepted, Items: items{"cup": 2}},
			"2": {Key: "b", Status: history.Rejected, Items: items{"cup": 900}},
			"4": {Key: "d", Status: history.Accepted, Items: items{"mug": 1}},
		},
		Index: map[string]history.Status{"1": history.Accepted, "2": history.Rejected, "4": history.Accepted},
	}
}

func TestHealthyHistory(t *testing.T) {
	operations, shop := healthy()
	v := history.Check(operations, []time.Time{time.Unix(3, 0)}, shop)
	if !v.Valid() {
		t.Fatalf("a right history is refused: %s", v.Report(10))
	}
	if v.Acknowledged != 3 || v.Failed != 1 || v.Unknown != 2 || v.Accepted != 2 || v.Rejected != 1 {
		t.Errorf("counted %s", v)
	}
	if v.Unavailable != 7*time.Second {
		t.Errorf("longest unavailability %s, want 7s: from the second to the ninth second nothing was acknowledged", v.Unavailable)
	}
	if v.Recovery != 6*time.Second {
		t.Errorf("recovery %s, want 6s", v.Recovery)
	}
}

// Every way in which a shop can be wrong must be found, or the checker proves nothing.
func TestWrongHistories(t *testing.T) {
	for name, c := range map[string]struct {
		spoil                        func(*[]history.Operation, *history.Shop)
		lost, duplicated, unexpected bool
	}{
		"an acknowledged order is gone": {func(_ *[]history.Operation, s *history.Shop) {
			delete(s.Ledger, "2")
			delete(s.Index, "2")
		}, true, false, false},
		"an acknowledged order is queued for ever": {func(_ *[]history.Operation, s *history.Shop) {
			s.Ledger["2"] = history.Order{Key: "b", Status: "queued", Items: items{"cup": 900}}
			s.Index["2"] = "queued"
		}, true, false, false},
		"stock was taken twice":            {func(_ *[]history.Operation, s *history.Shop) { s.After["cup"] = 6 }, false, true, false},
		"stock was not taken":              {func(_ *[]history.Operation, s *history.Shop) { s.After["mug"] = 5 }, true, false, false},
		"a search misses an order":         {func(_ *[]history.Operation, s *history.Shop) { delete(s.Index, "4") }, true, false, false},
		"a search finds an old status":     {func(_ *[]history.Operation, s *history.Shop) { s.Index["1"] = history.Rejected }, true, false, false},
		"a search finds what is not there": {func(_ *[]history.Operation, s *history.Shop) { s.Index["9"] = history.Accepted }, false, false, true},
		"a refused order has an effect": {func(_ *[]history.Operation, s *history.Shop) {
			s.Ledger["3"] = history.Order{Key: "c", Status: history.Rejected, Items: items{"cup": 0}}
			s.Index["3"] = history.Rejected
		}, false, false, true},
		"an order that nobody sent": {func(_ *[]history.Operation, s *history.Shop) {
			s.Ledger["7"] = history.Order{Key: "z", Status: history.Rejected}
			s.Index["7"] = history.Rejected
		}, false, false, true},
		"other items than ordered": {func(_ *[]history.Operation, s *history.Shop) {
			s.Ledger["1"] = history.Order{Key: "a", Status: history.Accepted, Items: items{"cup": 1}}
			s.After["cup"] = 9
		}, false, false, true},
		"one key, two acknowledged orders": {func(o *[]history.Operation, s *history.Shop) {
			(*o)[5].Order = "5"
			s.Ledger["5"] = history.Order{Key: "a", Status: history.Rejected, Items: items{"cup": 2}}
			s.Index["5"] = history.Rejected
		}, false, true, false},
		"one key, accepted twice": {func(_ *[]history.Operation, s *history.Shop) {
			s.Ledger["5"] = history.Order{Key: "a", Status: history.Accepted, Items: items{"cup": 2}}
			s.Index["5"], s.After["cup"] = history.Accepted, 6
		}, false, true, false},
	} {
		operations, shop := healthy()
		c.spoil(&operations, &shop)
		v := history.Check(operations, nil, shop)
		if v.Valid() || v.Lost > 0 != c.lost || v.Duplicated > 0 != c.duplicated || v.Unexpected > 0 != c.unexpected {
			t.Errorf("%s: %s", name, v.Report(5))
		}
	}
}

func TestRecorder(t *testing.T) {
	var r history.Recorder
	end := r.Invoke(1, "k", items{"cup": 1})
	if len(r.Operations()) != 0 {
		t.Error("an operation that has not ended is in the history")
	}
	r.Fault()
	end(history.OK, "id", "")
	op := r.Operations()
	if len(op) != 1 || op[0].Order != "id" || op[0].Completed.Before(op[0].Invoked) || len(r.Faults()) != 1 {
		t.Fatalf("recorded %+v", op)
	}
	var b strings.Builder
	if err := history.Write(&b, op); err != nil || !strings.Contains(b.String(), `"key":"k"`) {
		t.Errorf("wrote %q, %v", b.String(), err)
	}
}

func TestEmptyHistory(t *testing.T) {
	if v := history.Check(nil, nil, history.Shop{}); !v.Valid() || v.Unavailable != 0 {
		t.Errorf("nothing happened: %s", v)
	}
}
