package profiles

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"
)

// The ways in which nodes break.
const (
	FaultDown      = "down"
	FaultPartition = "partition"
	FaultSlow      = "slow"
	FaultFlapping  = "flapping"
	FaultClockSkew = "clockSkew"
)

// AnyZone stands for one of the zones, drawn anew for each fault.
const AnyZone = "any"

// NodeFault breaks nodes in one way for a time and mends them. What the controllers do about it is measured: when a node is marked
// NotReady and tainted, when its pods are evicted and replaced, and when it is Ready again.
type NodeFault struct {
	// Kind is how the nodes break. down cuts them off so that they learn it at once, as when their machine ends; partition makes
	// packets vanish either way, so that connections hang until the partition ends or someone gives up on them; slow makes what
	// they send late, or the way narrow; flapping is down and up in turn; clockSkew shifts the times that they report (light nodes of fidelity kubelet can do that; and nodes of fidelity minimal can only be down or flap).
	Kind string `yaml:"kind" json:"kind" enum:"down,partition,slow,flapping,clockSkew"`
	// Count is how many nodes break, drawn from the seed among those that are whole.
	Count int `yaml:"count,omitempty" json:"count,omitempty"`
	// Fraction is how many break, as a part of all hollow nodes (of the zone, if one is named), rounded up.
	Fraction float64 `yaml:"fraction,omitempty" json:"fraction,omitempty"`
	// Numbers are the numbers in the names of the nodes that break.
	Numbers []int `yaml:"numbers,omitempty" json:"numbers,omitempty"`
	// Zone is where they are: zone-0, zone-1, …, or any for one of the zones, drawn for each fault. Without count and fraction the whole zone breaks.
	Zone string `yaml:"zone,omitempty" json:"zone,omitempty"`
	// For is how long they stay so.
	For Duration `yaml:"for" json:"for"`
	// Latency is added by slow to everything that a node sends.
	Latency Duration `yaml:"latency,omitempty" json:"latency,omitempty"`
	// Jitter is how much Latency varies either way.
	Jitter Duration `yaml:"jitter,omitempty" json:"jitter,omitempty"`
	// Bandwidth is what slow leaves of a node's connection, each way, in bytes a second. Default: no limit.
	Bandwidth float64 `yaml:"bandwidth,omitempty" json:"bandwidth,omitempty"`
	// Down is how long a flapping node is down each time.
	Down Duration `yaml:"down,omitempty" json:"down,omitempty"`
	// Up is how long it is up in between.
	Up Duration `yaml:"up,omitempty" json:"up,omitempty"`
	// Offset is by how much the clock of a node goes ahead with clockSkew; negative: behind.
	Offset Duration `yaml:"offset,omitempty" json:"offset,omitempty"`
	// Arrivals makes it a stream of such faults, each for nodes of its own and with its own time. Nodes that are broken already
	// are not chosen again. Default: one fault, at once.
	Arrivals *Arrivals `yaml:"arrivals,omitempty" json:"arrivals,omitempty"`
}

// ZoneOf is the zone of the node with a number, of so many zones: the nodes go round them.
func ZoneOf(number, zones int) string { return "zone-" + strconv.Itoa(number%max(zones, 1)) }

// Pick chooses the numbers of the nodes that a fault breaks, in ascending order: of nodes nodes in zones zones, none for which
// broken holds. It is a pure function of its arguments and the random source. They may be fewer than asked for, and none.
func (f NodeFault) Pick(nodes, zones int, broken func(number int) bool, random *rand.Rand) []int {
	zone := f.Zone
	if zone == AnyZone {
		zone = ZoneOf(random.IntN(max(zones, 1)), zones)
	}
	inZone, whole := 0, []int(nil)
	for n := range nodes {
		if zone != "" && ZoneOf(n, zones) != zone {
			continue
		}
		inZone++
		if !broken(n) && (len(f.Numbers) == 0 || slices.Contains(f.Numbers, n)) {
			whole = append(whole, n)
		}
	}
	want := len(whole)
	switch {
	case f.Count > 0:
		want = f.Count
	case f.Fraction > 0:
		want = int(math.Ceil(f.Fraction*float64(inZone) - 1e-9))
	}
	random.Shuffle(len(whole), func(i, j int) { whole[i], whole[j] = whole[j], whole[i] })
	whole = whole[:min(want, len(whole))]
	slices.Sort(whole)
	return whole
}

// Length is how long the step takes; 0 means to the end of the phase.
func (f NodeFault) Length() time.Duration {
	switch {
	case f.Arrivals == nil:
		return time.Duration(f.For)
	case f.Arrivals.endless():
		return 0
	}
	return f.Arrivals.Length() + time.Duration(f.For)
}

// text is the fault in a few words.
func (f NodeFault) text() string {
	which := ""
	switch {
	case f.Count > 0:
		which = counted(f.Count, "node")
	case f.Fraction > 0:
		which = fmt.Sprintf("%.4g %% of the nodes", f.Fraction*100)
	case len(f.Numbers) > 0:
		which = "nodes " + fmt.Sprint(f.Numbers)
	default:
		which = "all nodes"
	}
	switch f.Zone {
	case "":
	case AnyZone:
		which += " of a zone"
	default:
		which += " of " + f.Zone
	}
	text := fmt.Sprintf("%s: %s for %s", f.how(), which, f.For)
	if f.Arrivals != nil {
		text += ", " + f.Arrivals.text()
	}
	return text
}

// how names the kind with its figures.
func (f NodeFault) how() string {
	switch f.Kind {
	case FaultSlow:
		text := f.Kind
		if f.Latency > 0 {
			text += fmt.Sprintf(" by %s", f.Latency)
		}
		if f.Jitter > 0 {
			text += fmt.Sprintf(" ± %s", f.Jitter)
		}
		if f.Bandwidth > 0 {
			text += fmt.Sprintf(" to %.0f bytes/s", f.Bandwidth)
		}
		return text
	case FaultFlapping:
		return fmt.Sprintf("%s %s down, %s up", f.Kind, f.Down, f.Up)
	case FaultClockSkew:
		return fmt.Sprintf("%s by %s", f.Kind, f.Offset)
	}
	return f.Kind
}
