package wire

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
)

const maxXMLDepth = 64

// xmlNode is an element of a request body.
type xmlNode struct {
	name     string
	attrs    map[string]string // by local name: "type" for xsi:type
	children []*xmlNode
	text     strings.Builder
}

// parseXML reads one document. It returns nil for an empty one.
func parseXML(body []byte) (*xmlNode, error) {
	d := xml.NewDecoder(bytes.NewReader(body))
	top := &xmlNode{}
	open := []*xmlNode{top}
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		current := open[len(open)-1]
		switch t := token.(type) {
		case xml.StartElement:
			if len(open) > maxXMLDepth {
				return nil, fmt.Errorf("elements are nested more than %d deep", maxXMLDepth)
			}
			n := &xmlNode{name: t.Name.Local}
			for _, a := range t.Attr {
				if n.attrs == nil {
					n.attrs = map[string]string{}
				}
				n.attrs[a.Name.Local] = a.Value
			}
			current.children = append(current.children, n)
			open = append(open, n)
		case xml.EndElement:
			open = open[:len(open)-1]
		case xml.CharData:
			current.text.Write(t)
		}
	}
	switch len(top.children) {
	case 0:
		return nil, nil
	case 1:
		return top.children[0], nil
	}
	return nil, errors.New("more than one root element")
}

// all returns the children of a name.
func (n *xmlNode) all(name string) []*xmlNode {
	var out []*xmlNode
	for _, c := range n.children {
		if c.name == name {
			out = append(out, c)
		}
	}
	return out
}
