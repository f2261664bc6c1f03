// Package cost estimates what a stack costs a month, from the resources that it declares or has: hours and units times list prices
// (prices.yaml), plus what depends on use, which is assumed (usage.yaml). No AWS is asked.
//
// An amount is a range where the stack leaves it open: fleets and readers scale, and spot prices move. What has no price is listed and
// never counts as nothing.
package cost

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"storefront/internal/inventory"
)

// hours is how many a month has in AWS's own estimates: 365 × 24 / 12.
const hours = 730

// most is a bound on quantities that no stack reaches.
const most = 1e15

// Range is an amount between two bounds, which may be equal.
type Range struct {
	Low  float64 `json:"low"`
	High float64 `json:"high"`
}

func exactly(n float64) Range { return Range{n, n} }

func (r Range) plus(o Range) Range    { return Range{r.Low + o.Low, r.High + o.High} }
func (r Range) minus(o Range) Range   { return Range{r.Low - o.Low, r.High - o.High} }
func (r Range) times(n float64) Range { return Range{r.Low * n, r.High * n} }
func (r Range) product(o Range) Range { return Range{r.Low * o.Low, r.High * o.High} }

// Line is one line of an estimate: a quantity times a price, in US dollars.
type Line struct {
	Block    string `json:"block"` // of the architecture: "network"
	What     string `json:"what"`
	Quantity Range  `json:"quantity"` // a month
	Unit     string `json:"unit"`
	Price    Range  `json:"price"`
	Monthly  Range  `json:"monthly"`
}

// Estimate is what a stack costs a month.
type Estimate struct {
	Lines   []Line
	Missing []string // what has no price, a line each
	Left    []string // what is left out for another reason, a line each; nothing unless the caller says so
	Usage   Usage    // what was assumed, as far as it counts for this stack
	Prices  *Prices
}

// Of returns the estimate for a stack. It is deterministic: resources count by type and name, whatever their order.
func Of(s *inventory.Stack, prices *Prices, usage Usage) *Estimate {
	resources := s.All()
	slices.SortFunc(resources, func(a, b *inventory.Resource) int {
		return cmp.Or(cmp.Compare(a.Type, b.Type), cmp.Compare(a.Name, b.Name))
	})
	e := &estimator{stack: inventory.NewStack(resources), prices: prices, usage: usage}
	for _, b := range blocks {
		e.block = b.name
		b.estimate(e)
	}
	e.unknown()
	slices.Sort(e.missing)
	counted := slices.DeleteFunc(slices.Clone(usage), func(a Assumption) bool { return !slices.Contains(e.assumed, a.Name) })
	return &Estimate{Lines: e.lines, Missing: slices.Compact(e.missing), Usage: counted, Prices: prices}
}

// blocks are the blocks of the architecture, as the estimate lists them.
var blocks = []struct {
	name     string
	estimate func(*estimator)
}{
	{"network", (*estimator).network},
	{"load balancer", (*estimator).loadBalancer},
	{"firewall", (*estimator).firewall},
	{"compute", (*estimator).compute},
	{"database", (*estimator).database},
	{"cache", (*estimator).cache},
	{"search", (*estimator).search},
	{"queue and topic", (*estimator).messaging},
	{"buckets", (*estimator).buckets},
	{"keys and secrets", (*estimator).keys},
	{"backup", (*estimator).backup},
	{"audit", (*estimator).audit},
	{"logs", (*estimator).logs},
	{"alarms", (*estimator).alarms},
}

// Blocks returns the blocks that cost anything, in the order of the architecture.
func (e *Estimate) Blocks() (names []string) {
	for _, l := range e.Lines {
		if !slices.Contains(names, l.Block) {
			names = append(names, l.Block)
		}
	}
	return names
}

// Block returns what a block costs a month.
func (e *Estimate) Block(name string) (sum Range) {
	for _, l := range e.Lines {
		if l.Block == name {
			sum = sum.plus(l.Monthly)
		}
	}
	return sum
}

// Total returns what the whole stack costs a month.
func (e *Estimate) Total() (sum Range) {
	for _, l := range e.Lines {
		sum = sum.plus(l.Monthly)
	}
	return sum
}

// estimator collects the lines of an estimate.
type estimator struct {
	stack   *inventory.Stack
	prices  *Prices
	usage   Usage
	block   string // of the lines to come
	lines   []Line
	missing []string
	assumed []string // names of what counted
}

// assume returns an assumption, and notes that it counts.
func (e *estimator) assume(name string) float64 {
	e.assumed = append(e.assumed, name)
	return e.usage.of(name)
}

// charge adds a quantity of an item of the price table.
func (e *estimator) charge(what string, quantity Range, group, item string) {
	price, unit, known := e.prices.find(group, item)
	if !known {
		e.lack("%s %s (%s)", group, item, what)
		return
	}
	e.add(what, quantity, unit, exactly(price))
}

// use adds an assumed quantity.
func (e *estimator) use(what, assumption, group, item string) {
	e.charge(what, exactly(e.assume(assumption)), group, item)
}

// add adds a line, or its quantity to the line that is the same otherwise.
func (e *estimator) add(what string, quantity Range, unit string, price Range) {
	if !(0 <= quantity.Low && quantity.Low <= quantity.High && quantity.High <= most) {
		e.lack("%s: from %v to %v %ss makes no sense", what, quantity.Low, quantity.High, unit)
		return
	}
	if quantity.High == 0 {
		return
	}
	for i := range e.lines {
		if l := &e.lines[i]; l.Block == e.block && l.What == what && l.Unit == unit && l.Price == price {
			l.Quantity = l.Quantity.plus(quantity)
			l.Monthly = l.Quantity.product(price)
			return
		}
	}
	e.lines = append(e.lines, Line{Block: e.block, What: what, Quantity: quantity, Unit: unit, Price: price, Monthly: quantity.product(price)})
}

// lack notes something that has no price.
func (e *estimator) lack(format string, args ...any) {
	e.missing = append(e.missing, fmt.Sprintf(format, args...))
}

// number returns a number of a resource. One that is not known before the deployment is noted.
func (e *estimator) number(r *inventory.Resource, path string, otherwise float64) float64 {
	if n, known := r.Number(path); known {
		return n
	}
	if r.Value(path).IsComputed() {
		e.lack("%s: %s is not known before the deployment, %v is counted", r.Name, path, otherwise)
	}
	return otherwise
}

func (e *estimator) has(types ...string) bool { return len(e.stack.All(types...)) > 0 }

// unknown notes the resources of types that are neither priced nor known to be free.
func (e *estimator) unknown() {
	for _, r := range e.stack.All() {
		if strings.HasPrefix(r.Type, "aws:") && !slices.Contains(priced, r.Type) && !slices.Contains(free, r.Type) {
			e.lack("%s (%s)", r.Type, r.Name)
		}
	}
	for _, subnet := range e.stack.All("aws:ec2/subnet:Subnet") {
		if region := strings.TrimRight(subnet.Text("availabilityZone"), "abcdefgh"); region != "" && region != e.prices.Region {
			e.lack("region %s: prices of %s are used", region, e.prices.Region)
		}
	}
}
