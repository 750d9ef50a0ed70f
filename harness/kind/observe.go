package kind

import (
	"fmt"
	"net/http"

	"k8s.io/client-go/rest"

	"windtunnel/harness/cluster"
)

// MetricsTargets are the metrics of the first node's components, as far as this machine can reach them: all of a cluster that was
// made for the run, the API server alone of one that was there. The client is of system:masters, whom no component has to ask the
// API server about.
func (c *Cluster) MetricsTargets() []cluster.Target {
	targets := []cluster.Target{{Component: apiServerName, URL: c.Server() + "/metrics", Client: c.access.admin}}
	if len(c.ports) == 0 {
		return targets
	}
	etcd := cluster.Target{Component: etcdName, URL: fmt.Sprintf("http://127.0.0.1:%d/metrics", c.ports[etcdName]), Client: c.access.plain}
	targets = append([]cluster.Target{etcd}, targets...)
	for _, name := range []string{controllerManagerName, schedulerName} {
		targets = append(targets, cluster.Target{Component: name, URL: fmt.Sprintf("https://127.0.0.1:%d/metrics", c.ports[name]), Client: c.access.unnamed})
	}
	return targets
}

// newUnnamed makes the client of the controller manager and the scheduler. kubeadm gives them no certificate, so they make one at
// every start that nobody can check; a client certificate shows them no secret.
func newUnnamed(admin *rest.Config) (*http.Client, error) {
	config := rest.CopyConfig(admin)
	config.TLSClientConfig.CAData, config.TLSClientConfig.Insecure = nil, true
	client, err := rest.HTTPClientFor(config)
	if err != nil {
		return nil, fmt.Errorf("make client: %w", err)
	}
	return client, nil
}
