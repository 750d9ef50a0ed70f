package profiles

import (
	"slices"
	"strconv"
	"strings"
)

// nodeFault checks a fault of nodes.
func (c *checker) nodeFault(path string, track Track, index int, f NodeFault) {
	h := c.HollowNodes
	if c.required(path+".kind", f.Kind) {
		c.enum(path+".kind", f.Kind, enumOf[NodeFault]("kind"))
	}
	if h.Count == 0 && !c.unknown("hollowNodes.count") {
		c.problem(path, "write hollowNodes.count", "there are no hollow nodes")
	}
	c.chosen(path, f)
	if c.absent(path+".for") || f.For == 0 {
		c.problem(path+".for", "how long the nodes stay so", "is required")
	} else {
		c.span(path+".for", f.For)
	}
	c.faultFigures(path, f)
	if f.Arrivals == nil {
		return
	}
	c.arrivals(path+".arrivals", *f.Arrivals)
	switch {
	case !f.Arrivals.endless() || c.unknown(path+".arrivals.for", path+".arrivals.stages"):
	case !track.Background:
		c.problem(path+".arrivals", "write for: DURATION, or make the track background: true", "the stream has no end, and the phase would wait for it")
	case index < len(track.Steps)-1:
		c.problem(path+".arrivals", "write for: DURATION", "the stream lasts to the end of the phase, so the steps after it are never reached")
	}
}

// chosen checks which nodes break.
func (c *checker) chosen(path string, f NodeFault) {
	h, nodesKnown := c.HollowNodes, !c.unknown("hollowNodes.count")
	ways := 0
	for _, set := range []bool{f.Count != 0, f.Fraction != 0, len(f.Numbers) > 0} {
		if set {
			ways++
		}
	}
	switch unknown := c.unknown(path+".count", path+".fraction", path+".numbers", path+".zone"); {
	case unknown:
	case ways > 1:
		c.problem(path, "keep one of them", "count, fraction and numbers each say which nodes")
	case ways == 0 && f.Zone == "":
		c.problem(path, "one of: count, fraction, numbers, zone", "it does not say which nodes")
	}
	c.atLeast(path+".count", f.Count, 0)
	c.fraction(path+".fraction", f.Fraction)
	if f.Count > h.Count && nodesKnown {
		c.problem(path+".count", "", "there are only %s", counted(h.Count, "hollow node"))
	}
	for i, n := range f.Numbers {
		switch {
		case n < 0 || n >= h.Count && nodesKnown:
			c.problem(joinIndex(path+".numbers", i), "", "there is no node %d: they are numbered from 0 to %d", n, h.Count-1)
		case slices.Contains(f.Numbers[:i], n):
			c.problem(joinIndex(path+".numbers", i), "take it away", "node %d is there already", n)
		}
	}
	if f.Zone == "" || f.Zone == AnyZone || c.unknown("hollowNodes.zones") {
		return
	}
	number, err := strconv.Atoi(strings.TrimPrefix(f.Zone, "zone-"))
	if err != nil || number < 0 || number >= max(h.Zones, 1) || f.Zone != ZoneOf(number, h.Zones) {
		c.problem(path+".zone", "zone-0 to "+ZoneOf(h.Zones-1, h.Zones)+", or any", "there is no zone %q", f.Zone)
	}
}

// faultFigures checks the figures that a kind of fault has, and that it has no others.
func (c *checker) faultFigures(path string, f NodeFault) {
	figures := []struct {
		name, kind string
		set        bool
	}{
		{"latency", FaultSlow, f.Latency != 0}, {"jitter", FaultSlow, f.Jitter != 0}, {"bandwidth", FaultSlow, f.Bandwidth != 0},
		{"down", FaultFlapping, f.Down != 0}, {"up", FaultFlapping, f.Up != 0}, {"offset", FaultClockSkew, f.Offset != 0},
	}
	for _, one := range figures {
		if one.set && f.Kind != one.kind && f.Kind != "" && !c.unknown(path+".kind") {
			c.problem(path+"."+one.name, "take it away", "only %s has it, and this fault is %s", one.kind, f.Kind)
		}
	}
	if c.HollowNodes.Minimal() && (f.Kind == FaultPartition || f.Kind == FaultSlow) {
		c.problem(path+".kind", "choose down or flapping, or hollowNodes.fidelity: kubelet", "nodes of fidelity minimal share their connections, so that none can be made bad for one of them alone")
	}
	switch f.Kind {
	case FaultSlow:
		c.delay(path+".latency", f.Latency)
		c.delay(path+".jitter", f.Jitter)
		c.notNegative(path+".bandwidth", f.Bandwidth)
		if f.Jitter > f.Latency {
			c.problem(path+".jitter", "at most the latency", "nothing arrives before it was sent: %s ± %s", f.Latency, f.Jitter)
		}
		if f.Latency == 0 && f.Bandwidth == 0 && !c.unknown(path+".latency", path+".bandwidth") {
			c.problem(path, "write latency, bandwidth or both", "it does not say how slow")
		}
	case FaultFlapping:
		for name, d := range map[string]Duration{"down": f.Down, "up": f.Up} {
			if !c.unknown(path + "." + name) {
				c.span(path+"."+name, d)
			}
		}
	case FaultClockSkew:
		if h := c.HollowNodes; !h.Light() || h.Minimal() {
			c.problem(path+".kind", "choose another kind, or hollowNodes.tier: light with fidelity: kubelet", "such a node has the clock of its machine, which cannot be shifted for it alone")
		}
		if f.Offset == 0 && !c.unknown(path+".offset") {
			c.problem(path+".offset", "such as -30s", "is required")
		}
	}
}
