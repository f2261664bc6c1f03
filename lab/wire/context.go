package wire

import "context"

// Identity is the authenticated principal behind a request.
type Identity struct {
	Account     string
	ARN         string // "arn:aws:iam::000000000000:user/lab", "arn:aws:sts::...:assumed-role/ROLE/SESSION"
	UserID      string // "AIDA...", "AROA...:SESSION", or the account for its root
	AccessKeyID string
	Service     string // set instead of the rest for calls of the lab itself, such as "autoscaling.amazonaws.com"
}

type callerKey struct{}
type requestIDKey struct{}

// WithCaller returns a context that carries the identity of the caller.
func WithCaller(ctx context.Context, id Identity) context.Context {
	return context.WithValue(ctx, callerKey{}, id)
}

// Caller returns the identity that WithCaller stored, or the zero Identity.
func Caller(ctx context.Context) Identity {
	id, _ := ctx.Value(callerKey{}).(Identity)
	return id
}

// Anonymous reports whether the request had no signature. It is false for calls within the lab that carry no identity at all.
func Anonymous(ctx context.Context) bool {
	id, ok := ctx.Value(callerKey{}).(Identity)
	return ok && id == Identity{}
}

// WithRequestID returns a context that carries the request ID.
func WithRequestID(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, requestIDKey{}, id)
}

// RequestID returns the ID that WithRequestID stored, or "".
func RequestID(ctx context.Context) string {
	id, _ := ctx.Value(requestIDKey{}).(string)
	return id
}
