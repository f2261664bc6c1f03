package shop

import (
	"errors"
	"fmt"
)

// Code classifies an Error. Programs branch on codes, never on text.
type Code string

// The codes of errors that a caller of the shop can meet.
const (
	Invalid     Code = "invalid"     // the request breaks a rule; Field names where
	NotFound    Code = "not_found"   // the thing does not exist
	Conflict    Code = "conflict"    // the request contradicts an earlier one
	Unavailable Code = "unavailable" // a dependency does not answer; trying again later is reasonable
	Internal    Code = "internal"    // a fault of the shop; its text stays in the logs
)

// Error is an error of the domain.
type Error struct {
	Code    Code
	Field   string // the input at fault, for Invalid; may be empty
	Message string // for the caller to read
	Err     error  // the cause, never shown to the caller
}

// Error implements error.
func (e *Error) Error() string {
	text := e.Message
	if e.Field != "" {
		text = e.Field + ": " + text
	}
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// CodeOf returns the code of the first Error in err's chain, Internal for any other error, and "" for nil.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return Internal
}

// Invalidf says that the input field breaks a rule.
func Invalidf(field, format string, args ...any) *Error {
	return &Error{Code: Invalid, Field: field, Message: fmt.Sprintf(format, args...)}
}
