package kubelet

import (
	"errors"
	"io/fs"
	"testing"
)

func TestMounter(t *testing.T) {
	m := newMounter()
	dir := t.TempDir()
	mounted := func() bool {
		t.Helper()
		not, err := m.IsLikelyNotMountPoint(dir)
		if err != nil {
			t.Fatal(err)
		}
		return !not
	}
	if mounted() {
		t.Error("mounted before it was")
	}
	for range 2 {
		if err := m.MountSensitiveWithoutSystemd("tmpfs", dir, "tmpfs", nil, nil); err != nil {
			t.Fatal(err)
		}
	}
	if list, _ := m.List(); !mounted() || len(list) != 1 || list[0].Path != dir {
		t.Errorf("mounted %t, list %v; want one mount", mounted(), list)
	}
	for range 2 {
		if err := m.Unmount(dir); err != nil {
			t.Fatal(err)
		}
	}
	if list, _ := m.List(); mounted() || len(list) != 0 {
		t.Errorf("mounted %t, list %v; want none", mounted(), list)
	}
	if _, err := m.IsMountPoint(dir + "/missing"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want %v", err, fs.ErrNotExist)
	}
}
