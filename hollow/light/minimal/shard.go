// Package minimal runs light nodes that do what the scheduler and the controllers need of nodes, and as little else as can be: one
// identity and a few connections for all nodes of the process, one watch of pods, one POST and a lease a node, one PATCH to start a
// pod and one DELETE to end it.
package minimal

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"windtunnel/hollow"
	"windtunnel/hollow/host"
	"windtunnel/hollow/light/api"
	"windtunnel/hollow/light/behaviour"
	"windtunnel/hollow/light/h2"
	"windtunnel/hollow/light/loop"
	"windtunnel/hollow/light/usage"
	"windtunnel/hollow/light/wire"
)

const (
	userAgent = "windtunnel-light"
	// atOnce is how many requests of a kind are under way at one time: enough to keep a server busy, and few enough that it answers
	// each soon.
	atOnce = 48
	// gcPercent lets garbage grow to as much as is live: a node's memory counts here.
	gcPercent = 100
	// statusEvery is how often a node says that it is Ready where nothing changes, as often as a kubelet.
	statusEvery = 5 * time.Minute
	// leaseTimeout is the kubelet's for requests of its heartbeat.
	leaseTimeout = 10 * time.Second
)

type shard struct {
	*host.Host
	config  hollow.ShardConfig
	machine *api.Machine
	loop    *loop.Loop
	// Each kind of request has a connection of its own, so that none waits behind another's.
	leases, nodesQueue, podsQueue api.Queue
	watches                       *h2.Client

	behaviour behaviour.Behaviour // nil: the life that this package gives pods

	usage  *usage.Server // nil: the nodes do not serve what their pods use
	access *usage.Access // to all nodes' metrics, as they share one identity

	mu    sync.RWMutex
	names map[string]*node // those that have not left

	random *rand.Rand // of the runtimes' latencies; of the loop

	// Of the loop. A shard has pods of one kind.
	watchNodes, watchPods *api.Watch         // nil before the first node starts
	pods                  map[string]*pod    // by UID
	driven                map[string]*driven // by UID
}

// Run starts the nodes and serves the control socket until ctx ends, which is no error. What happens to pods is up to life; nil for one
// PATCH to start a pod and one DELETE to end it.
func Run(ctx context.Context, config hollow.ShardConfig, life behaviour.Behaviour) error {
	s, err := newShard(ctx, config, life)
	if err != nil {
		return fmt.Errorf("shard %s: %w", config.Name, err)
	}
	return s.Host.Run(ctx, gcPercent, func(ctx context.Context) error { s.loop.Run(ctx); return nil }, s.usage.Run)
}

func newShard(ctx context.Context, config hollow.ShardConfig, life behaviour.Behaviour) (*shard, error) {
	machine, err := api.NewMachine(config)
	if err != nil {
		return nil, err
	}
	server, err := api.NewServer(config)
	if err != nil {
		return nil, err
	}
	s := &shard{
		config: config, machine: machine, loop: loop.New(), names: make(map[string]*node, len(config.Nodes)), pods: make(map[string]*pod),
		behaviour: life, driven: make(map[string]*driven),
	}
	client := func() *h2.Client { return server.Client(ctx, config.Shared, userAgent, api.Dialer()) }
	queue := func() api.Queue { return api.Queue{Loop: s.loop, Client: client(), Most: atOnce} }
	s.leases, s.nodesQueue, s.podsQueue = queue(), queue(), queue()
	s.watches = client()
	if s.usage, err = usage.New(config, machine.Address, func(err error) { s.Note(err) }); err != nil {
		return nil, err
	}
	if s.usage != nil {
		s.access, machine.MetricsPort = newAccess(client(), len(config.Nodes)), s.usage.Port()
	}
	first := 0 // tells shards apart
	if len(config.Nodes) > 0 {
		first = config.Nodes[0].Index
	}
	s.random = config.Random(first)
	s.Host, err = host.New(config, func(described hollow.Node, _ int) host.Node {
		n := &node{Node: described, shard: s, usage: s.usage.Node(described.Name, s.access)}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.names[n.Name] = n
		return n
	})
	if err != nil {
		return nil, err
	}
	return s, nil
}

// newAccess is the access to the metrics of nodes that share an identity, whose client it is.
func newAccess(client *h2.Client, nodes int) *usage.Access {
	return usage.NewAccess(func(ctx context.Context, path string, body []byte) (h2.Response, error) {
		return api.Ask(ctx, client, api.Call{Method: http.MethodPost, Path: path, Accept: wire.Protobuf, ContentType: wire.Protobuf, Body: body})
	}, nodes)
}

// watch begins the watches, or begins them anew, so that they tell of all that there is about the nodes that the shard has by now: such a
// node, and pods on it, may have been there before the shard had it.
func (s *shard) watch() {
	if s.watchNodes != nil {
		s.watchNodes.Stop()
		s.watchPods.Stop()
	}
	s.mu.RLock()
	for _, n := range s.names {
		n.watched = true
	}
	s.mu.RUnlock()
	s.watchNodes = &api.Watch{Client: s.watches, Loop: s.loop, Path: "/api/v1/nodes", Event: s.nodeEvent}
	pods := &api.Watch{Client: s.watches, Loop: s.loop, Path: "/api/v1/pods", Fields: "spec.nodeName!=", Event: s.podEvent, Begin: s.podsAnew}
	pods.Synced = func() {
		s.loop.Post(func() {
			if s.watchPods == pods { // else another has begun, which has not told of everything yet
				s.podsSynced()
			}
		})
	}
	s.watchPods = pods
	s.watchNodes.Start()
	s.watchPods.Start()
}

// named is the shard's node of a name, or nil.
func (s *shard) named(name []byte) *node {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.names[string(name)]
}

// forget leaves a node out from now on.
func (s *shard) forget(n *node) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.names[n.Name] == n { // else it is another one that has come meanwhile
		delete(s.names, n.Name)
	}
}

// nodeEvent hands on what concerns a node of the shard: its pod network, and that it is not Ready.
func (s *shard) nodeEvent(e wire.Event) {
	meta, err := wire.ReadMeta(e.Object)
	if err != nil {
		return
	}
	n := s.named(meta.Name)
	if n == nil {
		return
	}
	uid := string(meta.UID)
	if e.Type == wire.Deleted {
		s.loop.Post(func() { n.deleted(uid) })
		return
	}
	cidr := string(wire.At(e.Object, 2, 1)) // spec.podCIDR
	ready := readyStatus(e.Object)
	s.loop.Post(func() { n.seen(uid, cidr, ready) })
}

// readyStatus is the status of a Node's condition Ready: status = 3 {conditions = 4 {type = 1, status = 2}}.
func readyStatus(object []byte) (status string) {
	_ = wire.Each(wire.Field(object, 3), func(f wire.Number, b []byte, _ uint64) bool {
		if f == 4 && string(wire.Field(b, 1)) == "Ready" {
			status = string(wire.Field(b, 2))
		}
		return true
	})
	return status
}

// accepted says whether an answer says yes.
func accepted(r h2.Response, err error) bool {
	return err == nil && r.Status >= http.StatusOK && r.Status < http.StatusMultipleChoices
}
