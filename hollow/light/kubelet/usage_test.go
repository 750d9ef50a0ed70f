package kubelet

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"windtunnel/hollow"
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
