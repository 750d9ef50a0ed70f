package usage

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// families are the kubelet's metrics of resources (pkg/kubelet/metrics/collectors/resource_metrics.go), with its help texts and labels;
// component-base puts the stability in front. A test holds them against the kubelet's own collector.
type families struct {
	nodeCPU, nodeMemory, nodeSwap                                                  *prometheus.Desc
	containerStart, containerCPU, containerMemory, containerSwap, containerSwapMax *prometheus.Desc
	podCPU, podMemory, podSwap                                                     *prometheus.Desc
	scrapeError                                                                    *prometheus.Desc
}

func newFamilies() *families {
	family := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc(name, help, labels, nil)
	}
	return &families{
		nodeCPU:    family("node_cpu_usage_seconds_total", "[STABLE] Cumulative cpu time consumed by the node in core-seconds"),
		nodeMemory: family("node_memory_working_set_bytes", "[STABLE] Current working set of the node in bytes"),
		nodeSwap:   family("node_swap_usage_bytes", "[ALPHA] Current swap usage of the node in bytes. Reported only on non-windows systems"),

		containerStart:   family("container_start_time_seconds", "[STABLE] Start time of the container since unix epoch in seconds", "container", "pod", "namespace"),
		containerCPU:     family("container_cpu_usage_seconds_total", "[STABLE] Cumulative cpu time consumed by the container in core-seconds", "container", "pod", "namespace"),
		containerMemory:  family("container_memory_working_set_bytes", "[STABLE] Current working set of the container in bytes", "container", "pod", "namespace"),
		containerSwap:    family("container_swap_usage_bytes", "[ALPHA] Current amount of the container swap usage in bytes. Reported only on non-windows systems", "container", "pod", "namespace"),
		containerSwapMax: family("container_swap_limit_bytes", "[ALPHA] Current amount of the container swap limit in bytes. Reported only on non-windows systems", "container", "pod", "namespace"),

		podCPU:    family("pod_cpu_usage_seconds_total", "[STABLE] Cumulative cpu time consumed by the pod in core-seconds", "pod", "namespace"),
		podMemory: family("pod_memory_working_set_bytes", "[STABLE] Current working set of the pod in bytes", "pod", "namespace"),
		podSwap:   family("pod_swap_usage_bytes", "[ALPHA] Current amount of the pod swap usage in bytes. Reported only on non-windows systems", "pod", "namespace"),

		scrapeError: family("resource_scrape_error", "[STABLE] 1 if there was an error while getting container metrics, 0 otherwise"),
	}
}

// Collector gives the node's metrics as they are whenever it is asked.
func (n *Node) Collector() prometheus.Collector { return collector{n.server.families, n} }

// collector gives a node's metrics.
type collector struct {
	*families
	node *Node
}

// Describe implements prometheus.Collector.
func (c collector) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		c.nodeCPU, c.nodeMemory, c.nodeSwap, c.containerStart, c.containerCPU, c.containerMemory, c.containerSwap, c.containerSwapMax,
		c.podCPU, c.podMemory, c.podSwap, c.scrapeError,
	} {
		to <- d
	}
}

// Collect implements prometheus.Collector. Nodes have no swap. Start times and errors have no timestamp, as the kubelet's.
func (c collector) Collect(to chan<- prometheus.Metric) {
	r := c.node.read()
	counter := func(d *prometheus.Desc, value float64, labels ...string) {
		to <- at(r.at, prometheus.MustNewConstMetric(d, prometheus.CounterValue, value, labels...))
	}
	gauge := func(d *prometheus.Desc, value float64, labels ...string) {
		to <- at(r.at, prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...))
	}
	counter(c.nodeCPU, r.cpu)
	gauge(c.nodeMemory, r.memory)
	gauge(c.nodeSwap, 0)
	for _, p := range r.pods {
		for _, one := range p.containers {
			labels := []string{one.name, p.name, p.namespace}
			start := float64(one.start.UnixNano()) / float64(time.Second)
			to <- prometheus.MustNewConstMetric(c.containerStart, prometheus.GaugeValue, start, labels...)
			counter(c.containerCPU, one.cpu, labels...)
			gauge(c.containerMemory, one.memory, labels...)
			gauge(c.containerSwap, 0, labels...)
			gauge(c.containerSwapMax, 0, labels...)
		}
		counter(c.podCPU, p.cpu, p.name, p.namespace)
		gauge(c.podMemory, p.memory, p.name, p.namespace)
		gauge(c.podSwap, 0, p.name, p.namespace)
	}
	to <- prometheus.MustNewConstMetric(c.scrapeError, prometheus.GaugeValue, 0)
}

// at is a metric at an instant.
func at(instant time.Time, m prometheus.Metric) prometheus.Metric {
	return prometheus.NewMetricWithTimestamp(instant, m)
}
