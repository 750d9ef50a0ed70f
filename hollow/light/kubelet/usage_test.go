package kubelet

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"

	"windtunnel/hollow"
	"windtunnel/hollow/light/wire"
	"windtunnel/profiles"
)

// TestNodesSayWhereTheirMetricsAre: only with usage, so that without it nodes are as ever.
func TestNodesSayWhereTheirMetricsAre(t *testing.T) {
	const annotation = "metrics.k8s.io/resource-metrics-path"
	config := hollow.ShardConfig{}
	onANode(t, config, func(a *alone) {
		o := a.shard.machine.Node(a.Node, true, time.Now())
		if _, there := o.Annotations[annotation]; there || o.Status.DaemonEndpoints.KubeletEndpoint.Port != 10250 || a.usage != nil {
			t.Errorf("without usage: %v, %v", o.Annotations, o.Status.DaemonEndpoints)
		}
	})
	config.Usage = &profiles.Usage{CPU: "1", Memory: "1Gi", Period: profiles.Duration(time.Minute)}
	onANode(t, config, func(a *alone) {
		o := a.shard.machine.Node(a.Node, true, time.Now())
		if o.Annotations[annotation] != "/nodes/n/metrics/resource" || o.Status.DaemonEndpoints.KubeletEndpoint.Port != a.shard.usage.Port() || a.usage == nil {
			t.Errorf("with usage: %v, %v", o.Annotations, o.Status.DaemonEndpoints)
		}
		if _, err := a.review(a.t.Context(), "/x", nil); err == nil || !strings.Contains(err.Error(), "nowhere") && !strings.Contains(err.Error(), "cut off") {
			t.Errorf("a review without a server: %v", err)
		}
		ended, cancel := context.WithCancel(a.t.Context())
		cancel()
		if _, err := a.review(ended, "/x", nil); !errors.Is(err, context.Canceled) {
			t.Errorf("a review that nobody waits for: %v", err)
		}
	})
}

// TestUsageFollowsContainers: a container uses while it runs, from 0 on each time it is started, and its pod all that its containers did.
func TestUsageFollowsContainers(t *testing.T) {
	config := hollow.ShardConfig{Usage: &profiles.Usage{CPU: "1", Memory: "1Gi", Period: profiles.Duration(time.Minute)}}
	onANode(t, config, func(a *alone) {
		registry := prometheus.NewRegistry()
		registry.MustRegister(a.usage.Collector())
		read := func(family string) float64 {
			all, err := registry.Gather()
			if err != nil {
				a.t.Error(err)
			}
			for _, f := range all {
				if f.GetName() == family {
					return f.GetMetric()[0].GetGauge().GetValue() + f.GetMetric()[0].GetCounter().GetValue()
				}
			}
			return -1 // there is none
		}
		p := a.bind(func(o *corev1.Pod) {
			o.Annotations["windtunnel/run-for"] = "10s"
			raw, err := o.Marshal()
			if err != nil {
				a.t.Error(err)
			}
			a.usage.Seen(wire.Event{Type: wire.Added, Object: raw})
		})
		var seen []string
		for range 4 { // it runs from 0.2 s to 10.2 s, from 10.3 s to 20.3 s and, after a back-off, from 30.4 s on
			time.Sleep(5200 * time.Millisecond)
			container, pod := read("container_cpu_usage_seconds_total"), read("pod_cpu_usage_seconds_total")
			seen = append(seen, fmt.Sprintf("%.1f %.1f", container, pod))
		}
		if want := []string{"5.0 5.0", "0.1 10.1", "5.3 15.3", "-1.0 -1.0"}; !slices.Equal(seen, want) {
			t.Errorf("CPU time of the container and its pod: %q, want %q", seen, want)
		}
		a.do(p.vanish)
		if got := read("node_memory_working_set_bytes"); got != 512<<20 {
			t.Errorf("the node uses %v bytes when its pod has gone", got)
		}
	})
}
