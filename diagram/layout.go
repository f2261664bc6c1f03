package diagram

import (
	"fmt"
	"math"
	"slices"
)

// Sizes in pixels.
const (
	margin   = 24.0
	gap      = 12.0
	label    = 112.0 // of tiers
	lane     = 16.0  // between arrows that run side by side
	heading  = 26.0  // of bands
	chipHigh = 40.0
	chipsRow = 3 // chips beside each other
	edgeHigh = 46.0
	sideWide = 214.0
	sideGap  = 92.0
	cardLine = 17.0
)

// box is a place.
type box struct{ x, y, w, h float64 }

func (b box) right() float64  { return tenth(b.x + b.w) }
func (b box) bottom() float64 { return b.y + b.h }
func (b box) middle() float64 { return tenth(b.x + b.w/2) }

// drawing is a picture with a place for everything.
type drawing struct {
	*picture
	w, h        float64
	edgeTier    box
	vpc         box
	zoneBoxes   []box
	tierBoxes   []box
	subnetBoxes []box   // of each tier, zone by zone
	bandBoxes   [][]box // by tier
	chipBoxes   map[*band][]placed
	edgeBoxes   []box
	sideBoxes   []box
	lanes       int
	laneX       float64 // of the first lane

	regionalBoxes, operationsBoxes []box
	ops                            box // around the operations
}

// placed is a chip with its place.
type placed struct {
	chip
	box
}

func (p *picture) layOut() *drawing {
	d := &drawing{picture: p, chipBoxes: map[*band][]placed{}, lanes: len(p.sources())}
	zone := 250.0
	if len(p.zones) < 3 {
		zone = 320
	}
	d.laneX = margin + gap + label + gap
	left := d.laneX + lane*float64(d.lanes) + gap
	inner := left + float64(len(p.zones))*(zone+gap)
	d.edgeTier = box{margin, margin + 58, 0, edgeHigh + 2*gap}
	d.vpc = box{margin, d.edgeTier.bottom() + 2*gap, inner + gap - margin, 0}
	y := d.vpc.y + 56
	for range p.zones {
		d.zoneBoxes = append(d.zoneBoxes, box{left + float64(len(d.zoneBoxes))*(zone+gap), d.vpc.y + 30, zone, 0})
	}
	for _, t := range p.tiers {
		y = d.placeTier(t, y, left, inner-gap)
	}
	d.vpc.h = y - d.vpc.y
	for i := range d.zoneBoxes {
		d.zoneBoxes[i].h = y - gap/2 - d.zoneBoxes[i].y
	}
	d.w = d.vpc.right() + margin
	if len(p.beside)+len(p.regional) > 0 {
		d.w += sideGap + sideWide
	}
	d.edgeTier.w = d.w - 2*margin
	d.placeEdge()
	d.placeOperations(max(d.vpc.bottom(), d.placeSide()) + 2*gap)
	return d
}

// placeTier gives a tier and what is in it a place below y, and returns where the next one begins.
func (d *drawing) placeTier(t tier, y, left, right float64) float64 {
	top := y
	y += 26 // captions of subnets
	var bands []box
	for _, b := range t.bands {
		rows := 0
		for _, chips := range b.chips {
			rows = max(rows, (min(len(chips), most)+chipsRow-1)/chipsRow)
		}
		high := float64(rows) * (chipHigh + 6)
		if b.title != "" {
			high += heading
		}
		at := box{left + 8, y, right - left - 16, high + 4}
		bands = append(bands, at)
		d.placeChips(b, at)
		y = at.bottom() + gap
	}
	d.bandBoxes = append(d.bandBoxes, bands)
	d.tierBoxes = append(d.tierBoxes, box{margin + gap, top, right + gap/2 - margin - gap, y - top})
	for _, zone := range d.zoneBoxes {
		d.subnetBoxes = append(d.subnetBoxes, box{zone.x, top + 4, zone.w, y - top - 8})
	}
	return y + gap
}

// most is how many chips a zone shows of one band; when there are more, one of them counts the rest.
const most = 6

func (d *drawing) placeChips(b *band, at box) {
	top := at.y + 2
	if b.title != "" {
		top += heading
	}
	for i, zone := range d.zones {
		chips := b.chips[zone]
		if more := len(chips) - most + 1; more > 1 {
			rest := chips[most-1]
			rest.title = fmt.Sprintf("%d more", more)
			chips = append(slices.Clone(chips[:most-1]), rest)
		}
		inside := box{d.zoneBoxes[i].x + 16, top, d.zoneBoxes[i].w - 32, 0}
		for n, c := range chips {
			row, beside := n/chipsRow, min(chipsRow, len(chips)-n/chipsRow*chipsRow)
			w := (inside.w - float64(beside-1)*8) / float64(beside)
			place := box{inside.x + float64(n%chipsRow)*(w+8), inside.y + float64(row)*(chipHigh+6), w, chipHigh}
			d.chipBoxes[b] = append(d.chipBoxes[b], placed{c, place.rounded()})
		}
	}
}

// placeEdge puts the way in above the VPC, its last step above the middle of the last zone.
func (d *drawing) placeEdge() {
	const apart = 44.0
	last, begin, steps := d.zoneBoxes[len(d.zoneBoxes)-1].middle(), margin+gap+label, float64(len(d.edge))
	wide := min(196, (last-begin-(steps-1)*apart)/(steps-0.5))
	for i := range d.edge {
		x := last - wide/2 - (steps-1-float64(i))*(wide+apart)
		d.edgeBoxes = append(d.edgeBoxes, box{x, d.edgeTier.y + gap, wide, edgeHigh}.rounded())
	}
}

// placeSide puts queues beside the servers, and above and below them what else servers use outside of the VPC. It returns where that ends.
func (d *drawing) placeSide() float64 {
	x, above, y := d.vpc.right()+sideGap, d.vpc.y, d.vpc.y
	for i, t := range d.tiers {
		for _, b := range t.bands {
			if b.of != nil && b.of.Type == fleetType {
				y = d.tierBoxes[i].y + 26
			}
		}
	}
	top := y
	for _, q := range d.beside {
		high := 50.0
		if q.dead != "" {
			high += 62
		}
		d.sideBoxes = append(d.sideBoxes, box{x, y, sideWide, high})
		y += high + 2*gap
	}
	for _, k := range d.regional {
		at := &y
		if above+k.high()+2*gap <= top {
			at = &above
		}
		d.regionalBoxes = append(d.regionalBoxes, box{x, *at, sideWide, k.high()})
		*at += k.high() + gap
	}
	return max(y, above) - gap
}

// high is how high a card is.
func (k card) high() float64 { return 34 + cardLine*float64(len(k.lines)) }

// placeOperations fills the width with cards, as many beside each other as have room.
func (d *drawing) placeOperations(y float64) {
	d.ops = box{margin, y, d.w - 2*margin, 0}
	if len(d.operations) == 0 {
		d.h = y
		return
	}
	y += gap
	left := margin + gap + label
	room := d.ops.right() - gap - left
	columns := min(len(d.operations), max(1, int((room+gap)/(150+gap))))
	wide := (room - float64(columns-1)*gap) / float64(columns)
	for i := 0; i < len(d.operations); i += columns {
		row := d.operations[i:min(i+columns, len(d.operations))]
		high := 0.0
		for _, c := range row {
			high = max(high, c.high())
		}
		for n := range row {
			d.operationsBoxes = append(d.operationsBoxes, box{left + float64(n)*(wide+gap), y, wide, high}.rounded())
		}
		y += high + gap
	}
	d.ops.h = y - d.ops.y
	d.h = y + margin
}

// tenth rounds a coordinate: more digits are noise, and differ between processors.
func tenth(n float64) float64 { return math.Round(n*10) / 10 }

func (b box) rounded() box { return box{tenth(b.x), tenth(b.y), tenth(b.w), tenth(b.h)} }
