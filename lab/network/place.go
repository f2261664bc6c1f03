package network

// Place is a spot in the region's network where sockets can be opened and processes started. The zero Place is no place.
type Place struct{ kind, id string }

// Internet is the region's internet side: where public addresses and service endpoints live.
func Internet() Place { return Place{kind: "internet"} }

// InVPC is the router of a VPC, which owns the subnets' gateway addresses and the resolver's.
func InVPC(id string) Place { return Place{kind: "vpc", id: id} }

// InInterface is the namespace behind an elastic network interface.
func InInterface(id string) Place { return Place{kind: "interface", id: id} }

// String names the place in messages.
func (p Place) String() string {
	if p.id == "" {
		return p.kind
	}
	return p.kind + " " + p.id
}
