package usage

import (
	"time"

	"windtunnel/hollow/light/api"
	"windtunnel/hollow/light/wire"
)

// Annotations of a pod by which it says itself what each of its containers uses, on average: KWOK's.
const (
	CPUAnnotation    = "kwok.x-k8s.io/usage-cpu"
	MemoryAnnotation = "kwok.x-k8s.io/usage-memory"
)

// pod is a pod of a node with what its containers use.
type pod struct {
	namespace, name string
	annotations     annotations
	containers      []container
	spent           float64 // core seconds of its containers that have ended
}

// annotations are what a pod says of its usage; empty texts where it says nothing.
type annotations struct {
	cpu, memory string
	// allMemory is what all containers use together (api.MemoryAnnotation).
	allMemory string
}

// container is one container of a pod. Its counters are those of its present run.
type container struct {
	name        string
	init        bool
	cpu, memory float64 // what it requests, in cores and bytes

	runs    bool
	demand  demand
	began   time.Time     // of this run
	said    time.Time     // the same by the node's clock
	changed time.Duration // after its start, when its demand last changed
	spent   float64       // core seconds until then
}

// readAnnotations reads an encoded Pod's: metadata = 1 {annotations = 12}.
func readAnnotations(object []byte) annotations {
	meta := wire.Field(object, 1)
	text := func(key string) string { return string(wire.InMap(meta, 12, key)) }
	return annotations{cpu: text(CPUAnnotation), memory: text(MemoryAnnotation), allMemory: text(api.MemoryAnnotation)}
}

// readPod reads an encoded Pod: metadata = 1 {name = 1, namespace = 3}, spec = 2 {containers = 2, initContainers = 20}.
func readPod(object []byte) *pod {
	p := &pod{namespace: string(wire.At(object, 1, 3)), name: string(wire.At(object, 1, 1)), annotations: readAnnotations(object)}
	_ = wire.Each(wire.Field(object, 2), func(f wire.Number, b []byte, _ uint64) bool { // what is malformed has no containers
		if f == 2 || f == 20 {
			p.containers = append(p.containers, readContainer(b, f == 20))
		}
		return true
	})
	return p
}

// readContainer reads an encoded Container: name = 1, resources = 8 {requests = 2, a map to Quantity {string = 1}}.
func readContainer(b []byte, init bool) container {
	c := container{name: string(wire.Field(b, 1)), init: init}
	request := func(name string) float64 {
		q, _ := quantity(string(wire.Field(wire.InMap(wire.Field(b, 8), 2, name), 1)))
		return q
	}
	c.cpu, c.memory = request("cpu"), request("memory")
	return c
}

// ordinary is how many containers there are besides init containers.
func (p *pod) ordinary() (n int) {
	for i := range p.containers {
		if !p.containers[i].init {
			n++
		}
	}
	return n
}

// total is the CPU time of the pod until now, also of containers that have ended, in core seconds.
func (p *pod) total(now time.Time) float64 {
	sum := p.spent
	for i := range p.containers {
		if c := &p.containers[i]; c.runs {
			sum += c.seconds(now)
		}
	}
	return sum
}

// start begins a run, whose counter begins at 0.
func (c *container) start(d demand, now, said time.Time) {
	c.runs, c.demand, c.began, c.said, c.changed, c.spent = true, d, now, said, 0, 0
}

// change has a container use something else from now on. Its counter goes on.
func (c *container) change(d demand, now time.Time) {
	c.spent, c.changed = c.seconds(now), now.Sub(c.began)
	c.demand = d
}

// seconds is the CPU time of this run until now, in core seconds.
func (c *container) seconds(now time.Time) float64 {
	return c.spent + c.demand.seconds(c.changed, max(c.changed, now.Sub(c.began)))
}
