package wire

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
)

const maxFormDepth = 32 // of a parameter's name; the deepest input that AWS models has about half of it

// formNode is a request form as a tree: "Filter.1.Value.2=x" is four levels deep.
type formNode struct {
	value    string
	children map[string]*formNode
	used     bool
}

// parseForm makes the tree. A name nested too deep is refused by the caller's ok.
func parseForm(form url.Values) (root *formNode, ok bool) {
	root = &formNode{}
	for name, values := range form {
		parts := strings.Split(name, ".")
		if len(parts) > maxFormDepth {
			return nil, false
		}
		n := root
		for _, part := range parts {
			if n.children == nil {
				n.children = map[string]*formNode{}
			}
			if n.children[part] == nil {
				n.children[part] = &formNode{}
			}
			n = n.children[part]
		}
		n.value = values[len(values)-1]
	}
	return root, true
}

// child returns the node below n for a dotted path and marks it used, or nil.
func (n *formNode) child(path string) *formNode {
	for part := range strings.SplitSeq(path, ".") {
		if n = n.children[part]; n == nil {
			return nil
		}
		n.used = true
	}
	return n
}

// elements returns the children that are numbered, by their number. Gaps are allowed, as at AWS.
func (n *formNode) elements() []*formNode {
	var numbers []int
	for name := range n.children {
		if i, err := strconv.Atoi(name); err == nil && i >= 0 && strconv.Itoa(i) == name {
			numbers = append(numbers, i)
		}
	}
	slices.Sort(numbers)
	out := make([]*formNode, len(numbers))
	for i, number := range numbers {
		out[i] = n.child(strconv.Itoa(number))
	}
	return out
}

// unused returns the first name, in order, that no member took.
func (n *formNode) unused(prefix string) (string, bool) {
	names := make([]string, 0, len(n.children))
	for name := range n.children {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		child := n.children[name]
		if !child.used {
			return prefix + name, true
		}
		if found, ok := child.unused(prefix + name + "."); ok {
			return found, true
		}
	}
	return "", false
}
