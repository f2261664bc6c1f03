// Package policy is the security scoreboard: 65 rows, each one thing that AWS's own standard (FSBP), the CIS benchmark or Checkov
// asks of a block of the architecture, checked over the resources of a stack. Where resources come from does not matter to it: a
// program that was run without AWS (package declare), a preview, an exported state, or the engine by way of the policy pack.
//
// A row is met only when that is proven. A value that is not known yet proves nothing, with one exception: a reference to another
// resource is there, whatever it will be.
package policy

import (
	"cmp"
	"errors"
	"slices"

	"storefront/internal/inventory"
)

// Row is one row of the scoreboard.
type Row struct {
	ID      int    // 1 to 65
	Block   string // of the architecture: "ALB"
	Meaning string // what is wanted, in a few words
	AWS     string // controls of AWS Foundational Security Best Practices, and of CIS AWS Foundations 7.0
	Checkov string // rules of Checkov

	check func(*inventory.Stack, *findings)
}

// Outcome is what became of a row.
type Outcome string

// Outcomes.
const (
	Met           Outcome = "met"
	Failed        Outcome = "failed"
	Excepted      Outcome = "excepted" // failed, and every resource of it has a written reason
	NotApplicable Outcome = "not applicable"
)

// Problem is one resource that keeps a row from being met.
type Problem struct {
	Resource string `json:"resource"` // its name, or Account
	URN      string `json:"-"`        // empty for Account
	Detail   string `json:"detail"`   // what is wrong, and what to do
}

// Account is the resource of problems that no single resource has: something is missing in the account.
const Account = "account"

// Result is a row with its outcome.
type Result struct {
	Row
	Outcome  Outcome
	Problems []Problem // of a row that failed or is excepted, by resource
	Reasons  []string  // of a row that is excepted
}

// Evaluate returns the result of every row, in their order. The error is ErrException, for exceptions that excuse nothing.
func Evaluate(s *inventory.Stack, exceptions []Exception) ([]Result, error) {
	var results []Result
	var unused []error
	for _, row := range Rows() {
		r, err := row.Evaluate(s, exceptions)
		results, unused = append(results, r), append(unused, err)
	}
	return results, errors.Join(unused...)
}

// Evaluate returns the row's result, given the exceptions of all rows. The error is ErrException, for exceptions of this row that
// excuse nothing.
func (r Row) Evaluate(s *inventory.Stack, exceptions []Exception) (Result, error) {
	result := r.judge(s)
	err := result.except(exceptions)
	return result, err
}

func (r Row) judge(s *inventory.Stack) Result {
	var f findings
	r.check(s, &f)
	slices.SortStableFunc(f.problems, func(a, b Problem) int { return cmp.Compare(a.Resource, b.Resource) })
	switch {
	case !f.applies:
		return Result{Row: r, Outcome: NotApplicable}
	case len(f.problems) > 0:
		return Result{Row: r, Outcome: Failed, Problems: f.problems}
	}
	return Result{Row: r, Outcome: Met}
}

// findings collects what a check sees. A check that wants nothing of anything does not apply.
type findings struct {
	applies  bool
	problems []Problem
}

// want notes whether a resource is as wanted. The detail says what is wrong otherwise. Paths are the properties that decided, so that
// one whose value is not known yet is called that.
func (f *findings) want(r *inventory.Resource, ok bool, detail string, paths ...string) {
	f.applies = true
	if ok {
		return
	}
	for _, path := range paths {
		if r.Value(path).IsComputed() {
			detail += " (" + path + " is not known before the deployment)"
		}
	}
	f.problems = append(f.problems, Problem{r.Name, r.URN, detail})
}

// on wants a property to be true.
func (f *findings) on(r *inventory.Resource, path, detail string) {
	f.want(r, r.On(path), detail, path)
}

// given wants a property to have a value.
func (f *findings) given(r *inventory.Resource, path, detail string) {
	f.want(r, r.Given(path), detail)
}

// inAccount wants something of the account as a whole.
func (f *findings) inAccount(ok bool, detail string) {
	f.applies = true
	if !ok {
		f.problems = append(f.problems, Problem{Resource: Account, Detail: detail})
	}
}
