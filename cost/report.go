package cost

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
)

// WriteTable writes the lines of every block with its sum, the total, what has no price, the change if there is something to compare with,
// and what was assumed.
func WriteTable(w io.Writer, e *Estimate, c *Comparison) error {
	var out strings.Builder
	if err := tableOf(&out, e); err != nil {
		return err
	}
	list(&out, e.Missing, e.Left)
	if c != nil {
		if err := changesOf(&out, c); err != nil {
			return err
		}
	}
	fmt.Fprintf(&out, "\nList prices of %s, %s; free tiers, discounts and taxes are left out. Assumed of a month:\n", e.Prices.Region, e.Prices.dates())
	t := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
	for _, a := range e.Usage {
		fmt.Fprintf(t, "  %s\t%s %s\t%s\n", a.Name, amount(exactly(a.Value)), a.Unit, a.What)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	_, err := io.WriteString(w, trimmed(out.String()))
	return err
}

// trimmed takes away the blanks that end lines.
func trimmed(text string) string {
	lines := strings.Split(text, "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return strings.Join(lines, "\n")
}

// list writes what is not in the sums.
func list(w io.Writer, missing, left []string) {
	if len(missing)+len(left) == 0 {
		return
	}
	fmt.Fprint(w, "\nNot in the sums:\n")
	for _, line := range missing {
		fmt.Fprintln(w, "  no price for "+line)
	}
	for _, line := range left {
		fmt.Fprintln(w, "  "+line)
	}
}

// tableOf writes blocks with their lines below them, amounts to the right.
func tableOf(w io.Writer, e *Estimate) error {
	total := Dollars(e.Total())
	right := func(r Range) string { return fmt.Sprintf("%*s", max(len(total), len("DOLLARS")), Dollars(r)) }
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "BLOCK\tA MONTH\tAT\t%*s\n", max(len(total), len("DOLLARS")), "DOLLARS")
	for _, block := range e.Blocks() {
		fmt.Fprintf(t, "%s\t\t\t%s\n", block, right(e.Block(block)))
		for _, l := range e.Lines {
			if l.Block == block {
				fmt.Fprintf(t, "  %s\t%s\t%s\t%s\n", l.What, counted(l.Quantity, l.Unit), price(l.Price), right(l.Monthly))
			}
		}
	}
	fmt.Fprintf(t, "total\t\t\t%s\n", total)
	return t.Flush()
}

// changesOf writes what changed, by block.
func changesOf(w io.Writer, c *Comparison) error {
	changes := Changes(c.Before, c.After)
	if len(changes) == 0 {
		_, err := fmt.Fprintf(w, "\nThe same as %s.\n", c.With)
		return err
	}
	fmt.Fprintf(w, "\nAgainst %s:\n", c.With)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, change := range append(changes, c.total()) {
		fmt.Fprintf(t, "  %s\t%s\twas %s\tis %s\n", change.Block, signed(change.By()), Dollars(change.Before), Dollars(change.After))
	}
	return t.Flush()
}

func (c *Comparison) total() Change { return Change{"total", c.Before.Total(), c.After.Total()} }

// WriteMarkdown writes the sums of blocks for a comment on a pull request: with the change when there is something to compare with.
func WriteMarkdown(w io.Writer, e *Estimate, c *Comparison) error {
	var out strings.Builder
	missing := e.Missing
	if c == nil {
		fmt.Fprintf(&out, "**Cost: %s a month**\n\n| block | dollars a month |\n|---|---:|\n", Dollars(e.Total()))
		for _, block := range e.Blocks() {
			fmt.Fprintf(&out, "| %s | %s |\n", block, Dollars(e.Block(block)))
		}
	} else if changes := Changes(c.Before, c.After); len(changes) == 0 {
		fmt.Fprintf(&out, "**Cost: no change** against %s: %s a month\n", c.With, Dollars(e.Total()))
		missing = c.unpriced()
	} else {
		fmt.Fprintf(&out, "**Cost: %s a month** against %s\n\n| block | was | is | change |\n|---|---:|---:|---:|\n", signed(c.total().By()), c.With)
		for _, change := range append(changes, c.total()) {
			fmt.Fprintf(&out, "| %s | %s | %s | %s |\n", change.Block, Dollars(change.Before), Dollars(change.After), signed(change.By()))
		}
		missing = c.unpriced()
	}
	if len(missing) > 0 {
		out.WriteString("\n")
	}
	for _, line := range missing {
		fmt.Fprintf(&out, "- no price for %s\n", line)
	}
	if len(e.Left) > 0 {
		fmt.Fprintf(&out, "\nNot in the sums: %s.\n", strings.Join(e.Left, "; "))
	}
	fmt.Fprintf(&out, "\nList prices of %s, %s, and the use of a month assumed as `cost/usage.yaml` says.\n", e.Prices.Region, e.Prices.dates())
	_, err := io.WriteString(w, out.String())
	return err
}

// WriteJSON writes everything that the table has, as one object.
func WriteJSON(w io.Writer, e *Estimate, c *Comparison) error {
	type block struct {
		Block   string `json:"block"`
		Monthly Range  `json:"monthly"`
	}
	type comparison struct {
		With    string   `json:"with"`
		Total   Change   `json:"total"`
		Changes []Change `json:"changes"`
	}
	out := struct {
		Currency string      `json:"currency"`
		Region   string      `json:"region"`
		Total    Range       `json:"total"`
		Blocks   []block     `json:"blocks"`
		Lines    []Line      `json:"lines"`
		Missing  []string    `json:"missing"`
		Left     []string    `json:"leftOut"`
		Usage    Usage       `json:"usage"`
		Change   *comparison `json:"change,omitempty"`
	}{Currency: "USD", Region: e.Prices.Region, Total: e.Total().rounded(), Blocks: []block{}, Lines: []Line{}, Missing: append([]string{}, e.Missing...), Left: append([]string{}, e.Left...), Usage: e.Usage}
	for _, name := range e.Blocks() {
		out.Blocks = append(out.Blocks, block{name, e.Block(name).rounded()})
	}
	for _, l := range e.Lines {
		l.Quantity, l.Monthly = l.Quantity.rounded(), l.Monthly.rounded()
		out.Lines = append(out.Lines, l)
	}
	if c != nil {
		out.Change = &comparison{With: c.With, Total: c.total().rounded(), Changes: []Change{}}
		for _, change := range Changes(c.Before, c.After) {
			out.Change.Changes = append(out.Change.Changes, change.rounded())
		}
	}
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(out)
}

func (c Change) rounded() Change { return Change{c.Block, c.Before.rounded(), c.After.rounded()} }

// rounded returns an amount to the cent.
func (r Range) rounded() Range { return Range{cents(r.Low), cents(r.High)} }

// cents rounds half a cent up, also where binary fractions make a little less of it: 86.175 is 86.18.
func cents(n float64) float64 { return math.Round(n*100+1e-6) / 100 }

// Dollars writes an amount of money.
func Dollars(r Range) string {
	low, high := dollars(r.Low), dollars(r.High)
	if low == high {
		return low
	}
	return low + " to " + high
}

func dollars(n float64) string {
	text := grouped(strconv.FormatFloat(cents(math.Abs(n)), 'f', 2, 64))
	if n < 0 && text != "0.00" {
		return "-" + text
	}
	return text
}

// signed writes a change of money, its bounds in order of size.
func signed(r Range) string {
	plus := func(n float64) string {
		if text := dollars(n); n > 0 && text != "0.00" {
			return "+" + text
		}
		return dollars(n)
	}
	low, high := plus(min(r.Low, r.High)), plus(max(r.Low, r.High))
	if low == high {
		return low
	}
	return low + " to " + high
}

// amount writes a quantity with as many decimals as it needs, three at most.
func amount(r Range) string {
	one := func(n float64) string { return grouped(strconv.FormatFloat(math.Round(n*1000)/1000, 'f', -1, 64)) }
	if low, high := one(r.Low), one(r.High); low != high {
		return low + " to " + high
	}
	return one(r.Low)
}

func price(r Range) string {
	one := func(n float64) string { return strconv.FormatFloat(math.Round(n*1e5)/1e5, 'f', -1, 64) }
	if r.Low != r.High {
		return one(r.Low) + " to " + one(r.High)
	}
	return one(r.Low)
}

// grouped puts commas between thousands.
func grouped(number string) string {
	whole, rest, _ := strings.Cut(number, ".")
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if rest != "" {
		rest = "." + rest
	}
	return whole + rest
}

// counted writes a quantity with its unit. Abbreviations and units with a number in them have no plural.
func counted(r Range, unit string) string {
	plural := unit + "s"
	if unit == "GB" || strings.HasPrefix(unit, "million ") || strings.HasPrefix(unit, "thousand ") || r == exactly(1) {
		plural = unit
	}
	return amount(r) + " " + plural
}

// dates returns the dates of the groups: the oldest and the newest.
func (p *Prices) dates() string {
	var all []string
	for _, name := range p.order {
		all = append(all, p.groups[name].AsOf)
	}
	oldest, newest := slices.MinFunc(all, cmp.Compare[string]), slices.MaxFunc(all, cmp.Compare[string])
	if oldest == newest {
		return "as of " + oldest
	}
	return "as of " + oldest + " to " + newest
}
