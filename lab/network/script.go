package network

import (
	"fmt"
	"strings"
)

// script is nftables source in the making.
type script struct {
	strings.Builder
	depth int
}

func (w *script) line(format string, args ...any) {
	w.WriteString(strings.Repeat("\t", w.depth))
	fmt.Fprintf(w, format, args...)
	w.WriteByte('\n')
}

// open starts a block and close ends it.
func (w *script) open(format string, args ...any) {
	w.line(format+" {", args...)
	w.depth++
}

func (w *script) close() {
	w.depth--
	w.line("}")
}

// set declares a set or map with its elements.
func (w *script) set(name, kind string, elements []string) {
	w.open("%s", name)
	w.line("type %s", kind)
	if len(elements) > 0 { // an empty list is no syntax
		w.line("elements = { %s }", strings.Join(elements, ", "))
	}
	w.close()
}

// join joins the parts of a rule that are not empty.
func join(parts ...string) string { return strings.Join(strings.Fields(strings.Join(parts, " ")), " ") }
