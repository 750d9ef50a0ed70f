package kubelet

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"time"

	cadvisorapi "github.com/google/cadvisor/info/v1"
	cadvisorapiv2 "github.com/google/cadvisor/info/v2"
	"k8s.io/kubernetes/pkg/kubelet/cadvisor"
	"k8s.io/kubernetes/pkg/kubelet/kubeletconfig"

	"windtunnel/hollow"
)

const (
	// filesystem is the device of the node's only filesystem, which never fills.
	filesystem  = "/dev/hollow"
	inodes      = 6_553_600
	usedShare   = 10 // a tenth of the filesystem and of its inodes
	kernel      = "6.8.0-hollow"
	systemImage = "windtunnel hollow node"
	// podsCgroup is the name of the cgroup of all pods, as in the kubelet.
	podsCgroup = "/kubepods"
	// usedMemory is what the node's system uses, in bytes.
	usedMemory = 512 << 20
)

// machine is what a node knows of its hardware: a capacity, and usage that never changes.
type machine struct {
	root string // the kubelet's directory
	info cadvisorapi.MachineInfo
	fs   cadvisorapiv2.FsInfo
	boot time.Time
}

var _ cadvisor.Interface = (*machine)(nil)

func newMachine(n Node, capacity hollow.Capacity) *machine {
	m := &machine{root: n.RootDir, boot: time.Now()}
	m.info = cadvisorapi.MachineInfo{
		NumCores:         capacity.Cores,
		NumPhysicalCores: capacity.Cores,
		NumSockets:       1,
		MemoryCapacity:   uint64(capacity.Memory),
		MachineID:        n.Name,
		SystemUUID:       n.Name,
		BootID:           n.Name,
		InstanceID:       cadvisorapi.InstanceID(n.Name),
	}
	for size, pages := range capacity.HugePages {
		m.info.HugePages = append(m.info.HugePages, cadvisorapi.HugePagesInfo{PageSize: uint64(size) >> 10, NumPages: uint64(pages)})
	}
	total := uint64(capacity.EphemeralStorage)
	allInodes, freeInodes := uint64(inodes), uint64(inodes-inodes/usedShare)
	m.fs = cadvisorapiv2.FsInfo{
		Timestamp:  m.boot,
		Device:     filesystem,
		Mountpoint: "/",
		Capacity:   total,
		Available:  total - total/usedShare,
		Usage:      total / usedShare,
		Inodes:     &allInodes,
		InodesFree: &freeInodes,
	}
	return m
}

// Start is called by the kubelet before it starts the modules that need a runtime. Of those, the plugin manager watches a
// directory for the sockets of CSI and device plugins, of which a hollow node has none: it would take an inotify instance a
// node, of which Linux gives a user 128, and poll once a second. With a file where the directory should be it does not start.
func (m *machine) Start() error {
	dir := filepath.Join(m.root, kubeletconfig.DefaultKubeletPluginsRegistrationDirName)
	if err := os.RemoveAll(dir); err != nil {
		return fmt.Errorf("plugin directory: %w", err)
	}
	return os.WriteFile(dir, []byte("hollow nodes take no plugins\n"), 0o600)
}

// MachineInfo gives the capacity.
func (m *machine) MachineInfo() (*cadvisorapi.MachineInfo, error) { return m.info.Clone(), nil }

// VersionInfo gives what shows as the node's system.
func (m *machine) VersionInfo() (*cadvisorapi.VersionInfo, error) {
	return &cadvisorapi.VersionInfo{KernelVersion: kernel, ContainerOsVersion: systemImage + " (" + runtime.GOARCH + ")"}, nil
}

// ContainerInfoV2 knows the root cgroup and that of the pods, by which the kubelet judges memory pressure.
func (m *machine) ContainerInfoV2(name string, _ cadvisorapiv2.RequestOptions) (map[string]cadvisorapiv2.ContainerInfo, error) {
	if name != "/" && name != podsCgroup {
		return map[string]cadvisorapiv2.ContainerInfo{}, nil
	}
	return map[string]cadvisorapiv2.ContainerInfo{name: {
		Spec: cadvisorapiv2.ContainerSpec{
			CreationTime: m.boot,
			HasCpu:       true,
			HasMemory:    true,
			Memory:       cadvisorapiv2.MemorySpec{Limit: m.info.MemoryCapacity},
		},
		Stats: []*cadvisorapiv2.ContainerStats{{
			Timestamp: time.Now(),
			Cpu:       &cadvisorapi.CpuStats{},
			CpuInst:   &cadvisorapiv2.CpuInstStats{},
			Memory:    &cadvisorapi.MemoryStats{Usage: usedMemory, WorkingSet: usedMemory, RSS: usedMemory},
		}},
	}}, nil
}

// GetRequestedContainersInfo knows no containers.
func (m *machine) GetRequestedContainersInfo(string, cadvisorapiv2.RequestOptions) (map[string]*cadvisorapi.ContainerInfo, error) {
	return map[string]*cadvisorapi.ContainerInfo{}, nil
}

// ImagesFsInfo gives the node's only filesystem.
func (m *machine) ImagesFsInfo(context.Context) (cadvisorapiv2.FsInfo, error) { return m.fs, nil }

// RootFsInfo gives the node's only filesystem.
func (m *machine) RootFsInfo() (cadvisorapiv2.FsInfo, error) { return m.fs, nil }

// ContainerFsInfo gives the node's only filesystem.
func (m *machine) ContainerFsInfo(context.Context) (cadvisorapiv2.FsInfo, error) { return m.fs, nil }

// GetDirFsInfo gives the node's only filesystem, whatever the path.
func (m *machine) GetDirFsInfo(string) (cadvisorapiv2.FsInfo, error) { return m.fs, nil }
