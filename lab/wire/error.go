package wire

import "fmt"

// Error is an error that AWS documents for an operation: clients see exactly its code, message and status.
type Error struct {
	Status  int    // HTTP status, 400..599
	Code    string // AWS's code, such as "InvalidVpcID.NotFound"
	Message string
	Fields  map[string]string // further members of the error shape, such as S3's BucketName
	// QueryCode is the code under the query protocol, where it differs (SQS). In the JSON protocol it goes out in a header.
	QueryCode string
}

// Error implements error.
func (e *Error) Error() string { return e.Code + ": " + e.Message }

// Is reports whether target is an *Error of the same code, so that errors.Is(err, &Error{Code: "NoSuchKey"}) works.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Code == e.Code
}

// Errorf makes an Error with a formatted message.
func Errorf(status int, code, format string, args ...any) *Error {
	return &Error{Status: status, Code: code, Message: fmt.Sprintf(format, args...)}
}
