package kubelet

import (
	"context"
	"errors"
	"time"

	"github.com/blang/semver/v4"
	"github.com/prometheus/client_golang/prometheus"
	apiversion "k8s.io/apimachinery/pkg/util/version"
	"k8s.io/component-base/metrics"
	"k8s.io/component-base/metrics/legacyregistry"
	"k8s.io/component-base/version"
	statsapi "k8s.io/kubelet/pkg/apis/stats/v1alpha1"
	kubeletcollectors "k8s.io/kubernetes/pkg/kubelet/metrics/collectors"
)

// collectors takes back what a starting kubelet registers. Every kubelet registers a volume stats and a log collector of its
// own with the process's registry, and the second one to do so panics. Nobody scrapes a hollow kubelet, so each pair is
// unregistered as soon as it is there, by twins: a registry knows a collector by its descriptors.
type collectors struct {
	twins []prometheus.Collector
}

// registrationTimeout bounds the wait for a kubelet to register its collectors, which is the first thing that it does.
const registrationTimeout = 30 * time.Second

func newCollectors() *collectors {
	prometheus.DefaultRegisterer = nowhere{}
	current := semver.MustParse(apiversion.MustParse(version.Get().GitVersion).String())
	volumes := kubeletcollectors.NewVolumeStatsCollector(nil)
	logs := kubeletcollectors.NewLogMetricsCollector(func(context.Context) ([]statsapi.PodStats, error) { return nil, nil })
	c := &collectors{}
	for _, twin := range []metrics.StableCollector{volumes, logs} {
		twin.Create(&current, twin)
		c.twins = append(c.twins, twin)
	}
	return c
}

// forget waits until the kubelet that was just started has registered its collectors, and unregisters them.
func (c *collectors) forget(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, registrationTimeout, errors.New("the kubelet did not register its metrics"))
	defer cancel()
	tick := time.NewTicker(200 * time.Microsecond)
	defer tick.Stop()
	for _, twin := range c.twins {
		for !legacyregistry.Registerer().Unregister(twin) {
			select {
			case <-tick.C:
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
	}
	return nil
}

// nowhere is a registerer that takes everything and keeps nothing.
type nowhere struct{}

func (nowhere) Register(prometheus.Collector) error  { return nil }
func (nowhere) MustRegister(...prometheus.Collector) {}
func (nowhere) Unregister(prometheus.Collector) bool { return true }
