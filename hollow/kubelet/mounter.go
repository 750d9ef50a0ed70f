package kubelet

import (
	"os"
	"sync"

	"k8s.io/mount-utils"
)

// mounter is a node's mount table. Nothing is mounted on the machine: the directory that would be the mount point keeps what
// is written to it.
type mounter struct {
	mu     sync.Mutex
	mounts map[string]mount.MountPoint // by target
}

var _ mount.Interface = (*mounter)(nil)

func newMounter() *mounter { return &mounter{mounts: make(map[string]mount.MountPoint)} }

// Mount notes a mount. A second one at the same target takes the place of the first.
func (m *mounter) Mount(source, target, fstype string, options []string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.mounts[target] = mount.MountPoint{Device: source, Path: target, Type: fstype, Opts: options}
	return nil
}

// MountSensitive is Mount; the sensitive options are dropped.
func (m *mounter) MountSensitive(source, target, fstype string, options, _ []string) error {
	return m.Mount(source, target, fstype, options)
}

// MountSensitiveWithoutSystemd is Mount; the sensitive options are dropped.
func (m *mounter) MountSensitiveWithoutSystemd(source, target, fstype string, options, _ []string) error {
	return m.Mount(source, target, fstype, options)
}

// MountSensitiveWithoutSystemdWithMountFlags is Mount; the sensitive options and the flags are dropped.
func (m *mounter) MountSensitiveWithoutSystemdWithMountFlags(source, target, fstype string, options, _, _ []string) error {
	return m.Mount(source, target, fstype, options)
}

// Unmount forgets a mount.
func (m *mounter) Unmount(target string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.mounts, target)
	return nil
}

// List returns the mounts in no order.
func (m *mounter) List() ([]mount.MountPoint, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	list := make([]mount.MountPoint, 0, len(m.mounts))
	for _, point := range m.mounts {
		list = append(list, point)
	}
	return list, nil
}

// IsLikelyNotMountPoint says whether nothing is mounted at path, or that path is not there.
func (m *mounter) IsLikelyNotMountPoint(path string) (bool, error) {
	mounted, err := m.IsMountPoint(path)
	return !mounted, err
}

// IsMountPoint says whether something is mounted at path, or that path is not there.
func (m *mounter) IsMountPoint(path string) (bool, error) {
	if _, err := os.Lstat(path); err != nil {
		return false, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	_, mounted := m.mounts[path]
	return mounted, nil
}

// CanSafelySkipMountPointCheck says that unmounting what is not mounted is no error.
func (m *mounter) CanSafelySkipMountPointCheck() bool { return true }

// GetMountRefs returns the other targets of the device that is mounted at path.
func (m *mounter) GetMountRefs(path string) ([]string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	here, mounted := m.mounts[path]
	if !mounted {
		return nil, nil
	}
	var others []string
	for target, point := range m.mounts {
		if target != path && point.Device == here.Device {
			others = append(others, target)
		}
	}
	return others, nil
}
