package hollow

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
)

// Paths of a shard's control socket.
const (
	PathStatus = "/status" // GET: Status
	PathDown   = "/down"   // POST: NodeNames
	PathUp     = "/up"     // POST: NodeNames
	PathNodes  = "/nodes"  // POST: Nodes, which join the shard
	PathRemove = "/remove" // POST: NodeNames, which leave it
	// PathSamples is where the runtimes' pod events are streamed from now on: GET, an Arrow IPC stream of results.PodEvent that ends with
	// its mark when the shard does. QueryBase is the clock base that their instants count from, and QueryBoot the boot of the asker's
	// machine; HeaderInstant of the answer is the present instant.
	PathSamples = "/samples"
	// PathProfiles begins the paths of Go's profiles, as net/http/pprof serves them.
	PathProfiles = "/debug/pprof/"
)

// Parts of a request for PathSamples and its answer.
const (
	QueryBase     = "base"               // results.Clock.Base of the run
	QueryBoot     = "boot"               // BootID of the asker; an instant of another kernel's clock means nothing, and is refused (412)
	HeaderInstant = "Windtunnel-Instant" // results.Instant, nanoseconds
)

// BootID names the boot of this machine's kernel, and so its monotonic clock; "" where the system does not say.
func BootID() string {
	id, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(id))
}

// Status is how far a shard is.
type Status struct {
	// Nodes is how many nodes the shard has.
	Nodes int `json:"nodes"`
	// Started is how many of them have been started, which is taken back only when they leave the shard.
	Started int `json:"started"`
	// Ready is how many of those have reported themselves Ready and had that accepted by the server, which is taken back only
	// when they leave, too.
	Ready int `json:"ready"`
	// Down is how many are cut off at present.
	Down int `json:"down"`
	// Window is how many nodes may be joining at one time at present.
	Window int `json:"window"`
	// Renewals is how often leases were renewed, and LargestRenewalGap the longest time between two renewals of one, or since the last of
	// one, in seconds, nodes that were down included. Only light nodes count them.
	Renewals          int64   `json:"renewals,omitempty"`
	LargestRenewalGap float64 `json:"largestRenewalGap,omitempty"`
	// Error is what went wrong first, if anything did.
	Error string `json:"error,omitempty"`
}

// NodeNames is the body of PathDown, PathUp and PathRemove.
type NodeNames struct {
	Nodes []string `json:"nodes"`
}

// Nodes is the body of PathNodes. It holds private keys.
type Nodes struct {
	Nodes []Node `json:"nodes"`
}

// Client talks to a shard over its control socket. It is safe for concurrent use.
type Client struct {
	socket string
	http   http.Client
}

// NewClient returns a client of the shard that listens on socket. It connects when it is used.
func NewClient(socket string) *Client {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", socket)
	}
	return &Client{socket: socket, http: http.Client{Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true}}}
}

// Status asks how far the shard is.
func (c *Client) Status(ctx context.Context) (Status, error) {
	var status Status
	err := c.do(ctx, http.MethodGet, PathStatus, nil, &status)
	return status, err
}

// Down cuts nodes off from the API server: their connections are closed and new ones refused. Nodes that are down stay down.
// A name that is not the shard's is an error, and then nothing is done.
func (c *Client) Down(ctx context.Context, names []string) error {
	return c.do(ctx, http.MethodPost, PathDown, NodeNames{Nodes: names}, nil)
}

// Up lets nodes reach the API server again. A name that is not the shard's is an error, and then nothing is done.
func (c *Client) Up(ctx context.Context, names []string) error {
	return c.do(ctx, http.MethodPost, PathUp, NodeNames{Nodes: names}, nil)
}

// Add lets nodes join the shard, behind those that are joining. A node that cannot be is an error, and then none joins.
func (c *Client) Add(ctx context.Context, nodes []Node) error {
	return c.do(ctx, http.MethodPost, PathNodes, Nodes{Nodes: nodes}, nil)
}

// Remove lets nodes leave the shard: they are cut off for good. Their objects stay with the API server. A name that is not the shard's
// is an error, and then nothing is done.
func (c *Client) Remove(ctx context.Context, names []string) error {
	return c.do(ctx, http.MethodPost, PathRemove, NodeNames{Nodes: names}, nil)
}

// Transport carries requests to the control socket, whatever host they name.
func (c *Client) Transport() http.RoundTripper { return c.http.Transport }

func (c *Client) do(ctx context.Context, method, path string, in, out any) error {
	fail := func(err error) error {
		return fmt.Errorf("%s %s of hollow nodes at %s: %w", method, path, c.socket, err)
	}
	var body io.Reader
	if in != nil {
		text, err := json.Marshal(in)
		if err != nil {
			return fail(err)
		}
		body = bytes.NewReader(text)
	}
	request, err := http.NewRequestWithContext(ctx, method, "http://shard"+path, body)
	if err != nil {
		return fail(err)
	}
	response, err := c.http.Do(request)
	if err != nil {
		return fail(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(response.Body, 4<<10))
		return fail(fmt.Errorf("%s: %s", response.Status, strings.TrimSpace(string(text))))
	}
	if out == nil {
		return nil
	}
	if err := json.NewDecoder(response.Body).Decode(out); err != nil {
		return fail(err)
	}
	return nil
}
