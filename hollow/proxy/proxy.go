// Package proxy starts hollow kube-proxies, many in one process: the real kube-proxy's server with its watches and its event,
// over a proxier that programs nothing, as kubemark's hollow proxy.
package proxy

import (
	"context"
	"fmt"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/events"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
	"k8s.io/kubernetes/pkg/proxy/kubemark"
)

// Client-side limits of kube-proxy, its own defaults.
const (
	QPS   = 5
	Burst = 10
)

// Start starts the proxy of one node in the background. config is how it reaches the API server; its limits are set here. A
// proxy cannot be stopped; failed is called if it ends nevertheless.
func Start(ctx context.Context, node string, config *rest.Config, failed func(error)) error {
	config = rest.CopyConfig(config)
	config.QPS, config.Burst = QPS, Burst
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return fmt.Errorf("start proxy of %s: %w", node, err)
	}
	broadcaster := events.NewBroadcaster(&events.EventSinkImpl{Interface: client.EventsV1()})
	recorder := broadcaster.NewRecorder(legacyscheme.Scheme, "kube-proxy")
	server := kubemark.NewHollowProxy(node, client, client.CoreV1(), broadcaster, recorder).ProxyServer
	// It would only set this process's own OOM score to what it is.
	server.Config.Linux.OOMScoreAdj = nil
	go func() {
		if err := server.Run(context.WithoutCancel(ctx)); err != nil {
			failed(fmt.Errorf("proxy of %s: %w", node, err))
		}
	}()
	return nil
}
