package existing

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	"windtunnel/harness/cluster"
)

const apiServerName = "kube-apiserver"

// apiServerMetrics are those of the API server that answers.
func (c *Cluster) apiServerMetrics(config *rest.Config) []cluster.Target {
	client, err := rest.HTTPClientFor(config)
	if err != nil {
		c.notes = append(c.notes, fmt.Sprintf("the API server's metrics are not read: %v", err))
		return nil
	}
	return []cluster.Target{{Component: apiServerName, URL: c.target.server + "/metrics", Client: client}}
}

// proxied is a component whose metrics the API server may be able to reach, in a static pod of kubeadm's making.
type proxied struct{ name, scheme, port string }

// findMetrics finds out which components' metrics can be read, and notes those that cannot.
func (c *Cluster) findMetrics(ctx context.Context) {
	c.metrics = c.apiServerMetrics(c.observer.config(c.target))
	admin, err := rest.HTTPClientFor(c.target.config)
	if err != nil {
		c.notes = append(c.notes, fmt.Sprintf("the metrics of other components are not read: %v", err))
		return
	}
	var unseen []string
	for _, p := range []proxied{{"etcd", "http", "2381"}, {"kube-scheduler", "https", "10259"}, {"kube-controller-manager", "https", "10257"}} {
		url, err := c.proxyURL(ctx, p)
		if err == nil {
			err = readable(ctx, admin, url)
		}
		if err != nil {
			unseen = append(unseen, fmt.Sprintf("%s (%v)", p.name, err))
			continue
		}
		// The administrator reads these, by a right that the observer is not given.
		c.metrics = append(c.metrics, cluster.Target{Component: p.name, URL: url, Client: admin})
	}
	if len(unseen) > 0 {
		c.notes = append(c.notes, "cannot be looked at, so that nothing is known of them: "+strings.Join(unseen, "; "))
	}
	c.noteServers(ctx)
}

// proxyURL is where a component's metrics are read through the API server.
func (c *Cluster) proxyURL(ctx context.Context, p proxied) (string, error) {
	pods, err := c.target.client.CoreV1().Pods(metav1.NamespaceSystem).List(ctx, metav1.ListOptions{LabelSelector: "component=" + p.name, Limit: 1})
	if err != nil {
		return "", err
	}
	if len(pods.Items) == 0 {
		return "", fmt.Errorf("%s has no pod with the label component=%s", metav1.NamespaceSystem, p.name)
	}
	return fmt.Sprintf("%s/api/v1/namespaces/%s/pods/%s:%s:%s/proxy/metrics", c.target.server, metav1.NamespaceSystem, p.scheme, pods.Items[0].Name, p.port), nil
}

// readable tells whether metrics can be read there.
func readable(ctx context.Context, client *http.Client, url string) error {
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	answer, err := client.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("its metrics answer %s through the API server", answer.Status)
	}
	return nil
}

// noteServers says what the figures of one API server are worth where there are several.
func (c *Cluster) noteServers(ctx context.Context) {
	slices, err := c.target.client.DiscoveryV1().EndpointSlices(metav1.NamespaceDefault).List(ctx, metav1.ListOptions{LabelSelector: "kubernetes.io/service-name=kubernetes"})
	if err != nil {
		c.notes = append(c.notes, fmt.Sprintf("how many API servers there are is not known: %v", err))
		return
	}
	servers := map[string]bool{}
	for _, s := range slices.Items {
		for _, e := range s.Endpoints {
			servers[strings.Join(e.Addresses, ",")] = true
		}
	}
	if len(servers) > 1 {
		c.notes = append(c.notes, fmt.Sprintf("the cluster has %d API servers: its own figures are those of the one that the metrics' connection leads to, and no more than a part of what happened", len(servers)))
	}
}
