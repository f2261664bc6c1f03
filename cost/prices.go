package cost

import (
	_ "embed"
	"errors"
	"fmt"
	"strings"

	"gopkg.in/yaml.v3"
)

//go:embed prices.yaml
var committed []byte

// ErrPrices says that a price table cannot be read; the text tells why.
var ErrPrices = errors.New("price table")

// Prices is a table of list prices of one region.
type Prices struct {
	Region string
	groups map[string]group
	order  []string
}

// group is the prices of a service, or of a part of one.
type group struct {
	Name   string
	AsOf   string `yaml:"asOf"`
	Source string
	Unit   string // of all items; empty where each item is its own unit
	Prices map[string]float64
}

// CommittedPrices returns the table in prices.yaml.
func CommittedPrices() (*Prices, error) { return parsePrices(committed) }

func parsePrices(text []byte) (*Prices, error) {
	var file struct {
		Currency, Region string
		Groups           []group
	}
	if err := yaml.Unmarshal(text, &file); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPrices, err)
	}
	if file.Currency != "USD" || file.Region == "" {
		return nil, fmt.Errorf("%w: want the currency USD and a region", ErrPrices)
	}
	p := &Prices{Region: file.Region, groups: map[string]group{}}
	for _, g := range file.Groups {
		if _, twice := p.groups[g.Name]; twice || g.AsOf == "" || g.Source == "" || len(g.Prices) == 0 {
			return nil, fmt.Errorf("%w: group %q: want a name of its own, asOf, source and prices", ErrPrices, g.Name)
		}
		for item, price := range g.Prices {
			if price <= 0 {
				return nil, fmt.Errorf("%w: %s, %s: %v is no price", ErrPrices, g.Name, item, price)
			}
		}
		p.groups[g.Name] = g
		p.order = append(p.order, g.Name)
	}
	return p, nil
}

// find returns the price of an item and its unit.
func (p *Prices) find(name, item string) (price float64, unit string, known bool) {
	g := p.groups[name]
	price, known = g.Prices[item]
	if unit = g.Unit; unit == "" {
		unit = item
	}
	return price, unit, known
}

// Sources returns a table of the groups of prices, in Markdown: what is priced, of when, and where AWS publishes it.
func Sources(p *Prices) string {
	var out strings.Builder
	out.WriteString("| prices | items | as of | published |\n|---|---:|---|---|\n")
	for _, name := range p.order {
		g := p.groups[name]
		fmt.Fprintf(&out, "| %s | %d | %s | <%s> |\n", name, len(g.Prices), g.AsOf, g.Source)
	}
	return out.String()
}
