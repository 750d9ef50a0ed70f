package usage

import (
	"math"
	"sync"
	"time"

	"windtunnel/hollow/light/wire"
)

// What a node's system uses besides its pods: the kubelet, the container runtime and all else.
const (
	systemCPU    = 0.1       // cores
	systemMemory = 512 << 20 // bytes, as in the eviction of hollow/light/kubelet
)

// Node is what the server knows of one node. The node tells it what happens; methods of nil do nothing, so that usage costs nothing where
// it is off. It is safe for concurrent use.
type Node struct {
	server *Server
	name   string
	access *Access

	mu    sync.Mutex
	began time.Time
	skew  time.Duration // by how much its clock goes ahead
	cut   bool
	spent float64         // core seconds of pods that have gone
	pods  map[string]*pod // by UID
}

func newNode(server *Server, name string, access *Access) *Node {
	return &Node{server: server, name: name, access: access, began: time.Now(), pods: make(map[string]*pod)}
}

// Seen takes in an event about a pod of the node, whose bytes are not kept. A pod is new when it is added, and uses nothing before its
// containers start. Of one that is known only annotations are read again.
func (n *Node) Seen(e wire.Event) {
	if n == nil || e.Type == wire.Deleted {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	uid := wire.At(e.Object, 1, 5)
	p := n.pods[string(uid)]
	if p == nil {
		if e.Type == wire.Added {
			n.pods[string(uid)] = readPod(e.Object)
		}
		return
	}
	if a := readAnnotations(e.Object); a != p.annotations {
		p.annotations = a
		for i := range p.containers {
			if c := &p.containers[i]; c.runs {
				c.change(n.server.demands.of(p, c), time.Now())
			}
		}
	}
}

// Start says that a container of a pod runs from now on, which is said by the node's clock; without a name, that all but init containers do.
func (n *Node) Start(uid, name string, said time.Time) {
	n.each(uid, name, func(p *pod, c *container) {
		if !c.runs {
			c.start(n.server.demands.of(p, c), time.Now(), said)
		}
	})
}

// Stop says that a container of a pod has ended; without a name, that all but init containers have.
func (n *Node) Stop(uid, name string) {
	n.each(uid, name, func(p *pod, c *container) {
		if c.runs {
			p.spent += c.seconds(time.Now())
			c.runs = false
		}
	})
}

func (n *Node) each(uid, name string, do func(*pod, *container)) {
	if n == nil {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	p := n.pods[uid]
	if p == nil {
		return
	}
	for i := range p.containers {
		if c := &p.containers[i]; c.name == name || name == "" && !c.init {
			do(p, c)
		}
	}
}

// Gone forgets a pod.
func (n *Node) Gone(uid string) {
	if n == nil {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if p := n.pods[uid]; p != nil {
		n.spent += p.total(time.Now())
		delete(n.pods, uid)
	}
}

// SetClock says by how much the node's clock goes ahead; negative: behind.
func (n *Node) SetClock(offset time.Duration) { n.set(func() { n.skew = offset }) }

// Cut cuts the node off, so that nobody gets an answer, or lets it back.
func (n *Node) Cut(off bool) { n.set(func() { n.cut = off }) }

func (n *Node) set(do func()) {
	if n != nil {
		n.mu.Lock()
		defer n.mu.Unlock()
		do()
	}
}

func (n *Node) isCut() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.cut
}

// Leave forgets the node.
func (n *Node) Leave() {
	if n != nil {
		n.server.forget(n)
	}
}

// used is how much something has used: CPU time in core seconds, and the working set in bytes.
type used struct{ cpu, memory float64 }

// reading is what a node and all that runs on it have used until an instant.
type reading struct {
	at time.Time // by the node's clock
	used
	pods []podReading
}

type podReading struct {
	namespace, name string
	used
	containers []containerReading // those that run, at least one
}

type containerReading struct {
	name  string
	start time.Time // by the node's clock
	used
}

// read reads the node. The instant is a whole millisecond, as in the text format, so that counters are exact for the times that they have
// there.
func (n *Node) read() reading {
	n.mu.Lock()
	defer n.mu.Unlock()
	now := time.Now()
	now = now.Add(-time.Duration(now.Nanosecond() % int(time.Millisecond)))
	r := reading{at: now.Add(n.skew), used: used{cpu: n.spent + systemCPU*now.Sub(n.began).Seconds(), memory: systemMemory}}
	for _, p := range n.pods {
		one := p.read(now)
		r.cpu += one.cpu
		r.memory += one.memory
		if len(one.containers) > 0 { // as the kubelet, which knows pods by their containers (pkg/kubelet/stats/cri_stats_provider.go)
			r.pods = append(r.pods, one)
		}
	}
	return r
}

func (p *pod) read(now time.Time) podReading {
	r := podReading{namespace: p.namespace, name: p.name, used: used{cpu: p.spent}}
	for i := range p.containers {
		c := &p.containers[i]
		if !c.runs {
			continue
		}
		u := used{cpu: c.seconds(now), memory: math.Round(c.demand.bytes(now.Sub(c.began)))}
		r.containers = append(r.containers, containerReading{name: c.name, start: c.said, used: u})
		r.cpu += u.cpu
		r.memory += u.memory
	}
	return r
}
