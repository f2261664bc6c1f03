package shard

// recoveryBatch is how many documents a recovery takes over in one transaction.
const recoveryBatch = 500

// Difference is what a copy must take over from another one: first what it has after its checkpoint, which may not be the primary's
// history, then what the primary has after it.
type Difference struct {
	own   []string
	after uint64
}

// Begin starts a recovery of the copy.
func (c *Copy) Begin() (d Difference, err error) {
	err = c.View(func(tx *Tx) error {
		d.after = tx.Checkpoint()
		d.own, _ = tx.Since(d.after, int(^uint(0)>>1))
		return nil
	})
	return d, err
}

// Step takes over the next documents from the primary. It tells whether there may be more. While the primary writes there may always be;
// the last steps are done while it does not.
func (c *Copy) Step(primary *Copy, d *Difference) (more bool, err error) {
	var records []Record
	var gone []string
	var last uint64
	own := len(d.own) > 0
	err = primary.View(func(tx *Tx) error {
		ids := d.own[:min(len(d.own), recoveryBatch)]
		if !own {
			ids, last = tx.Since(d.after, recoveryBatch)
			more = len(ids) == recoveryBatch
		}
		for _, id := range ids {
			r, ok, err := tx.Get(id)
			if err != nil {
				return err
			}
			if !ok {
				gone = append(gone, id)
				continue
			}
			records = append(records, r)
		}
		return nil
	})
	if err != nil {
		return false, err
	}
	err = c.Update(func(tx *Tx) error {
		for _, id := range gone {
			if err := tx.Forget(id); err != nil {
				return err
			}
		}
		for i := range records {
			if err := tx.Put(&records[i]); err != nil {
				return err
			}
		}
		return nil
	})
	if own {
		d.own = d.own[min(len(d.own), recoveryBatch):]
		return true, err
	}
	d.after = last
	return more, err
}

// Finish makes the copy know what the primary knows: they are alike now. Nobody writes to the primary meanwhile.
func (c *Copy) Finish(primary *Copy) error {
	highest := uint64(0)
	if err := primary.View(func(tx *Tx) error { highest = tx.Sequence(); return nil }); err != nil {
		return err
	}
	return c.Update(func(tx *Tx) error {
		if err := tx.SetSequence(highest); err != nil {
			return err
		}
		return tx.SetCheckpoint(highest)
	})
}
