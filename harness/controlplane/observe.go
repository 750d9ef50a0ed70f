package controlplane

import "windtunnel/harness/cluster"

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

// Limits are the limits in force that shape the load.
func (c *Cluster) Limits() map[string]float64 {
	return cluster.Limits(func(component, flag string) string {
		if k := c.find(component); k != nil {
			return k.flags[flag]
		}
		return ""
	})
}
