package diagram

import (
	"fmt"
	"slices"

	"storefront/internal/inventory"
)

// sources are the bands that arrows to other bands begin at, in the order of the tiers.
func (p *picture) sources() (from []*inventory.Resource) {
	for _, l := range p.links {
		if l.to.Type != queueType && l.from.Type != queueType && !slices.Contains(from, l.from) {
			from = append(from, l.from)
		}
	}
	return from
}

// arrow is a path with the class of its colour.
type arrow struct{ path, class string }

// port is one end of an arrow at a side of a band.
type port struct {
	l        link
	outgoing bool
}

// arrows returns the paths between bands, each source in a lane of its own left of the zones, and those to and from queues at the right.
func (d *drawing) arrows() (all []arrow) {
	sources := d.sources()
	left, right := map[*inventory.Resource][]port{}, map[*inventory.Resource][]port{}
	for _, source := range sources {
		left[source] = append(left[source], port{link{from: source}, true})
	}
	for _, l := range d.links {
		switch queueType {
		case l.to.Type:
			right[l.from] = append(right[l.from], port{l, true})
			right[l.to] = append(right[l.to], port{l, false})
		case l.from.Type:
			right[l.from] = append(right[l.from], port{l, true})
			right[l.to] = append(right[l.to], port{l, false})
		default:
			left[l.to] = append(left[l.to], port{l, false})
		}
	}
	for _, l := range d.links {
		class := "path" + fmt.Sprint(1+max(0, slices.Index(sources, l.from))%3)
		if l.to.Type == queueType || l.from.Type == queueType {
			all = append(all, arrow{d.across(l, right), "message"})
			continue
		}
		x := d.laneX + lane*float64(d.lanes-1-slices.Index(sources, l.from)) + lane/2
		from, to := d.place(l.from), d.place(l.to)
		begin, end := at(from, left[l.from], port{link{from: l.from}, true}), at(to, left[l.to], port{l, false})
		all = append(all, arrow{fmt.Sprintf("M%g %gH%gV%gH%g", from.x, begin, x, end, to.x-2), class})
	}
	return all
}

// across is the path between a band and a queue, each with a lane of its own.
func (d *drawing) across(l link, right map[*inventory.Resource][]port) string {
	from, to := d.place(l.from), d.place(l.to)
	begin, end := at(from, right[l.from], port{l, true}), at(to, right[l.to], port{l, false})
	n := 0
	for i, other := range d.links {
		if other == l {
			n = i
		}
	}
	x := d.vpc.right() + 18 + lane*float64((len(d.links)-n)%4)
	if l.to.Type == queueType {
		return fmt.Sprintf("M%g %gH%gV%gH%g", from.right(), begin, x, end, to.x-2)
	}
	return fmt.Sprintf("M%g %gH%gV%gH%g", from.x, begin, x, end, to.right()+2)
}

// at is the height at which a port leaves a box, which its ports share evenly.
func at(b box, ports []port, p port) float64 {
	i := slices.Index(ports, p)
	return tenth(b.y + b.h*float64(i+1)/float64(len(ports)+1))
}

// place is where a band or a queue is.
func (d *drawing) place(of *inventory.Resource) box {
	for i, t := range d.tiers {
		for n, b := range t.bands {
			if b.of == of {
				return d.bandBoxes[i][n]
			}
		}
	}
	for i, q := range d.beside {
		if q.of == of {
			b := d.sideBoxes[i]
			b.h = 50 // without what is below it
			return b
		}
	}
	return box{}
}
