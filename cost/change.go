package cost

import "slices"

// Change is what two estimates differ by, in one block.
type Change struct {
	Block  string `json:"block"`
	Before Range  `json:"before"`
	After  Range  `json:"after"`
}

// By returns the difference a month.
func (c Change) By() Range { return c.After.minus(c.Before) }

// Changes returns the blocks whose costs differ, in the order of the architecture.
func Changes(before, after *Estimate) (changes []Change) {
	for _, b := range blocks {
		if c := (Change{b.name, before.Block(b.name), after.Block(b.name)}); !c.Before.near(c.After) {
			changes = append(changes, c)
		}
	}
	return changes
}

// near says that two amounts are the same to the cent.
func (r Range) near(o Range) bool {
	cent := func(a, b float64) bool { return a-b < 0.005 && b-a < 0.005 }
	return cent(r.Low, o.Low) && cent(r.High, o.High)
}

// Comparison is an estimate beside the one of what was there before.
type Comparison struct {
	Before, After *Estimate
	With          string // what was before: "the deployed stack lab"
}

// Unpriced returns what has no price now and had none of the same name before.
func (c *Comparison) unpriced() (lines []string) {
	for _, line := range c.After.Missing {
		if !slices.Contains(c.Before.Missing, line) {
			lines = append(lines, line)
		}
	}
	return lines
}
