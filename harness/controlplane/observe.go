package controlplane

import (
	"strconv"

	"windtunnel/harness/cluster"
)

// MetricsTargets are the metrics of all components. The client is of system:masters: its requests are exempt from priority
// and fairness, and the scheduler and the controller manager answer it without asking the API server, which they would for a
// user that RBAC allows /metrics.
func (c *Cluster) MetricsTargets() []cluster.Target {
	targets := []cluster.Target{{Component: etcdName, URL: loopback("http", c.port(etcdName, "metrics")) + "/metrics", Client: c.plain}}
	for _, name := range []string{apiServerName, controllerManagerName, schedulerName} {
		targets = append(targets, cluster.Target{Component: name, URL: loopback("https", c.port(name, "secure")) + "/metrics", Client: c.admin})
	}
	return targets
}

// limit is a flag that shapes the load, with Kubernetes' default.
type limit struct {
	component, flag, name string
	value                 float64
}

// limitFlags are the limits that a reader of a run must know.
func limitFlags() []limit {
	return []limit{
		{controllerManagerName, "kube-api-qps", "qps", 20},
		{controllerManagerName, "kube-api-burst", "burst", 30},
		{schedulerName, "kube-api-qps", "qps", 50},
		{schedulerName, "kube-api-burst", "burst", 100},
		{apiServerName, "max-requests-inflight", "max-requests-inflight", 400},
		{apiServerName, "max-mutating-requests-inflight", "max-mutating-requests-inflight", 200},
	}
}

// Limits are the limits in force that shape the load, such as "kube-controller-manager qps": those of the clients in
// requests a second and requests, those of the API server in requests under way.
func (c *Cluster) Limits() map[string]float64 {
	limits := map[string]float64{}
	for _, l := range limitFlags() {
		value := l.value
		if k := c.find(l.component); k != nil {
			if set, err := strconv.ParseFloat(k.flags[l.flag], 64); err == nil {
				value = set
			}
		}
		limits[l.component+" "+l.name] = value
	}
	return limits
}
