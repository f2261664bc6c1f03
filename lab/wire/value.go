package wire

// Value returns what p points to, or the zero value when the client left the member out.
func Value[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}
