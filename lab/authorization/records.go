package authorization

import (
	"cmp"
	"slices"
	"sync"

	"storefront/lab/access"
)

// Denial counts the denied calls of one kind.
type Denial struct {
	Principal string // ARN, the name of an AWS service, or "anonymous"
	Action    string
	Resource  string // ARN or "*"
	Count     int
}

// Use is an action that a principal was allowed.
type Use struct {
	Principal string // ARN of the user, or of the session's role
	Action    string
}

// maxRecords bounds the kinds of denials and of uses that are kept, so that a caller who tries everything takes no memory.
const maxRecords = 10_000

// records is what happened since the lab started.
type records struct {
	mu     sync.RWMutex
	denied map[Denial]int // by the denial without its count
	used   map[Use]bool
}

func newRecords() *records { return &records{denied: map[Denial]int{}, used: map[Use]bool{}} }

func (r *records) deny(p access.Principal, action, resource string) {
	key := Denial{Principal: cmp.Or(p.ARN, p.Service, "anonymous"), Action: action, Resource: resource}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.denied[key] > 0 || len(r.denied) < maxRecords {
		r.denied[key]++
	}
}

func (r *records) use(p access.Principal, action string) {
	key := Use{Principal: cmp.Or(p.Role, p.ARN, p.Service, "anonymous"), Action: action}
	r.mu.RLock()
	known := r.used[key]
	r.mu.RUnlock()
	if known {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.used) < maxRecords {
		r.used[key] = true
	}
}

// record keeps a decision.
func (a *Authorizer) record(r *access.Request, d access.Decision) {
	if d.Allowed {
		a.records.use(r.Principal, r.Action)
	} else {
		a.records.deny(r.Principal, r.Action, r.Resource)
	}
}

// Denied returns the calls that were denied since the lab started, most denied first.
func (a *Authorizer) Denied() []Denial {
	a.records.mu.RLock()
	defer a.records.mu.RUnlock()
	var list []Denial
	for key, n := range a.records.denied {
		key.Count = n
		list = append(list, key)
	}
	slices.SortFunc(list, func(x, y Denial) int {
		return cmp.Or(cmp.Compare(y.Count, x.Count), cmp.Compare(x.Principal, y.Principal), cmp.Compare(x.Action, y.Action), cmp.Compare(x.Resource, y.Resource))
	})
	return list
}

// Used returns the actions that principals were allowed since the lab started, sorted.
func (a *Authorizer) Used() []Use {
	a.records.mu.RLock()
	defer a.records.mu.RUnlock()
	var list []Use
	for use := range a.records.used {
		list = append(list, use)
	}
	slices.SortFunc(list, func(x, y Use) int {
		return cmp.Or(cmp.Compare(x.Principal, y.Principal), cmp.Compare(x.Action, y.Action))
	})
	return list
}
