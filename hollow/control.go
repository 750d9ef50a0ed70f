package hollow

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
)

// Paths of a shard's control socket.
const (
	PathStatus = "/status" // GET: Status
	PathDown   = "/down"   // POST: NodeNames
	PathUp     = "/up"     // POST: NodeNames
	// PathProfiles begins the paths of Go's profiles, as net/http/pprof serves them.
	PathProfiles = "/debug/pprof/"
)

// Status is how far a shard is.
type Status struct {
	// Nodes is how many nodes the shard has.
	Nodes int `json:"nodes"`
	// Started is how many of them have been started, which is never taken back.
	Started int `json:"started"`
	// Ready is how many of those have reported themselves Ready and had that accepted by the server, which is never taken
	// back either.
	Ready int `json:"ready"`
	// Down is how many are cut off at present.
	Down int `json:"down"`
	// Window is how many nodes may be joining at one time at present.
	Window int `json:"window"`
	// Renewals is how often leases were renewed, and LargestRenewalGap the longest time between two renewals of one, in seconds, nodes
	// that were down included. Only light nodes count them.
	Renewals          int64   `json:"renewals,omitempty"`
	LargestRenewalGap float64 `json:"largestRenewalGap,omitempty"`
	// Error is what went wrong first, if anything did.
	Error string `json:"error,omitempty"`
}

// NodeNames is the body of PathDown and PathUp.
type NodeNames struct {
	Nodes []string `json:"nodes"`
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
