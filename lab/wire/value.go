package wire

// Value returns what p points to, or the zero value when the client left the member out.
func Value[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}

// Optional returns a pointer to v, or nil when v is the zero value: AWS leaves such members out of its answers.
func Optional[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}

// Or returns what p points to, or otherwise when the client left the member out.
func Or[T any](p *T, otherwise T) T {
	if p == nil {
		return otherwise
	}
	return *p
}

// Set replaces what target points to with what given does, unless the client left the member out.
func Set[T any](target, given *T) {
	if given != nil {
		*target = *given
	}
}
