package fidelity

import (
	"cmp"
	"encoding/json"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"

	"windtunnel/analysis/audit"
)

// collector gathers what the chosen nodes sent.
type collector struct {
	base       time.Time // the run's instant 0 on the audit log's clock
	stages     []span
	nodes      []string        // patterns
	proxies    bool            // count the proxies that do not say on which node they are
	sharedUser string          // of light nodes
	whole      bool            // all hollow nodes are chosen: count the user that they share
	namespaces map[string]bool // that the script's pods are in
	bodies     bool

	seen      map[string]bool // of the chosen nodes, by name
	named     map[string]bool // nodes of proxies that say where they are
	others    map[string]bool // nodes that were not chosen
	firstCall map[string]time.Duration
	calls     []seenCall
	watches   map[string]*watched // by audit ID
	requests  []latency
	foreign   int64 // calls about objects that are not the script's
	unshared  int64 // calls of the shared user that are left out
}

// span is a stage: from begin, up to end, from the run's instant 0.
type span struct {
	name       string
	begin, end time.Duration
}

// seenCall is one call of a chosen node.
type seenCall struct {
	kind    Kind
	stage   int
	at      time.Duration
	node    string // empty: a proxy that does not say, or the user that nodes share when the call is not about one of them
	pod     string // NAMESPACE/NAME of the pod that it is about, if it is
	failed  bool
	size    int64
	hasBody bool
}

// watched is one watch, from its request to its end.
type watched struct {
	kind       Kind
	node       string
	begin, end time.Duration
	ended      bool
	failed     bool
}

// latency is one request of anybody.
type latency struct {
	call    audit.Call
	seconds float64
}

// event takes one event of the audit log.
func (c *collector) event(e *audit.Event, line []byte) {
	at := e.RequestReceivedTimestamp.Sub(c.base)
	stage := c.stageAt(at)
	if stage < 0 {
		return
	}
	call := e.Call()
	if e.Stage == audit.Complete && !e.Failed() && !isStream(call) && !ownBusiness(e.User.Username) {
		c.requests = append(c.requests, latency{call, e.StageTimestamp.Sub(e.RequestReceivedTimestamp).Seconds()})
	}
	who, node, chosen := c.sender(e)
	if !chosen {
		return
	}
	if first, known := c.firstCall[node]; who != Proxy && node != "" && (!known || at < first) {
		c.firstCall[node] = at
	}
	if call.Verb == "WATCH" {
		c.watch(e, who, node, call, at)
		return
	}
	if e.Stage == audit.Started {
		return // another stream, which counts when it ends
	}
	s := seenCall{stage: stage, at: at, node: node, failed: e.Failed()}
	body := c.body(line)
	s.size, s.hasBody = int64(len(body)), len(body) > 0
	s.kind = Kind{Who: who, Verb: call.Verb, Resource: resource(call.Group, call.Resource, call.Subresource), Detail: queryDetail(e, call.Verb, node)}
	about := subject(e, call, body)
	if s.pod = about.pod; about.detail != "" {
		s.kind.Detail = about.detail
	}
	if !c.ours(call, cmp.Or(about.namespace, namespaceOf(e))) {
		c.foreign++
		return
	}
	c.calls = append(c.calls, s)
}

// stageAt is the number of the stage of an instant: the last that has begun, and the first for what came before it; -1 after the last.
func (c *collector) stageAt(at time.Duration) int {
	if len(c.stages) == 0 || at > c.stages[len(c.stages)-1].end {
		return -1
	}
	for i := len(c.stages) - 1; i > 0; i-- {
		if at >= c.stages[i].begin {
			return i
		}
	}
	return 0
}

// The user that light nodes share, and what it is for those of fidelity minimal in pods; the service account of kube-proxy as kubeadm
// installs it, and where a bound token says on which node its pod is.
const (
	lightNodes   = "windtunnel:light-nodes"
	podsAccount  = "system:serviceaccount:windtunnel:hollow-node"
	proxyAccount = "system:serviceaccount:kube-system:kube-proxy"
	nodeNameKey  = "authentication.kubernetes.io/node-name"
)

// sender is which node a call comes from, by the name of its user.
func (c *collector) sender(e *audit.Event) (who, node string, chosen bool) {
	user := e.User.Username
	if name, is := strings.CutPrefix(user, "system:node:"); is {
		if !c.chooses(name) {
			c.others[name] = true
			return Kubelet, name, false
		}
		c.seen[name] = true
		return Kubelet, name, true
	}
	if user == c.sharedUser {
		return c.shared(e)
	}
	if user != "system:kube-proxy" && user != proxyAccount {
		return "", "", false
	}
	if names := e.User.Extra[nodeNameKey]; len(names) == 1 {
		if !c.chooses(names[0]) {
			return Proxy, names[0], false
		}
		c.named[names[0]] = true
		return Proxy, names[0], true
	}
	return Proxy, "", c.proxies
}

// shared is the sender of a call of the user that nodes share: the node that it is about, if it is its Node or its Lease. There is no telling
// which of them any other call is for, so that either all are chosen or none counts.
func (c *collector) shared(e *audit.Event) (who, node string, chosen bool) {
	if !c.whole {
		if e.Stage != audit.Started {
			c.unshared++
		}
		return Shared, "", false
	}
	if o := e.ObjectRef; o != nil && (o.Resource == "nodes" || o.Resource == "leases") {
		node = o.Name
	}
	if node != "" {
		c.seen[node] = true
	}
	return Shared, node, true
}

func (c *collector) chooses(node string) bool {
	return slices.ContainsFunc(c.nodes, func(pattern string) bool {
		ok, err := path.Match(pattern, node)
		return err == nil && ok
	})
}

// ours says whether a call is about the nodes or the script's own objects. A real node also carries pods of the cluster's own,
// which a hollow one does not.
func (c *collector) ours(call audit.Call, namespace string) bool {
	return namespace == "" || call.Resource == "leases" || namespace == "default" || c.namespaces[namespace]
}

func namespaceOf(e *audit.Event) string {
	if e.ObjectRef == nil {
		return ""
	}
	return e.ObjectRef.Namespace
}

// longWatch is the least time that a server lets a watch live that nothing cuts off (--min-request-timeout, and client-go asks
// for no less): one that follows such a one goes on with it.
const longWatch = 295 * time.Second

// watch takes an event of a watch: it has begun, or it has ended.
func (c *collector) watch(e *audit.Event, who, node string, call audit.Call, at time.Duration) {
	if !c.ours(call, namespaceOf(e)) {
		c.foreign++
		return
	}
	w := c.watches[e.AuditID]
	if w == nil {
		w = &watched{kind: Kind{Who: who, Verb: "WATCH", Resource: resource(call.Group, call.Resource, call.Subresource), Detail: queryDetail(e, "WATCH", node)}, node: node, begin: at}
		c.watches[e.AuditID] = w
	}
	if e.Stage != audit.Started {
		w.ended, w.end, w.failed = true, e.StageTimestamp.Sub(c.base), e.Failed()
	}
}

// ownBusiness says that a user's requests are no part of what the script causes: the API server's own, and those of whoever
// boots and watches it.
func ownBusiness(user string) bool {
	return user == "system:apiserver" || strings.HasPrefix(user, "windtunnel:") && !strings.HasPrefix(user, "windtunnel:user-") && user != lightNodes
}

// isStream says that how long a call takes is not the API server's doing.
func isStream(c audit.Call) bool {
	switch c.Verb {
	case "WATCH", "CONNECT", "PROXY":
		return true
	}
	switch c.Subresource {
	case "log", "exec", "portforward", "attach", "proxy":
		return true
	}
	return c.Scope == ""
}

// queryDetail is what the query of a read says of it.
func queryDetail(e *audit.Event, verb, node string) string {
	_, query, _ := strings.Cut(e.RequestURI, "?")
	values, err := url.ParseQuery(query)
	if err != nil {
		return ""
	}
	var parts []string
	if verb == "WATCH" || verb == "LIST" {
		for _, key := range []string{"fieldSelector", "labelSelector"} {
			if v := values.Get(key); v != "" {
				// A node that is watched by name is the watcher's own: no node may see another, and a proxy has no use for one.
				if name, value, _ := strings.Cut(v, "="); node != "" && value == node || name == "metadata.name" && ofNodes(e) {
					v = name + "=NODE"
				}
				parts = append(parts, v)
			}
		}
	}
	if verb != "WATCH" && values.Get("resourceVersion") == "0" {
		parts = append(parts, "rv=0")
	}
	return strings.Join(parts, ", ")
}

func ofNodes(e *audit.Event) bool { return e.ObjectRef != nil && e.ObjectRef.Resource == "nodes" }

// about is what a call is about beside the object that it names.
type about struct{ pod, namespace, detail string }

// subject finds the pod that a call is about: the one that it names, that a token is bound to, or that an event speaks of.
func subject(e *audit.Event, call audit.Call, body []byte) about {
	switch {
	case e.ObjectRef == nil:
		return about{}
	case call.Resource == "pods" && e.ObjectRef.Name != "":
		return about{pod: e.ObjectRef.Namespace + "/" + e.ObjectRef.Name}
	case call.Resource == "serviceaccounts" && call.Subresource == "token":
		var token struct {
			Spec struct{ BoundObjectRef struct{ Kind, Name string } }
		}
		if json.Unmarshal(body, &token) == nil && token.Spec.BoundObjectRef.Kind == "Pod" {
			return about{pod: e.ObjectRef.Namespace + "/" + token.Spec.BoundObjectRef.Name}
		}
	case call.Resource == "events" && call.Verb == "POST":
		return aboutEvent(body)
	}
	return about{}
}

func aboutEvent(body []byte) about {
	type reference struct{ Kind, Namespace, Name string }
	var event struct {
		Reason         string
		InvolvedObject reference
		Regarding      reference
	}
	if json.Unmarshal(body, &event) != nil || event.Reason == "" {
		return about{}
	}
	of := event.InvolvedObject
	if of.Kind == "" {
		of = event.Regarding
	}
	a := about{detail: of.Kind + "/" + event.Reason}
	if of.Kind == "Pod" {
		a.pod, a.namespace = of.Namespace+"/"+of.Name, of.Namespace
	}
	return a
}

// body is what a request sent, as the log has it.
func (c *collector) body(line []byte) []byte {
	if !c.bodies {
		return nil
	}
	var e struct {
		RequestObject json.RawMessage `json:"requestObject"`
	}
	if json.Unmarshal(line, &e) != nil || string(e.RequestObject) == "null" {
		return nil
	}
	return e.RequestObject
}
