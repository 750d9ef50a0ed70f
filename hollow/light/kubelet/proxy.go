package kubelet

import (
	"context"
	"fmt"
	"os"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"windtunnel/hollow/light/api"
	"windtunnel/hollow/light/h2"
	"windtunnel/hollow/light/wire"
)

// proxyEventJitter lengthens the time until kube-proxy's event is posted again (client-go's tools/events).
const proxyEventJitter = 0.25

// proxy is a node's kube-proxy: its watches and its event (cmd/kube-proxy/app/server.go). It programs nothing, so it reads nothing.
type proxy struct {
	node   *node
	client api.Client
}

func newProxy(ctx context.Context, n *node) *proxy {
	return &proxy{node: n, client: n.shard.server.Client(ctx, n.Proxy, proxyAgent, n.Dial)}
}

func (p *proxy) start() {
	for _, w := range []*api.Watch{
		{Path: "/api/v1/nodes", Fields: "metadata.name=" + p.node.Name},
		{Path: "/apis/networking.k8s.io/v1/servicecidrs"},
		{Path: "/api/v1/services", Fields: "spec.clusterIP!=None", Labels: "!service.kubernetes.io/service-proxy-name"},
		{Path: "/apis/discovery.k8s.io/v1/endpointslices", Labels: "!service.kubernetes.io/headless"},
	} {
		w.Client, w.Loop = p.client, p.node.loop
		w.Start()
	}
	p.post(0)
}

// post posts the event that kube-proxy has started.
func (p *proxy) post(try int) {
	now := p.node.now()
	host, err := os.Hostname()
	if err != nil {
		host = p.node.Name
	}
	e := eventsv1.Event{
		ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("%s.%x", p.node.Name, now.UnixNano()), Namespace: metav1.NamespaceDefault},
		EventTime:  metav1.NewMicroTime(now), ReportingController: "kube-proxy", ReportingInstance: "kube-proxy-" + host,
		Action: "StartKubeProxy", Reason: "Starting", Type: corev1.EventTypeNormal,
		Regarding: corev1.ObjectReference{Kind: "Node", Name: p.node.Name, APIVersion: "v1"},
	}
	raw, err := e.Marshal()
	if err != nil {
		p.node.shard.Note(err)
		return
	}
	api.Send(p.node.loop, p.client, api.Call{Method: "POST", Path: "/apis/events.k8s.io/v1/namespaces/default/events", Accept: wire.Protobuf,
		ContentType: wire.Protobuf, Body: wire.Envelope("events.k8s.io/v1", "Event", raw), Discard: true, Done: func(r h2.Response, err error) {
			if err != nil && try+1 < eventTries {
				p.node.loop.After(api.Jitter(eventAgain, proxyEventJitter), func() { p.post(try + 1) })
			}
		}, Again: p.node.again(nil)})
}
