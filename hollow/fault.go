package hollow

import (
	"context"
	"fmt"
	"net/http"
	"time"
)

// Paths of a shard's control socket by which the connections of nodes are broken and mended.
const (
	PathBreak = "/break" // POST: Breakage
	PathMend  = "/mend"  // POST: NodeNames
)

// Conditions are those of a node's connection to the API server, and of its clock; the zero value is a good connection and a
// right clock.
type Conditions struct {
	// Partitioned keeps every packet from arriving, either way: connections hang, and so do attempts to connect. Nothing is lost
	// for good: like TCP, a connection that both ends have kept goes on when the partition ends.
	Partitioned bool `json:"partitioned,omitempty"`
	// Latency is added to everything that the node sends, and Jitter is how much it varies either way, evenly distributed.
	// Nothing overtakes what was sent before it.
	Latency time.Duration `json:"latency,omitempty"`
	Jitter  time.Duration `json:"jitter,omitempty"`
	// Bandwidth is how many bytes a second pass, each way; 0 for no limit.
	Bandwidth float64 `json:"bandwidth,omitempty"`
	// ClockOffset is by how much the node's clock goes ahead, in what it reports of itself and its pods. Nodes of tier kubelet have the
	// clock of their machine, so that they refuse it.
	ClockOffset time.Duration `json:"clockOffset,omitempty"`
	// Seed makes the jitter's random choices.
	Seed uint64 `json:"seed,omitempty"`
}

// Validate says what is wrong with conditions.
func (c Conditions) Validate() error {
	if c.Latency < 0 || c.Jitter < 0 || c.Jitter > c.Latency || !(c.Bandwidth >= 0) {
		return fmt.Errorf("latency %v, jitter %v, bandwidth %g: none may be negative, and the jitter not larger than the latency", c.Latency, c.Jitter, c.Bandwidth)
	}
	return nil
}

// Breakage is the body of PathBreak: the nodes get these conditions, instead of those that they had.
type Breakage struct {
	Nodes      []string   `json:"nodes"`
	Conditions Conditions `json:"conditions"`
}

// Break gives nodes conditions. A name that is not the shard's, or conditions that its nodes cannot have, are an error, and then
// nothing is done.
func (c *Client) Break(ctx context.Context, names []string, conditions Conditions) error {
	return c.do(ctx, http.MethodPost, PathBreak, Breakage{Nodes: names, Conditions: conditions}, nil)
}

// Mend gives nodes good connections and right clocks again.
func (c *Client) Mend(ctx context.Context, names []string) error {
	return c.do(ctx, http.MethodPost, PathMend, NodeNames{Nodes: names}, nil)
}
