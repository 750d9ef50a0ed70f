package minimal

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"windtunnel/hollow"
	"windtunnel/hollow/host"
	"windtunnel/hollow/ipam"
	"windtunnel/hollow/light/api"
	"windtunnel/hollow/light/h2"
	"windtunnel/hollow/light/loop"
	"windtunnel/hollow/light/usage"
	"windtunnel/hollow/light/wire"
)

// networkPatience is how long a pod waits for its node's pod network; a cluster whose controller-manager gives none has addresses of
// another kind.
const networkPatience = 5 * time.Second

// node is one node. All but what it is made with is of the loop.
type node struct {
	hollow.Node
	shard *shard
	usage *usage.Node // nil: it does not serve what its pods use

	uid       string
	lease     string // resourceVersion of the Lease; empty: not known
	renewed   time.Time
	cidr      string
	addresses *ipam.Addresses
	ready     func() // told once it is known to be Ready; nil when it has been
	deferred  []func()
	network   []func()
	heartbeat *loop.Timer

	watched    bool // the watches began when the shard had it
	registered bool // it has a Node
	down       bool
	gone       bool // the Node has been deleted, or it has left the shard
	saying     bool // a PATCH of the status is under way
}

var _ host.Node = (*node)(nil)

// Start has the node registered.
func (n *node) Start(_ context.Context, ready, strain func()) error {
	n.shard.loop.Post(func() {
		if !n.watched {
			n.shard.watch()
		}
		n.ready = ready
		n.register(0, strain)
	})
	return nil
}

// Leave implements host.Leaver. Its pods are let go of when they are deleted, or come to the node of the same name that follows.
func (n *node) Leave() {
	n.shard.forget(n)
	n.usage.Leave()
	n.shard.loop.Post(n.end)
}

// end ends what the node does by itself.
func (n *node) end() {
	n.gone = true
	n.shard.loop.Stop(n.heartbeat)
	n.shard.Unleased(n.renewed)
}

// Shut keeps the node from sending anything; what happens to it meanwhile it learns later.
func (n *node) Shut() {
	n.usage.Cut(true)
	n.shard.loop.Post(func() { n.down = true })
}

// Open lets it go on.
func (n *node) Open() {
	n.usage.Cut(false)
	n.shard.loop.Post(func() {
		n.down = false
		missed := n.deferred
		n.deferred = nil
		for _, do := range missed {
			do()
		}
	})
}

// whenUp does something now, or when the node is back.
func (n *node) whenUp(do func()) {
	if n.down {
		n.deferred = append(n.deferred, do)
	} else {
		do()
	}
}

// register posts the Node, which says of itself that it is Ready, and then its Lease.
func (n *node) register(try int, strain func()) {
	n.whenUp(func() {
		if !n.gone {
			n.post(try, strain)
		}
	})
}

func (n *node) post(try int, strain func()) {
	body, err := api.NodeBody(n.shard.machine.Node(n.Node, true, time.Now()))
	if err != nil {
		n.shard.Note(err)
		return
	}
	n.shard.nodesQueue.Send(api.Call{Method: http.MethodPost, Path: "/api/v1/nodes", Accept: wire.Protobuf, ContentType: wire.Protobuf, Body: body,
		Done: func(r h2.Response, err error) {
			switch {
			case accepted(r, err):
				if meta, err := api.AnswerMeta(r.Body); err == nil {
					n.uid = string(meta.UID)
				}
				n.isReady()
			case r.Status == http.StatusConflict: // it is there already; its watch tells of it
				n.sayReady()
			default:
				n.failed("register", r, err)
				if api.Strained(r, err) {
					strain()
				}
				n.shard.loop.After(api.Backoff(try, r), func() { n.register(try+1, strain) })
				return
			}
			n.registered = true
			n.renew()
			n.heartbeat = n.shard.loop.After(api.Jitter(statusEvery/2, 1), n.beat)
		}})
}

// isReady tells, once, that the node is Ready.
func (n *node) isReady() {
	if n.ready != nil {
		n.ready()
		n.ready = nil
	}
}

// failed notes a failure for the shard's status.
func (n *node) failed(what string, r h2.Response, err error) {
	if err == nil {
		err = fmt.Errorf("the server answers %d", r.Status)
	}
	n.shard.Note(fmt.Errorf("node %s: %s: %w", n.Name, what, err))
}

// renew makes or renews the Lease, and again after a while.
func (n *node) renew() {
	if n.gone {
		return
	}
	n.whenUp(func() {
		now := time.Now()
		c := api.Call{Method: http.MethodPut, Path: api.LeasePath + "/" + n.Name, Accept: wire.Protobuf, ContentType: wire.Protobuf, Timeout: leaseTimeout}
		switch {
		case n.lease != "":
			c.Body = api.RenewedLease(api.ShortLeaseMeta(n.Name, n.lease), n.Name, now)
		case n.uid != "":
			c.Method, c.Path, c.Body = http.MethodPost, api.LeasePath, api.NewLease(n.Name, n.uid, now)
		default:
			c.Method = http.MethodGet
		}
		n.shard.askLease(n, c)
	})
}

// askLease sends a request about a Lease. Of the answer only the version is kept.
func (s *shard) askLease(n *node, c api.Call) {
	version := ""
	c.Read = func(r h2.Response) {
		if r.Status < http.StatusMultipleChoices {
			if meta, err := api.AnswerMeta(r.Body); err == nil {
				version = string(meta.ResourceVersion)
			}
		}
	}
	c.Done = func(r h2.Response, err error) {
		switch {
		case n.gone:
		case accepted(r, err):
			n.lease = version
			if c.Method == http.MethodGet {
				n.renew()
				return
			}
			n.renewed = s.Renewed(n.renewed, time.Now())
			s.loop.After(api.Jitter(api.LeaseEvery, api.LeaseJitter), n.renew)
		case r.Status == http.StatusConflict: // somebody else has written it: look, and try again
			n.lease = ""
			c.Method, c.Path, c.Body = http.MethodGet, api.LeasePath+"/"+n.Name, nil
			s.askLease(n, c)
		default:
			if r.Status == http.StatusNotFound {
				n.lease = ""
			}
			n.failed("renew lease", r, err)
			s.loop.After(api.Jitter(time.Second, 1), n.renew)
		}
	}
	s.leases.Send(c)
}

// beat says now and then that the node is Ready.
func (n *node) beat() {
	if n.gone {
		return
	}
	n.whenUp(n.sayReady)
	n.heartbeat = n.shard.loop.After(statusEvery, n.beat)
}

// sayReady patches the conditions of the Node.
func (n *node) sayReady() {
	if n.saying || n.gone {
		return
	}
	n.saying = true
	body, err := json.Marshal(map[string]any{"status": map[string]any{"conditions": api.Conditions(true, time.Now())}})
	if err != nil {
		n.shard.Note(err)
		return
	}
	n.shard.nodesQueue.Send(api.Call{Method: http.MethodPatch, Path: "/api/v1/nodes/" + n.Name + "/status", Accept: wire.Protobuf,
		ContentType: wire.StrategicMergePatch, Body: body, Discard: true, Done: func(r h2.Response, err error) {
			n.saying = false
			switch {
			case accepted(r, err):
				n.isReady()
			case r.Status != http.StatusNotFound:
				n.failed("report status", r, err)
				n.shard.loop.After(api.Backoff(2, r), func() { n.whenUp(n.sayReady) })
			}
		}})
}

// seen takes in what the watch says of the node.
func (n *node) seen(uid, cidr, ready string) {
	if n.uid == "" && n.registered { // it has taken over what was there; before that it may be that of another, which is being deleted
		n.uid = uid
	}
	if cidr != "" {
		n.connect(cidr)
	}
	if ready != "True" {
		n.whenUp(n.sayReady)
	}
}

// deleted takes it that a Node has been deleted. One of the same name that was there before is not this one.
func (n *node) deleted(uid string) {
	if uid == n.uid {
		n.end()
	}
}

// connect gives the node its pod network, unless it has one.
func (n *node) connect(cidr string) {
	if n.cidr != "" {
		return
	}
	n.cidr = cidr
	waiting := n.network
	n.network = nil
	for _, do := range waiting {
		do()
	}
}

// whenNetworked does something once the node has addresses for pods.
func (n *node) whenNetworked(do func()) {
	if n.addresses != nil {
		do()
		return
	}
	if n.cidr != "" {
		addresses, err := ipam.New(n.cidr)
		if err != nil {
			n.shard.Note(fmt.Errorf("node %s: %w", n.Name, err))
			return
		}
		n.addresses = addresses
		do()
		return
	}
	if len(n.network) == 0 {
		n.shard.loop.After(networkPatience, func() { n.connect(fallback(n.Index)) })
	}
	n.network = append(n.network, func() { n.whenNetworked(do) })
}

// fallback is a pod network by the node's number, out of those that providers share (RFC 6598).
func fallback(index int) string {
	return fmt.Sprintf("100.%d.%d.0/24", 64+index>>8&63, index&255)
}
