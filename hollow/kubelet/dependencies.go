package kubelet

import (
	"context"
	"fmt"

	"go.opentelemetry.io/otel/trace/noop"
	utilfeature "k8s.io/apiserver/pkg/util/feature"
	"k8s.io/client-go/tools/record"
	kubeletapp "k8s.io/kubernetes/cmd/kubelet/app"
	"k8s.io/kubernetes/pkg/kubelet"
	probetest "k8s.io/kubernetes/pkg/kubelet/prober/testing"
	"k8s.io/kubernetes/pkg/kubelet/util"
	"k8s.io/kubernetes/pkg/util/oom"
	"k8s.io/kubernetes/pkg/volume"
	"k8s.io/kubernetes/pkg/volume/csi"
	"k8s.io/kubernetes/pkg/volume/hostpath"
	"k8s.io/kubernetes/pkg/volume/util/hostutil"
	"k8s.io/kubernetes/pkg/volume/util/subpath"
)

// dependencies returns what a hollow kubelet runs on: the same stand-ins as kubemark's, except where those grow with every
// pod that ever ran or cannot be given a capacity.
func (s *Starter) dependencies(ctx context.Context, n Node) (*kubelet.Dependencies, error) {
	plugins, err := volumePlugins(ctx)
	if err != nil {
		return nil, err
	}
	return &kubelet.Dependencies{
		ProbeManager:              probetest.FakeManager{},
		RemoteRuntimeService:      n.Runtime,
		RemoteImageService:        n.Images,
		CAdvisorInterface:         newMachine(n, s.options.Capacity),
		OSInterface:               &hostOS{root: n.RootDir},
		ContainerManager:          newContainerManager(s.options.Capacity),
		VolumePlugins:             plugins,
		OOMAdjuster:               oom.NewFakeOOMAdjuster(),
		Mounter:                   newMounter(),
		Subpather:                 &subpath.FakeSubpath{},
		HostUtil:                  hostutil.NewFakeHostUtil(nil),
		PodStartupLatencyTracker:  util.NewPodStartupLatencyTracker(),
		NodeStartupLatencyTracker: util.NewNodeStartupLatencyTracker(),
		TracerProvider:            noop.NewTracerProvider(),
		// Any other recorder makes the kubelet read /dev/kmsg.
		Recorder: &record.FakeRecorder{},
	}, nil
}

// volumePlugins returns the kubelet's own, with the two that need something of the machine or of the process replaced.
func volumePlugins(ctx context.Context) ([]volume.VolumePlugin, error) {
	plugins, err := kubeletapp.ProbeVolumePlugins(ctx, utilfeature.DefaultFeatureGate)
	if err != nil {
		return nil, fmt.Errorf("volume plugins: %w", err)
	}
	for i, plugin := range plugins {
		switch plugin.GetPluginName() {
		case csi.CSIPluginName:
			plugins[i] = &csiPlugin{}
		case "kubernetes.io/host-path":
			// Paths on the host are taken as given: they are never used.
			plugins[i] = hostpath.FakeProbeVolumePlugins(volume.VolumeConfig{})[0]
		}
	}
	return plugins, nil
}
