package state

// Read runs f in a read-only transaction and returns what it filled in: the body of an operation that changes nothing.
func Read[O any](s *Store, f func(*Tx, *O) error) (*O, error) {
	out := new(O)
	if err := s.View(func(tx *Tx) error { return f(tx, out) }); err != nil {
		return nil, err
	}
	return out, nil
}

// Change runs f in the read-write transaction and returns what it filled in: the body of an operation that changes something.
func Change[O any](s *Store, f func(*Tx, *O) error) (*O, error) {
	out := new(O)
	if err := s.Update(func(tx *Tx) error { return f(tx, out) }); err != nil {
		return nil, err
	}
	return out, nil
}
