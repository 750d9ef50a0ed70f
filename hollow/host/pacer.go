package host

import (
	"context"
	"sync"
	"time"
)

const (
	// slowJoin is the time from a node's start to Ready beyond which the server counts as overloaded.
	slowJoin = 10 * time.Second
	// joinPatience is how long a node that does not get Ready keeps others from starting.
	joinPatience = time.Minute
	// firstWindow is how many nodes may be joining before anything is known of the server.
	firstWindow = 4
)

// Pacer limits how many nodes are joining at one time, by what the server answers: five thousand nodes that started at once
// never got ready, because their retries kept the server from answering any of them.
//
// The window moves as TCP's congestion window does: up by one for every node that got ready quickly, until the server first
// shows strain; from then on by one for every window's worth of such nodes; down to half when a join takes longer than
// slowJoin or the server refuses or does not answer a request of one. Strain is acted on once for all the nodes that were
// joining when it showed.
type Pacer struct {
	most int

	mu       sync.Mutex
	window   int
	joining  int
	credit   int  // quick joins since the window last moved
	strained bool // whether the window was ever cut
	cut      time.Time
	wake     chan struct{} // closed when a place may have become free
}

// NewPacer returns a pacer whose window never exceeds most.
func NewPacer(most int) *Pacer {
	return &Pacer{most: most, window: min(firstWindow, most), wake: make(chan struct{})}
}

// Join is one node's place in the window.
type Join struct {
	pacer   *Pacer
	started time.Time
	slow    *time.Timer
	over    *time.Timer
	done    sync.Once
}

// Begin waits for a place in the window and takes it.
func (p *Pacer) Begin(ctx context.Context) (*Join, error) {
	for {
		p.mu.Lock()
		if p.joining < p.window {
			p.joining++
			j := &Join{pacer: p, started: time.Now()}
			j.slow = time.AfterFunc(slowJoin, j.Strain)
			j.over = time.AfterFunc(joinPatience, j.Leave)
			p.mu.Unlock()
			return j, nil
		}
		wake := p.wake
		p.mu.Unlock()
		select {
		case <-wake:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// Window returns how many nodes may be joining at present.
func (p *Pacer) Window() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.window
}

// Strain says that this join showed the server to be overloaded.
func (j *Join) Strain() {
	p := j.pacer
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.strained && j.started.Before(p.cut) {
		return
	}
	p.strained, p.cut, p.credit = true, time.Now(), 0
	p.window = max(1, p.window/2)
}

// Ready says that this node has got ready, and gives its place back.
func (j *Join) Ready() {
	if time.Since(j.started) < slowJoin {
		j.pacer.praise()
	}
	j.Leave()
}

// Leave gives the place back without a word about the server. Only the first call, of this or Ready, counts.
func (j *Join) Leave() {
	j.done.Do(func() {
		p := j.pacer
		p.mu.Lock()
		defer p.mu.Unlock()
		j.slow.Stop()
		j.over.Stop()
		p.joining--
		p.wakeAll()
	})
}

// praise counts a quick join.
func (p *Pacer) praise() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.credit++
	if p.strained && p.credit < p.window {
		return
	}
	p.credit = 0
	if p.window < p.most {
		p.window++
		p.wakeAll()
	}
}

// wakeAll lets those that wait look again. Callers hold the lock.
func (p *Pacer) wakeAll() {
	close(p.wake)
	p.wake = make(chan struct{})
}
