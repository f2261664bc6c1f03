// Package diagram draws a stack as SVG: tiers from the edge to the data, zones as columns, what runs in each, and the paths that security groups
// and permissions open between them. It reads the resources that a stack declares or has; nothing is laid out by hand, and the same resources
// give the same picture.
package diagram

import (
	"errors"

	"storefront/internal/inventory"
)

// ErrEmpty says that there is nothing to draw.
var ErrEmpty = errors.New("the stack has no subnets to draw")

// SVG returns the picture of a stack. The text below the title says where the resources come from. The error is ErrEmpty.
func SVG(s *inventory.Stack, source string) ([]byte, error) {
	p, err := read(s, source)
	if err != nil {
		return nil, err
	}
	return p.layOut().svg(), nil
}

// Declared says where a picture's resources come from when they are what the program declares for a profile.
func Declared(profile string) string { return "as the profile " + profile + " declares it" }
