package diagram

import (
	"bytes"
	_ "embed"
	"encoding/xml"
	"fmt"
	"strings"
)

//go:embed style.css
var style string

// canvas writes SVG.
type canvas struct{ bytes.Buffer }

func (c *canvas) rect(class string, b box, radius float64) {
	fmt.Fprintf(c, `<rect class="%s" x="%g" y="%g" width="%g" height="%g" rx="%g"/>`+"\n", class, b.x, b.y, b.w, b.h, radius)
}

// text writes a line that begins at x, or has its middle there when the class says "mid". What has no room in the width is cut.
func (c *canvas) text(class string, x, y, width, size float64, text string) {
	fmt.Fprintf(c, `<text class="%s" x="%g" y="%g">`, class, x, y)
	_ = xml.EscapeText(c, []byte(fit(text, width, size))) // a buffer takes everything
	c.WriteString("</text>\n")
}

// heading writes a title with a note behind it, as far as there is room.
func (c *canvas) heading(x, y, width float64, title, note string) {
	title = fit(title, width, 13)
	fmt.Fprintf(c, `<text x="%g" y="%g"><tspan class="head">`, x, y)
	_ = xml.EscapeText(c, []byte(title))
	c.WriteString(`</tspan><tspan class="note" dx="10">`)
	_ = xml.EscapeText(c, []byte(fit(note, width-float64(len([]rune(title)))*13*wide-10, 11)))
	c.WriteString("</tspan></text>\n")
}

// wide is how wide a character is on average, as a share of the font's size, in the widest of the fonts that style.css names.
const wide = 0.6

// fit cuts a text that has no room.
func fit(text string, width, size float64) string {
	room := int(width / (size * wide))
	if runes := []rune(text); len(runes) > room {
		if room < 2 {
			return ""
		}
		return strings.TrimRight(string(runes[:room-1]), " ,") + "…"
	}
	return text
}

func (d *drawing) svg() []byte {
	c := &canvas{}
	fmt.Fprintf(c, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %g %g" role="img" aria-labelledby="title description">`+"\n", d.w, d.h)
	c.WriteString(`<title id="title">`)
	_ = xml.EscapeText(c, []byte("The stack "+d.name))
	c.WriteString("</title>\n" + `<desc id="description">`)
	_ = xml.EscapeText(c, []byte(d.describe()))
	c.WriteString("</desc>\n<style>\n" + style + "</style>\n<defs>\n")
	for _, class := range []string{"plain", "path1", "path2", "path3", "message"} {
		fmt.Fprintf(c, `<marker id="%s" viewBox="0 0 10 10" refX="8" refY="5" markerWidth="7" markerHeight="7" orient="auto-start-reverse"><path class="tip %[1]s" d="M0 0 10 5 0 10z"/></marker>`+"\n", class)
	}
	c.WriteString("</defs>\n")
	c.rect("page", box{0, 0, d.w, d.h}, 10)
	c.text("title", margin, margin+22, d.w-2*margin, 20, d.name)
	c.text("note", margin, margin+42, d.w/2, 12, d.source)
	d.drawEdge(c)
	d.drawVPC(c)
	d.drawSide(c)
	d.drawCards(c)
	for _, a := range d.arrows() {
		fmt.Fprintf(c, `<path class="arrow %s" d="%s" marker-end="url(#%[1]s)"/>`+"\n", a.class, a.path)
	}
	c.WriteString("</svg>\n")
	return c.Bytes()
}

// describe tells the picture to those who cannot see it.
func (d *drawing) describe() string {
	var said []string
	for _, t := range d.tiers {
		var bands []string
		for _, b := range t.bands {
			if b.title != "" {
				bands = append(bands, b.title+" ("+b.note+")")
			}
		}
		said = append(said, t.name+" subnets with "+strings.Join(bands, ", "))
	}
	return fmt.Sprintf("%s across %s: %s.", d.picture.vpc, strings.Join(d.zones, ", "), strings.Join(said, "; "))
}

func (d *drawing) drawEdge(c *canvas) {
	c.rect("tier", d.edgeTier, 10)
	c.text("head", d.edgeTier.x+2*gap, d.edgeTier.y+gap+24, label, 13, "edge")
	for i, e := range d.edge {
		b := d.edgeBoxes[i]
		d.drawChip(c, placed{e, b})
		if i > 0 {
			before := d.edgeBoxes[i-1]
			fmt.Fprintf(c, `<path class="arrow plain" d="M%g %gH%g" marker-end="url(#plain)"/>`+"\n", before.right(), b.y+b.h/2, b.x-2)
		}
	}
}

func (d *drawing) drawVPC(c *canvas) {
	c.rect("vpc", d.vpc, 10)
	c.text("head", d.vpc.x+gap, d.vpc.y+22, label+lane*float64(d.lanes)+gap, 13, d.picture.vpc)
	for i, t := range d.tiers {
		b := d.tierBoxes[i]
		c.rect("tier", b, 6)
		c.text("head", b.x+gap, b.y+24, label, 13, t.name)
		for n, line := range lines(t.note, label-gap, 11) {
			c.text("note", b.x+gap, b.y+42+15*float64(n), label, 11, line)
		}
	}
	for i, zone := range d.zones {
		b := d.zoneBoxes[i]
		c.rect("zone", b, 8)
		c.text("head", b.x+gap, b.y+20, b.w/2-gap, 13, zone)
	}
	for i, b := range d.subnetBoxes {
		t, zone := d.tiers[i/len(d.zones)], d.zones[i%len(d.zones)]
		if cidr := t.subnets[zone]; cidr != "" {
			c.rect("subnet", b, 6)
			c.text("cidr", b.x+gap, b.y+16, b.w/2-gap, 11, cidr)
		}
	}
	d.drawWayIn(c)
	for i, t := range d.tiers {
		for n, b := range t.bands {
			d.drawBand(c, b, d.bandBoxes[i][n])
		}
	}
}

// drawWayIn leads from the last step of the edge to the load balancer.
func (d *drawing) drawWayIn(c *canvas) {
	for i, t := range d.tiers {
		for n, b := range t.bands {
			if b.of != nil && b.of.Type == balancerType && len(d.edgeBoxes) > 0 {
				from, to := d.edgeBoxes[len(d.edgeBoxes)-1], d.bandBoxes[i][n]
				fmt.Fprintf(c, `<path class="arrow plain" d="M%g %gV%g" marker-end="url(#plain)"/>`+"\n", from.middle(), from.bottom(), to.y-2)
				return
			}
		}
	}
}

func (d *drawing) drawBand(c *canvas, b *band, at box) {
	if b.title != "" {
		c.rect("band "+b.class, at, 7)
		c.heading(at.x+10, at.y+19, at.w-20, b.title, b.note)
	}
	for _, p := range d.chipBoxes[b] {
		d.drawChip(c, p)
	}
}

func (d *drawing) drawChip(c *canvas, p placed) {
	c.rect("chip "+p.class, p.box, 6)
	middle := p.y + p.h/2
	c.text("mid strong", p.middle(), middle-3, p.w-6, 12, p.title)
	c.text("mid note", p.middle(), middle+13, p.w-6, 11, p.note)
}

func (d *drawing) drawSide(c *canvas) {
	for i, q := range d.beside {
		b := d.sideBoxes[i]
		d.drawChip(c, placed{chip{q.title, q.note, "queue"}, box{b.x, b.y, b.w, 50}})
		if q.dead != "" {
			fmt.Fprintf(c, `<path class="arrow message" d="M%g %gv16" marker-end="url(#message)"/>`+"\n", b.middle(), b.y+50)
			d.drawChip(c, placed{chip{"queue " + q.dead, "what fails for good", "quiet"}, box{b.x, b.y + 68, b.w, 44}})
		}
	}
}

func (d *drawing) drawCards(c *canvas) {
	for i, k := range d.regional {
		d.drawCard(c, k, d.regionalBoxes[i])
	}
	if len(d.operations) == 0 {
		return
	}
	c.rect("tier", d.ops, 10)
	c.text("head", d.ops.x+2*gap, d.ops.y+gap+24, label, 13, "operations")
	for i, k := range d.operations {
		d.drawCard(c, k, d.operationsBoxes[i])
	}
}

func (d *drawing) drawCard(c *canvas, k card, b box) {
	c.rect("chip plain", b, 6)
	c.text("strong", b.x+gap, b.y+21, b.w-2*gap, 12, k.title)
	for n, line := range k.lines {
		c.text("note", b.x+gap, b.y+40+cardLine*float64(n), b.w-gap-6, 11, line)
	}
}

// lines breaks a text into lines of a width.
func lines(text string, width, size float64) (all []string) {
	room := int(width / (size * wide))
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && len(line)+1+len(word) > room {
			all, line = append(all, line), ""
		}
		line = strings.TrimPrefix(line+" "+word, " ")
	}
	return append(all, line)
}
