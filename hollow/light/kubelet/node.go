package kubelet

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"

	"golang.org/x/time/rate"

	"windtunnel/hollow"
	"windtunnel/hollow/host"
	"windtunnel/hollow/ipam"
	"windtunnel/hollow/light/api"
	"windtunnel/hollow/light/h2"
	"windtunnel/hollow/light/loop"
	"windtunnel/hollow/light/usage"
	"windtunnel/hollow/light/wire"
)

// The kubelet's client limits (pkg/kubelet/apis/config/v1beta1/defaults.go), and those of its events.
const (
	kubeletQPS   = 50
	kubeletBurst = 100
	eventQPS     = 50
	eventBurst   = 100
)

// node is one node: a kubelet and its kube-proxy. All but what it is made with is of its loop.
type node struct {
	hollow.Node
	*host.Network
	shard   *shard
	loop    *loop.Loop
	client  api.Client
	others  api.Client // with the shared identity, for what a behaviour has written of pods that no kubelet writes; nil without one
	limiter *rate.Limiter
	usage   *usage.Node // nil: it does not serve what its pods use
	ready   func()      // told once
	strain  func()

	skew      time.Duration // by how much its clock goes ahead
	random    *rand.Rand    // of its runtime's latencies
	lease     []byte        // metadata of the Lease as it was answered last; nil: not known
	renewed   time.Time
	addresses *ipam.Addresses
	status    status
	seen      seen
	events    events
	objects   map[object]*reference
	pods      map[string]*pod // by UID
	writer    writer
	images    map[string]struct{} // besides those of all nodes
	eviction  eviction
	proxy     *proxy
}

func newNode(ctx context.Context, s *shard, described hollow.Node, l *loop.Loop) *node {
	n := &node{Node: described, shard: s, loop: l.Part(), Network: host.NewNetwork(api.Dialer())}
	n.client = s.server.Client(ctx, described.Kubelet, kubeletAgent, n.Dial)
	if s.behaviour != nil {
		n.others = s.server.Client(ctx, s.config.Shared, stagesAgent, n.Dial)
	}
	qps, burst := rate.Limit(kubeletQPS), kubeletBurst
	if s.config.QPS > 0 {
		qps = rate.Limit(s.config.QPS)
	}
	if s.config.Burst > 0 {
		burst = s.config.Burst
	}
	n.limiter = rate.NewLimiter(qps, burst)
	n.serveUsage()
	n.random = s.config.Random(described.Index)
	n.events.node = n
	n.writer.node = n
	return n
}

// Leave implements host.Leaver: whatever the node still waits for does not come any more.
func (n *node) Leave() {
	n.usage.Leave()
	n.loop.Post(func() {
		n.loop.End()
		n.client.Close()
		if n.proxy != nil {
			n.proxy.client.Close()
		}
	})
}

// fail notes what went wrong, for the shard's status, and that the server is strained where it shows.
func (n *node) fail(what string, r h2.Response, err error) {
	if api.Strained(r, err) {
		n.strain()
	}
	if err == nil {
		err = fmt.Errorf("the server answers %d", r.Status)
	}
	n.shard.Note(fmt.Errorf("node %s: %s: %w", n.Name, what, err))
}

// ask sends a call within the kubelet's client limit, except for heartbeats, which go by heartbeat.
func (n *node) ask(c api.Call) {
	if c.Accept == "" {
		c.Accept = wire.Protobuf + ",application/json"
	}
	n.send(c, n.limiter)
}

// send sends a call within a limit, and again as client-go does when the server asks for that. That it does shows at once that it is
// strained.
func (n *node) send(c api.Call, limiter *rate.Limiter) {
	again := n.again(limiter)
	c.Again = func(r h2.Response, send func()) {
		if api.Strained(r, nil) {
			n.strain()
		}
		again(r, send)
	}
	n.within(limiter, func() { api.Send(n.loop, n.client, c) })
}

// within has something sent as soon as the limit allows it; nil for none.
func (n *node) within(limiter *rate.Limiter, send func()) {
	if limiter != nil {
		now := time.Now()
		if wait := limiter.ReserveN(now, 1).DelayFrom(now); wait > 0 {
			n.loop.After(wait, send)
			return
		}
	}
	send()
}

// again waits for as long as the server asks for, and then for the limit, before a call is sent again.
func (n *node) again(limiter *rate.Limiter) func(h2.Response, func()) {
	return func(r h2.Response, send func()) {
		n.loop.After(api.Wait(r), func() { n.within(limiter, send) })
	}
}

// takes is how long the node's runtime takes for something, at the least what one that does it takes.
func (n *node) takes(l hollow.Latency, least time.Duration) time.Duration {
	return max(l.Draw(n.random), least)
}

// heartbeat sends a call of the heartbeat client, which has no limit but a time-out.
func (n *node) heartbeat(c api.Call) {
	c.Accept, c.Timeout = wire.Protobuf+",application/json", heartbeatTimeout
	n.send(c, nil)
}

// get is a GET.
func (n *node) get(path string, done func(h2.Response, error)) {
	n.ask(api.Call{Method: http.MethodGet, Path: path, Done: done})
}

// post is a POST of protobuf.
func (n *node) post(path string, body []byte, done func(h2.Response, error)) {
	n.ask(api.Call{Method: http.MethodPost, Path: path, ContentType: wire.Protobuf, Body: body, Done: done})
}

func ok(r h2.Response, err error) bool {
	return err == nil && r.Status >= http.StatusOK && r.Status < http.StatusMultipleChoices
}

func (n *node) path() string { return "/api/v1/nodes/" + n.Name }
