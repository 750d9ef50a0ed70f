package usage

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
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/component-base/metrics"
	stats "k8s.io/kubelet/pkg/apis/stats/v1alpha1"
	"k8s.io/kubernetes/pkg/kubelet/metrics/collectors"

	"windtunnel/hollow/light/wire"
	"windtunnel/profiles"
)

// kubelets gives a kubelet's collector what a node's reading says.
type kubelets struct{ reading }

func (k kubelets) Get(ctx context.Context, _ bool) (*stats.Summary, error) {
	return k.GetCPUAndMemoryStats(ctx)
}

func (k kubelets) GetCPUAndMemoryStats(context.Context) (*stats.Summary, error) {
	at := metav1.NewTime(k.at)
	cpu := func(u used) *stats.CPUStats {
		return &stats.CPUStats{Time: at, UsageCoreNanoSeconds: new(uint64(math.Round(u.cpu * 1e9)))}
	}
	memory := func(u used) *stats.MemoryStats {
		return &stats.MemoryStats{Time: at, WorkingSetBytes: new(uint64(u.memory))}
	}
	swap := &stats.SwapStats{Time: at, SwapUsageBytes: new(uint64(0))}
	s := &stats.Summary{Node: stats.NodeStats{CPU: cpu(k.used), Memory: memory(k.used), Swap: swap}}
	for _, p := range k.pods {
		pod := stats.PodStats{PodRef: stats.PodReference{Name: p.name, Namespace: p.namespace}, CPU: cpu(p.used), Memory: memory(p.used), Swap: swap}
		for _, c := range p.containers {
			pod.Containers = append(pod.Containers, stats.ContainerStats{Name: c.name, StartTime: metav1.NewTime(c.start), CPU: cpu(c.used), Memory: memory(c.used),
				Swap: &stats.SwapStats{Time: at, SwapUsageBytes: new(uint64(0)), SwapAvailableBytes: new(uint64(0))}})
		}
		s.Pods = append(s.Pods, pod)
	}
	return s, nil
}

// TestMetricsAreTheKubelets holds names, help texts, types, labels, values and timestamps against the kubelet's own collector.
func TestMetricsAreTheKubelets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := nodeWith(t, profiles.Usage{Swing: 0.5})
		for _, name := range []string{"p", "q", "ended"} {
			n.Seen(event(t, wire.Added, name, nil))
			n.Start("uid-"+name, "", time.Now())
			time.Sleep(time.Second)
		}
		n.Stop("uid-ended", "")
		n.Stop("uid-q", "b")
		time.Sleep(7 * time.Second)

		theirs := metrics.NewKubeRegistry()
		theirs.CustomMustRegister(collectors.NewResourceMetricsCollector(kubelets{n.read()}))
		want, err := theirs.Gather()
		if err != nil {
			t.Fatal(err)
		}
		// A kubelet of a release hides what was deprecated before it; here the version is not known.
		want = slices.DeleteFunc(want, func(f *dto.MetricFamily) bool { return f.GetName() == "scrape_error" })
		ours := prometheus.NewPedanticRegistry()
		ours.MustRegister(collector{newFamilies(), n})
		got, err := ours.Gather()
		if err != nil {
			t.Fatal(err)
		}
		if len(got) != 12 {
			t.Errorf("%d families", len(got))
		}
		closely := cmp.Comparer(func(a, b float64) bool { return near(a, b, 1e-9*max(1, math.Abs(a))) })
		if diff := cmp.Diff(plain(want), plain(got), closely); diff != "" {
			t.Errorf("(-kubelet +here):\n%s", diff)
		}
	})
}

// family is a metric family without what protobuf adds.
type family struct {
	Name, Help, Type string
	Metrics          []one
}

type one struct {
	Labels map[string]string
	Value  float64
	At     int64 // milliseconds since 1970; 0 for none
}

func plain(all []*dto.MetricFamily) (list []family) {
	for _, f := range all {
		p := family{Name: f.GetName(), Help: f.GetHelp(), Type: f.GetType().String()}
		for _, m := range f.GetMetric() {
			o := one{Labels: map[string]string{}, Value: m.GetGauge().GetValue() + m.GetCounter().GetValue(), At: m.GetTimestampMs()}
			for _, l := range m.GetLabel() {
				o.Labels[l.GetName()] = l.GetValue()
			}
			p.Metrics = append(p.Metrics, o)
		}
		list = append(list, p)
	}
	return list
}
