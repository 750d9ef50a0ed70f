package shard

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

// pacer limits how many nodes are joining at one time, by what the server answers: five thousand nodes that started at once
// never got ready, because their retries kept the server from answering any of them.
//
// The window moves as TCP's congestion window does: up by one for every node that got ready quickly, until the server first
// shows strain; from then on by one for every window's worth of such nodes; down to half when a join takes longer than
// slowJoin or the server refuses or does not answer a request of one. Strain is acted on once for all the nodes that were
// joining when it showed.
type pacer struct {
	most int

	mu       sync.Mutex
	window   int
	joining  int
	credit   int  // quick joins since the window last moved
	strained bool // whether the window was ever cut
	cut      time.Time
	wake     chan struct{} // closed when a place may have become free
}

func newPacer(most int) *pacer {
	return &pacer{most: most, window: min(firstWindow, most), wake: make(chan struct{})}
}

// join is one node's place in the window.
type join struct {
	pacer   *pacer
	started time.Time
	slow    *time.Timer
	over    *time.Timer
	done    sync.Once
}

// Begin waits for a place in the window and takes it.
func (p *pacer) Begin(ctx context.Context) (*join, error) {
	for {
		p.mu.Lock()
		if p.joining < p.window {
			p.joining++
			p.mu.Unlock()
			j := &join{pacer: p, started: time.Now()}
			j.slow = time.AfterFunc(slowJoin, j.Strain)
			j.over = time.AfterFunc(joinPatience, j.leave)
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
func (p *pacer) Window() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.window
}

// Strain says that this join showed the server to be overloaded.
func (j *join) Strain() {
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
func (j *join) Ready() {
	if time.Since(j.started) < slowJoin {
		j.pacer.praise()
	}
	j.leave()
}

func (j *join) leave() {
	j.done.Do(func() {
		j.slow.Stop()
		j.over.Stop()
		p := j.pacer
		p.mu.Lock()
		p.joining--
		p.wakeAll()
		p.mu.Unlock()
	})
}

// praise counts a quick join.
func (p *pacer) praise() {
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
func (p *pacer) wakeAll() {
	close(p.wake)
	p.wake = make(chan struct{})
}
