package kubelet

import (
	"os"
	"path/filepath"
	"testing"

	cadvisorapiv2 "github.com/google/cadvisor/info/v2"
	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/kubernetes/pkg/kubelet/cm"
	"k8s.io/kubernetes/pkg/volume/csi"

	"windtunnel/hollow"
)

func capacity(t *testing.T) hollow.Capacity {
	t.Helper()
	c, err := hollow.ParseCapacity(map[string]string{"cpu": "8", "memory": "16Gi", "hugepages-2Mi": "4Mi", "example.com/gpu": "2"})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestCSIPluginIsOurs: with the kubelet's own, nodes of one process get each other's CSINode.
func TestCSIPluginIsOurs(t *testing.T) {
	plugins, err := volumePlugins(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, plugin := range plugins {
		if plugin.GetPluginName() == csi.CSIPluginName {
			found++
			if _, ours := plugin.(*csiPlugin); !ours {
				t.Errorf("%s is %T", csi.CSIPluginName, plugin)
			}
		}
	}
	if found != 1 {
		t.Errorf("%d plugins are called %s", found, csi.CSIPluginName)
	}
}

func TestMachine(t *testing.T) {
	root := t.TempDir()
	m := newMachine(Node{Name: "n", RootDir: root}, capacity(t))
	info, err := m.MachineInfo()
	if err != nil {
		t.Fatal(err)
	}
	if info.NumCores != 8 || info.MemoryCapacity != 16<<30 || len(info.HugePages) != 1 || info.HugePages[0].PageSize != 2048 || info.HugePages[0].NumPages != 2 {
		t.Errorf("machine %+v", info)
	}
	for _, cgroup := range []string{"/", podsCgroup} {
		infos, err := m.ContainerInfoV2(cgroup, cadvisorapiv2.RequestOptions{})
		if err != nil || len(infos) != 1 || len(infos[cgroup].Stats) == 0 {
			t.Errorf("cgroup %s: %v, %v", cgroup, infos, err)
		}
	}
}

// TestStartKeepsThePluginManagerFromStarting: it would take an inotify instance a node.
func TestStartKeepsThePluginManagerFromStarting(t *testing.T) {
	root := t.TempDir()
	dir := filepath.Join(root, "plugins_registry")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := newMachine(Node{Name: "n", RootDir: root}, capacity(t)).Start(); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(dir, 0o755); err == nil {
		t.Error("the plugin manager could make its directory")
	}
}

func TestContainerManager(t *testing.T) {
	m := newContainerManager(capacity(t))
	if got := m.GetCapacity(true)[v1.ResourceEphemeralStorage]; got.Value() != 100<<30 {
		t.Errorf("ephemeral storage %s, want 100Gi", got.String())
	}
	extended, _, _ := m.GetDevicePluginResourceCapacity()
	if gpu := extended["example.com/gpu"]; gpu.Value() != 2 {
		t.Errorf("extended resources %v", extended)
	}
	pod := &v1.Pod{Spec: v1.PodSpec{Containers: []v1.Container{{Name: "c", Resources: v1.ResourceRequirements{
		Requests: v1.ResourceList{v1.ResourceCPU: resource.MustParse("500m")},
	}}}}}
	for _, name := range []v1.ResourceName{v1.ResourceCPU, v1.ResourceMemory} {
		config, err := m.NewPodContainerManager().GetPodCgroupConfig(pod, name)
		if err != nil {
			t.Fatal(err)
		}
		if request := cm.CPURequestsFromConfig(config); request.MilliValue() != 500 {
			t.Errorf("CPU request %s, want 500m", request)
		}
		if limit := cm.CPULimitsFromConfig(config); limit != nil {
			t.Errorf("CPU limit %s, want none", limit)
		}
		if limit := cm.MemoryLimitsFromConfig(config); limit != nil {
			t.Errorf("memory limit %s, want none", limit)
		}
	}
}

func TestHostOSStaysInItsDirectory(t *testing.T) {
	root, other := t.TempDir(), t.TempDir()
	o := &hostOS{root: root}
	if err := o.MkdirAll(other+"/a", 0o755); err != nil {
		t.Fatal(err)
	}
	if err := o.RemoveAll(other); err != nil {
		t.Fatal(err)
	}
	if entries, err := os.ReadDir(other); err != nil || len(entries) != 0 {
		t.Errorf("the other directory has %v, %v; want it there and empty", entries, err)
	}
	if err := o.MkdirAll(root+"/a/b", 0o755); err != nil {
		t.Fatal(err)
	}
	if entries, err := o.ReadDir(root + "/a"); err != nil || len(entries) != 1 {
		t.Errorf("its own directory has %v, %v; want one entry", entries, err)
	}
}
