package pod

import (
	"context"
	"fmt"
	"sync"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/klog/v2"

	"windtunnel/hollow"
)

const (
	// asking is how many certificates are asked for at one time: each waits for the controller-manager with a watch of its own.
	asking = 16
	// askAgain is how long after a failure a certificate is asked for again.
	askAgain = 5 * time.Second
	// socketEvery is how often it is looked whether the shard answers yet, and controlTime bounds a question to it.
	socketEvery = 50 * time.Millisecond
	controlTime = 10 * time.Second
)

// members keeps the shard's nodes as the description wants them.
type members struct {
	pod       string
	client    kubernetes.Interface
	control   *hollow.Client
	tokenFile string // the proxies' identity
	shared    bool   // the nodes need no identities of their own; set before begin
	described chan Config

	mu      sync.Mutex
	ctx     context.Context // the shard's; nil while there is none
	config  Config
	down    map[string]bool
	have    map[string]*member // by the node's name
	version string             // resourceVersion of the description that is in force
	problem error              // why the newest description is not
	asking  chan struct{}
}

// member is a node that falls to the pod.
type member struct {
	hollow.Node
	cancel context.CancelFunc // of what asks for its certificate
	joined bool               // it is the shard's
	waits  error              // why it has no certificate yet
	down   bool               // as the shard knows it
}

// describe takes a state of the ConfigMap. One that makes no sense changes nothing and is complained about.
func (m *members) describe(data map[string]string, version string) {
	c, down, err := Parse(data)
	if err == nil {
		_, err = c.Nodes(m.pod)
	}
	if err != nil {
		m.complain(err)
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.config, m.version, m.problem, m.down = c, version, nil, map[string]bool{}
	for _, name := range down {
		m.down[name] = true
	}
	select {
	case m.described <- c:
	default: // the shard is there already
	}
	m.change()
}

func (m *members) complain(err error) {
	klog.ErrorS(err, "The description of the hollow nodes is not followed")
	m.mu.Lock()
	defer m.mu.Unlock()
	m.problem = err
}

// awaitShard returns when the shard answers.
func (m *members) awaitShard(ctx context.Context) error {
	tick := time.NewTicker(socketEvery)
	defer tick.Stop()
	for {
		if _, err := m.control.Status(ctx); err == nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// begin has the shard filled from now on, until ctx ends.
func (m *members) begin(ctx context.Context) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.ctx, m.asking = ctx, make(chan struct{}, asking)
	m.change()
}

// change makes the shard what the description says. Callers hold the lock.
func (m *members) change() {
	if m.ctx == nil {
		return
	}
	nodes, err := m.config.Nodes(m.pod)
	if err != nil {
		return // describe has made sure that there is none
	}
	want := map[string]bool{}
	for _, n := range nodes {
		want[n.Name] = true
	}
	var gone []string
	for name, one := range m.have {
		if want[name] {
			continue
		}
		one.cancel()
		if one.joined {
			gone = append(gone, name)
		}
		delete(m.have, name)
	}
	if len(gone) > 0 {
		m.tell("remove nodes", func(ctx context.Context) error { return m.control.Remove(ctx, gone) })
	}
	var complete []*member
	for _, n := range nodes {
		if m.have[n.Name] != nil {
			continue
		}
		ctx, cancel := context.WithCancel(m.ctx)
		one := &member{Node: n, cancel: cancel}
		m.have[n.Name] = one
		if m.shared {
			complete = append(complete, one)
		} else {
			go m.join(ctx, one)
		}
	}
	m.enter(complete)
	m.cut()
}

// enter hands nodes that have what they need to the shard. Callers hold the lock.
func (m *members) enter(complete []*member) {
	if len(complete) == 0 {
		return
	}
	var nodes []hollow.Node
	for _, one := range complete {
		nodes = append(nodes, one.Node)
		one.joined = true
	}
	m.tell(fmt.Sprintf("add %d nodes from %s on", len(nodes), nodes[0].Name), func(ctx context.Context) error { return m.control.Add(ctx, nodes) })
}

// cut cuts off the nodes that are to be down, and connects the others. Callers hold the lock.
func (m *members) cut() {
	var down, up []string
	for name, one := range m.have {
		if !one.joined || one.down == m.down[name] {
			continue
		}
		one.down = m.down[name]
		if one.down {
			down = append(down, name)
		} else {
			up = append(up, name)
		}
	}
	if len(down) > 0 {
		m.tell("cut nodes off", func(ctx context.Context) error { return m.control.Down(ctx, down) })
	}
	if len(up) > 0 {
		m.tell("connect nodes", func(ctx context.Context) error { return m.control.Up(ctx, up) })
	}
}

// tell asks the shard, which is in this process, for something that it cannot refuse.
func (m *members) tell(what string, do func(context.Context) error) {
	ctx, cancel := context.WithTimeout(m.ctx, controlTime)
	defer cancel()
	if err := do(ctx); err != nil && m.ctx.Err() == nil {
		m.problem = fmt.Errorf("%s: %w", what, err)
		klog.ErrorS(m.problem, "The shard does not follow")
	}
}

// join gets a certificate for a node and hands it to the shard. It asks until it gets one or the node is not wanted any more.
func (m *members) join(ctx context.Context, one *member) {
	for {
		id, err := m.ask(ctx, one.Name)
		if err == nil {
			one.Kubelet, one.Proxy = id, hollow.Identity{TokenFile: m.tokenFile}
			break
		}
		if ctx.Err() != nil {
			return
		}
		klog.ErrorS(err, "A node waits for its certificate", "node", one.Name)
		m.mark(func() { one.waits = err })
		select {
		case <-time.After(askAgain):
		case <-ctx.Done():
			return
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if ctx.Err() != nil { // removed meanwhile
		return
	}
	m.enter([]*member{one})
	m.cut()
}

// ask asks for a node's certificate when it is its turn.
func (m *members) ask(ctx context.Context, node string) (hollow.Identity, error) {
	select {
	case m.asking <- struct{}{}:
		defer func() { <-m.asking }()
	case <-ctx.Done():
		return hollow.Identity{}, context.Cause(ctx)
	}
	return Identify(ctx, m.client, node)
}

func (m *members) mark(change func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	change()
}

// trouble is why the newest description is not in force, or what a node waits for. Callers hold the lock.
func (m *members) trouble() error {
	if m.problem != nil {
		return m.problem
	}
	for _, one := range m.have {
		if one.waits != nil && !one.joined {
			return one.waits
		}
	}
	return nil
}
