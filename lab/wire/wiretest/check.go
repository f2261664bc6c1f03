package wiretest

import (
	"errors"
	"strings"
	"testing"

	"github.com/aws/smithy-go"
)

// Must returns the answer of a call that a test cannot go on without, and panics with the error of one that failed.
func Must[T any](answer T, err error) T {
	if err != nil {
		panic(err)
	}
	return answer
}

// Refused fails the test unless err is an AWS error of that code whose message contains part.
func Refused(t testing.TB, err error, code, part string) {
	t.Helper()
	e, ok := errors.AsType[smithy.APIError](err)
	if !ok || e.ErrorCode() != code || !strings.Contains(e.ErrorMessage(), part) {
		t.Errorf("got error %v, want %s with %q", err, code, part)
	}
}
