package run

import (
	"context"
	"errors"
	"sync"

	"windtunnel/harness/load"
	"windtunnel/profiles"
)

const (
	// streams is how many requests at a time the API server takes on a connection.
	streams = 100
	// batchConnections is how many connections a batch has, unless it is a closed loop of more workers than they have room for.
	batchConnections = 4
	// batchInFlight bounds the actions under way of a batch that is not a closed loop.
	batchInFlight = streams * batchConnections
)

// connectionsFor is how many connections a batch needs, so that no worker of a closed loop waits for room on one. A closed loop has no more
// workers to do than actions.
func connectionsFor(b profiles.Batch) int {
	if !b.Pace.ClosedLoop() {
		return batchConnections
	}
	return max(batchConnections, (min(b.Pace.Workers, len(b.Actions))+streams-1)/streams)
}

// clients are those that batches use, each by one batch at a time and from one step to the next.
type clients struct {
	loader *loader

	mu   sync.Mutex
	all  []*load.Client
	idle map[int][]*load.Client // by the number of their connections
}

// batch carries out a batch. The error says which actions failed, or why the batch was broken off.
func (c *clients) batch(ctx context.Context, phase, track string, b profiles.Batch) error {
	connections := connectionsFor(b)
	client, err := c.take(ctx, connections)
	if err != nil {
		return err
	}
	defer c.giveBack(client, connections)
	outcome, err := client.Batch(ctx, load.Batch{Phase: phase, Track: track, Batch: b, MaxInFlight: batchInFlight})
	return errors.Join(err, outcome.Err())
}

func (c *clients) take(ctx context.Context, connections int) (*load.Client, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if idle := c.idle[connections]; len(idle) > 0 {
		client := idle[len(idle)-1]
		c.idle[connections] = idle[:len(idle)-1]
		return client, nil
	}
	client, err := c.loader.dial(ctx, 1, connections)
	if err != nil {
		return nil, err
	}
	c.all = append(c.all, client)
	return client, nil
}

func (c *clients) giveBack(client *load.Client, connections int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.idle == nil {
		c.idle = map[int][]*load.Client{}
	}
	c.idle[connections] = append(c.idle[connections], client)
}

// close ends all connections. No batch may be under way.
func (c *clients) close() {
	for _, client := range c.all {
		client.Close()
	}
}
