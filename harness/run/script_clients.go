package run

import (
	"context"
	"errors"
	"sync"

	"windtunnel/harness/load"
	"windtunnel/profiles"
)

const (
	// batchConnections is how many connections a batch has; the API server takes 100 requests at a time on each.
	batchConnections = 4
	// batchInFlight bounds the actions under way of a batch that is not a closed loop.
	batchInFlight = 100 * batchConnections
)

// clients are those that batches use, each by one batch at a time and from one step to the next.
type clients struct {
	loader *loader

	mu   sync.Mutex
	all  []*load.Client
	idle []*load.Client
}

// batch carries out a batch. The error says which actions failed, or why the batch was broken off.
func (c *clients) batch(ctx context.Context, phase, track string, b profiles.Batch) error {
	client, err := c.take(ctx)
	if err != nil {
		return err
	}
	defer c.giveBack(client)
	outcome, err := client.Batch(ctx, load.Batch{Phase: phase, Track: track, Batch: b, MaxInFlight: batchInFlight})
	return errors.Join(err, outcome.Err())
}

func (c *clients) take(ctx context.Context) (*load.Client, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if n := len(c.idle); n > 0 {
		client := c.idle[n-1]
		c.idle = c.idle[:n-1]
		return client, nil
	}
	client, err := c.loader.dial(ctx, 1, batchConnections)
	if err != nil {
		return nil, err
	}
	c.all = append(c.all, client)
	return client, nil
}

func (c *clients) giveBack(client *load.Client) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.idle = append(c.idle, client)
}

// close ends all connections. No batch may be under way.
func (c *clients) close() {
	for _, client := range c.all {
		client.Close()
	}
}
