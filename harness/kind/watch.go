package kind

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"windtunnel/harness/supervise"
)

// watchEvery is how often it is looked whether the components still run.
const watchEvery = time.Second

// watch reports once when a component of the control plane ends that nobody asked to. The kubelet starts it again, so without this
// a crash would only show as slow requests.
func (c *Cluster) watch(ctx context.Context) {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if gone := c.gone(); gone != nil {
			c.opts.Failed(gone)
			return
		}
	}
}

// gone is a component that ended by itself, nil when there is none.
func (c *Cluster) gone() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, k := range c.components {
		if k.pid == 0 || k.killed || !isControl(k.program) || !errors.Is(unix.Kill(k.pid, 0), unix.ESRCH) {
			continue
		}
		return &supervise.ComponentError{Name: k.name, Log: filepath.Join(c.opts.LogDir, k.name+".log"), Err: fmt.Errorf("process %d in the node %s has ended", k.pid, c.nodes[k.node])}
	}
	return nil
}

// markKilled says that a component of the first node is to end.
func (c *Cluster) markKilled(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range c.components {
		if c.components[i].name == name {
			c.components[i].killed = true
		}
	}
}
