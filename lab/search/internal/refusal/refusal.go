// Package refusal is an error as Elasticsearch answers it: a type, a reason, a status.
package refusal

import (
	"errors"
	"fmt"
	"net/http"
)

// Error is a refused request.
type Error struct {
	Status int            // of HTTP
	Type   string         // Elasticsearch's name of the error, as in mapper_parsing_exception
	Reason string         // for the reader
	Detail map[string]any // further members of the error: index, shard, line, ...; nil for none
	Cause  *Error         // what caused it, nil for nothing
	Root   *Error         // what failed on a shard, nil when it is this error itself
}

// Error tells type and reason.
func (e *Error) Error() string { return e.Type + ": " + e.Reason }

// With adds a member to the error.
func (e *Error) With(name string, value any) *Error {
	if e.Detail == nil {
		e.Detail = map[string]any{}
	}
	e.Detail[name] = value
	return e
}

// Body is the error's JSON without its root cause.
func (e *Error) Body() map[string]any {
	b := map[string]any{"type": e.Type, "reason": e.Reason}
	for k, v := range e.Detail {
		b[k] = v
	}
	if e.Cause != nil {
		b["caused_by"] = e.Cause.Body()
	}
	return b
}

// New makes an error.
func New(status int, kind, format string, args ...any) *Error {
	return &Error{Status: status, Type: kind, Reason: fmt.Sprintf(format, args...)}
}

// Argument is an illegal_argument_exception.
func Argument(format string, args ...any) *Error {
	return New(http.StatusBadRequest, "illegal_argument_exception", format, args...)
}

// Parsing is a parsing_exception: the body is not of the form that the API takes.
func Parsing(format string, args ...any) *Error {
	return New(http.StatusBadRequest, "parsing_exception", format, args...)
}

// Mapping is a mapper_parsing_exception: a document or a mapping does not fit.
func Mapping(format string, args ...any) *Error {
	return New(http.StatusBadRequest, "mapper_parsing_exception", format, args...)
}

// From returns err as an Error; one of another kind is an internal error whose text stays inside.
func From(err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	return New(http.StatusInternalServerError, "exception", "internal error")
}
