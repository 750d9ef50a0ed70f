package profiles

import (
	"math"
)

// What the parts of a run need, as measured on 2 cores with Kubernetes 1.36 (1 000 hollow nodes with proxies in one process
// took 1.60 GB, their API server 1.35 GB; 3 000 pods on 100 nodes brought the hollow process to 0.8 GB).
const (
	memoryControlPlane = 900 << 20 // etcd, API server, controller-manager, scheduler and windtunnel at rest
	memoryPerNode      = 3 << 20   // hollow kubelet and proxy 1.6 MB, and what the API server keeps for their watches
	memoryPerLightNode = 1600 << 10
	memoryPerBareNode  = 170 << 10 // of fidelity minimal, which has no watches of its own
	memoryPerPod       = 350 << 10 // in the hollow process 230 KB; the rest in the watch caches of the control plane
	memoryPerLightPod  = 140 << 10
	memoryPerObject    = 30 << 10 // in etcd, the API server and the controllers
	filesBase          = 300      // of any process
	filesPerNode       = 4        // in its shard: connections of kubelet and proxy, and inotify
	connectionsPerNode = 2        // at the API server: kubelet and proxy
)

// Estimate adds up what the plan asks of the machine. Memory and files are arithmetic on measured costs, not a promise.
func (p *Plan) Estimate() Estimate {
	e := Estimate{Nodes: p.Profile.HollowNodes.Count, Requests: map[string]int{}}
	for _, phase := range p.Outline() {
		e.Duration += phase.Duration
		for _, track := range phase.Tracks {
			for _, step := range track.Steps {
				for key, n := range step.Requests {
					e.Requests[key] += n
				}
			}
		}
	}
	pods, _ := peak(p.Phases, func(name string) float64 { return float64(p.Objects[name].Pods) })
	objects, _ := peak(p.Phases, func(string) float64 { return 1 })
	e.Pods = clampInt(pods)
	if p.Script != nil {
		e.Pods, e.Duration = p.Script.Pods, p.Script.Length
		objects = float64(p.Script.Pods)
	}
	shard := min(e.Nodes, p.Profile.HollowNodes.PerProcess)
	e.Files = filesBase + max(shard*filesPerNode, e.Nodes*connectionsPerNode)
	node, pod := int64(memoryPerNode), int64(memoryPerPod)
	if h := p.Profile.HollowNodes; h.Tier == TierLight {
		node, pod = memoryPerLightNode, memoryPerLightPod
		if h.Fidelity == FidelityMinimal {
			node, e.Files = memoryPerBareNode, filesBase
		}
	}
	e.Memory = memoryControlPlane + int64(e.Nodes)*node + int64(e.Pods)*pod + int64(clampInt(objects))*memoryPerObject
	return e
}

// mostCounted bounds how many arrivals Curve counts one by one.
const mostCounted = 5_000_000

// Curve is the rate at which the harness plans to send requests in a phase, in requests a second, over the phase's planned
// duration in equal bins. It counts the very instants that a run would plan, of reconciles with arrivals and of requests; a
// reconcile without arrivals and a closed loop are as fast as the system answers and are not in the curve. It is nil when
// the phase is not there, has no planned duration, or plans no instant.
func (p *Plan) Curve(phase string, bins int) []float64 {
	outline := p.Outline()
	for i := range outline {
		if outline[i].Name == phase && outline[i].Duration > 0 && bins > 0 {
			return p.curve(i, outline[i], bins)
		}
	}
	return nil
}

func (p *Plan) curve(phase int, outline PhaseOutline, bins int) []float64 {
	counts, planned := make([]float64, bins), 0
	width := outline.Duration.Seconds() / float64(bins)
	for j, track := range outline.Tracks {
		for k, step := range track.Steps {
			source := p.Phases[phase].Tracks[j].Steps[k]
			arrivals, most := source.arrivals(), mostCounted
			if arrivals == nil {
				continue
			}
			if source.Reconcile != nil {
				most = 0
				for _, n := range step.Requests {
					most += n
				}
			}
			n := 0
			for at := range Schedule(*arrivals, StreamSeed(p.Profile.Seed, outline.Name, track.Name, k)) {
				bin := int(math.Floor((step.Begin + at).Seconds() / width))
				if source.Reconcile != nil {
					bin = min(bin, bins-1) // its last arrival is the end of the phase
				}
				if bin >= bins || n >= most {
					break
				}
				counts[bin]++
				n++
			}
			planned += n
		}
	}
	if planned == 0 {
		return nil
	}
	for i := range counts {
		counts[i] /= width
	}
	return counts
}

// arrivals are the planned instants of a step; nil when it has none.
func (s Step) arrivals() *Arrivals {
	switch {
	case s.Requests != nil:
		return s.Requests.Arrivals
	case s.Reconcile != nil:
		return s.Reconcile.Arrivals
	}
	return nil
}
