package kubelet_test

import (
	"context"
	"math"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/component-base/metrics"
	stats "k8s.io/kubelet/pkg/apis/stats/v1alpha1"
	"k8s.io/kubernetes/pkg/kubelet/metrics/collectors"

	"windtunnel/hollow"
	"windtunnel/hollow/light/usage"
	"windtunnel/hollow/light/wire"
	"windtunnel/profiles"
)

// twoPods is what a kubelet knows of a node and two pods that began 2 and 1 s ago, of 256m and 64Mi a container. The first has two containers.
type twoPods struct{ began, now time.Time }

func (k twoPods) Get(ctx context.Context, _ bool) (*stats.Summary, error) {
	return k.GetCPUAndMemoryStats(ctx)
}

func (k twoPods) GetCPUAndMemoryStats(context.Context) (*stats.Summary, error) {
	at := metav1.NewTime(k.now)
	cpu := func(milliseconds uint64) *stats.CPUStats {
		return &stats.CPUStats{Time: at, UsageCoreNanoSeconds: new(milliseconds * uint64(time.Millisecond))}
	}
	memory := func(mebibytes uint64) *stats.MemoryStats {
		return &stats.MemoryStats{Time: at, WorkingSetBytes: new(mebibytes << 20)}
	}
	unswapped := &stats.SwapStats{Time: at, SwapUsageBytes: new(uint64(0))}
	container := func(name string, after time.Duration, milliseconds uint64) stats.ContainerStats {
		return stats.ContainerStats{Name: name, StartTime: metav1.NewTime(k.began.Add(after)), CPU: cpu(milliseconds), Memory: memory(64),
			Swap: &stats.SwapStats{Time: at, SwapUsageBytes: new(uint64(0)), SwapAvailableBytes: new(uint64(0))}}
	}
	return &stats.Summary{
		Node: stats.NodeStats{CPU: cpu(200 + 3*512 - 256), Memory: memory(512 + 3*64), Swap: unswapped},
		Pods: []stats.PodStats{
			{PodRef: stats.PodReference{Name: "p", Namespace: "ns"}, CPU: cpu(1024), Memory: memory(128), Swap: unswapped,
				Containers: []stats.ContainerStats{container("a", 0, 512), container("b", 0, 512)}},
			{PodRef: stats.PodReference{Name: "q", Namespace: "ns"}, CPU: cpu(256), Memory: memory(64), Swap: unswapped,
				Containers: []stats.ContainerStats{container("a", time.Second, 256)}},
		},
	}, nil
}

// TestLightNodesServeTheKubeletsMetrics holds names, help texts, types, labels, values and timestamps against the kubelet's own collector.
func TestLightNodesServeTheKubeletsMetrics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := usage.New(hollow.ShardConfig{Usage: &profiles.Usage{CPU: "256m", Memory: "64Mi", Period: profiles.Duration(time.Minute)}}, "127.0.0.1", nil)
		if err != nil {
			t.Fatal(err)
		}
		n, k := s.Node("n", nil), twoPods{began: time.Now()}
		start := func(name string, containers ...string) {
			object := corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "ns", UID: types.UID(name)}}
			for _, c := range containers {
				object.Spec.Containers = append(object.Spec.Containers, corev1.Container{Name: c})
			}
			raw, err := object.Marshal()
			if err != nil {
				t.Fatal(err)
			}
			n.Seen(wire.Event{Type: wire.Added, Object: raw})
			n.Start(name, "", time.Now())
		}
		start("p", "a", "b")
		time.Sleep(time.Second)
		start("q", "a")
		time.Sleep(time.Second)
		k.now = time.Now()

		theirs := metrics.NewKubeRegistry()
		theirs.CustomMustRegister(collectors.NewResourceMetricsCollector(k))
		want, err := theirs.Gather()
		if err != nil {
			t.Fatal(err)
		}
		// A kubelet of a release hides what was deprecated before it; here the version is not known.
		want = slices.DeleteFunc(want, func(f *dto.MetricFamily) bool { return f.GetName() == "scrape_error" })
		ours := prometheus.NewPedanticRegistry()
		ours.MustRegister(n.Collector())
		got, err := ours.Gather()
		if err != nil {
			t.Fatal(err)
		}
		if len(got) != 12 {
			t.Errorf("%d families", len(got))
		}
		if diff := cmp.Diff(plain(want), plain(got)); diff != "" {
			t.Errorf("(-kubelet +here):\n%s", diff)
		}
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		if err := s.Run(ended); err != nil { // which lets the port go
			t.Error(err)
		}
	})
}

// family is a metric family without what protobuf adds.
type family struct {
	Name, Help, Type string
	Metrics          []metric
}

type metric struct {
	Labels map[string]string
	Value  float64 // in thousandths, rounded
	At     int64   // milliseconds since 1970; 0 for none
}

func plain(all []*dto.MetricFamily) (list []family) {
	for _, f := range all {
		p := family{Name: f.GetName(), Help: f.GetHelp(), Type: f.GetType().String()}
		for _, m := range f.GetMetric() {
			o := metric{Labels: map[string]string{}, Value: math.Round(1000 * (m.GetGauge().GetValue() + m.GetCounter().GetValue())), At: m.GetTimestampMs()}
			for _, l := range m.GetLabel() {
				o.Labels[l.GetName()] = l.GetValue()
			}
			p.Metrics = append(p.Metrics, o)
		}
		list = append(list, p)
	}
	return list
}
