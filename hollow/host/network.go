package host

import (
	"windtunnel/hollow"
	"windtunnel/hollow/link"
)

// Network stands between one node with connections of its own and the server: a gate before a link.
type Network struct {
	*Gate
	link *link.Link
}

// NewNetwork returns an open and good network that connects by dial.
func NewNetwork(dial link.Dial) *Network {
	l := link.New(dial)
	return &Network{Gate: NewGate(l.Dial), link: l}
}

// SetConditions implements Breakable.
func (n *Network) SetConditions(c hollow.Conditions) { n.link.Set(c) }
