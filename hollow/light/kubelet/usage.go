package kubelet

import (
	"context"
	"net/http"

	"windtunnel/hollow/light/api"
	"windtunnel/hollow/light/h2"
	"windtunnel/hollow/light/usage"
	"windtunnel/hollow/light/wire"
)

// serveUsage has the node's metrics served, if the shard's are. Whoever reads them is reviewed by the node, within its client limit.
func (n *node) serveUsage() {
	if n.shard.usage == nil {
		return
	}
	n.usage = n.shard.usage.Node(n.Name, usage.NewAccess(n.review, 1))
}

// review posts a review as the kubelet, and waits for the answer. It is not called on the loop.
func (n *node) review(ctx context.Context, path string, body []byte) (h2.Response, error) {
	if err := n.limiter.Wait(ctx); err != nil {
		return h2.Response{}, err
	}
	return api.Ask(ctx, n.client, api.Call{Method: http.MethodPost, Path: path, Accept: wire.Protobuf, ContentType: wire.Protobuf, Body: body})
}

// Shut implements host.Gated: a node that is cut off serves nobody.
func (n *node) Shut() {
	n.Network.Shut()
	n.usage.Cut(true)
}

// Open implements host.Gated.
func (n *node) Open() {
	n.Network.Open()
	n.usage.Cut(false)
}
