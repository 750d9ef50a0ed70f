package usage

import (
	"hash/fnv"
	"math"
	"math/rand/v2"
	"time"

	"k8s.io/apimachinery/pkg/api/resource"

	"windtunnel/profiles"
)

// What a container uses whose usage is a share of a request that it does not make: as little as KWOK's own default. metrics-server
// leaves out pods with containers that use nothing.
const (
	leastCPU    = 0.001   // cores
	leastMemory = 1 << 20 // bytes
)

// demands say what containers use: the profile's usage, read.
type demands struct {
	cpu, memory profiles.Amount
	swing       float64
	period      time.Duration
	seed        uint64
}

// demand is what one container uses while it runs: at the instant t after its start
//
//	rate(t) = cpu · (1 + swing · sin(ωt + phase)),  ω = 2π / period
//
// cores, and the same of memory in bytes.
type demand struct {
	cpu, memory float64
	swing       float64
	omega       float64 // radians a second
	phase       float64 // radians
}

// of is what a container of a pod uses. Its phase is the same in every run of one seed.
func (d *demands) of(p *pod, c *container) demand {
	one := demand{cpu: d.cpu.Of(c.cpu, leastCPU), memory: d.memory.Of(c.memory, leastMemory), swing: d.swing, omega: 2 * math.Pi / d.period.Seconds()}
	if cpu, ok := quantity(p.annotations.cpu); ok {
		one.cpu = cpu
	}
	if memory, ok := quantity(p.annotations.memory); ok {
		one.memory = memory
	} else if all, ok := quantity(p.annotations.allMemory); ok {
		one.memory = 0
		if !c.init {
			one.memory = all / float64(p.ordinary())
		}
	}
	place := fnv.New64a()
	for _, name := range []string{p.namespace, p.name, c.name} {
		place.Write([]byte(name))
		place.Write([]byte{0})
	}
	one.phase = 2 * math.Pi * rand.New(rand.NewPCG(d.seed, place.Sum64())).Float64()
	return one
}

// quantity reads a Kubernetes quantity that is not negative. What is none counts as not given.
func quantity(text string) (float64, bool) {
	if text == "" {
		return 0, false
	}
	q, err := resource.ParseQuantity(text)
	if err != nil || q.Sign() < 0 {
		return 0, false
	}
	return q.AsApproximateFloat64(), true
}

// bytes is the working set at t after the container's start.
func (d demand) bytes(t time.Duration) float64 {
	return d.memory * (1 + d.swing*math.Sin(d.omega*t.Seconds()+d.phase))
}

// seconds is the CPU time from one instant after the container's start to another, in core seconds: the integral of the rate, whose
// sine's is a difference of cosines. So the counter is exact at every instant, however seldom it is read.
func (d demand) seconds(from, to time.Duration) float64 {
	a, b := from.Seconds(), to.Seconds()
	return d.cpu * (b - a + d.swing/d.omega*(math.Cos(d.omega*a+d.phase)-math.Cos(d.omega*b+d.phase)))
}
