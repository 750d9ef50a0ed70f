package kubelet

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	containertest "k8s.io/kubernetes/pkg/kubelet/container/testing"
)

// hostOS is kubemark's pretended operating system, of which nothing reaches the machine, except that it does not remember
// everything that was ever removed, and that the directories of pods' logs under the kubelet's own are real: the kubelet looks
// into them for the disk space that containers use. The logs are not there; they count as empty.
type hostOS struct {
	containertest.FakeOS
	root string
}

func (o *hostOS) ours(path string) bool { return strings.HasPrefix(path, o.root+"/") }

// MkdirAll makes a directory under the kubelet's.
func (o *hostOS) MkdirAll(path string, mode os.FileMode) error {
	if !o.ours(path) {
		return nil
	}
	return os.MkdirAll(path, mode)
}

// ReadDir lists a directory under the kubelet's; others are empty.
func (o *hostOS) ReadDir(path string) ([]os.DirEntry, error) {
	if !o.ours(path) {
		return nil, nil
	}
	return os.ReadDir(path)
}

// RemoveAll removes what is under the kubelet's directory.
func (o *hostOS) RemoveAll(path string) error {
	if !o.ours(path) {
		return nil
	}
	return os.RemoveAll(path)
}

// Stat says of everything that it is an empty file. The kubelet asks for container logs alone.
func (o *hostOS) Stat(path string) (os.FileInfo, error) { return emptyFile(filepath.Base(path)), nil }

// Remove does nothing.
func (*hostOS) Remove(string) error { return nil }

// Create does nothing.
func (*hostOS) Create(string) (*os.File, error) { return nil, nil }

// Glob finds nothing.
func (*hostOS) Glob(string) ([]string, error) { return nil, nil }

// emptyFile is what there is to know of an empty file, by its name.
type emptyFile string

func (f emptyFile) Name() string     { return string(f) }
func (emptyFile) Size() int64        { return 0 }
func (emptyFile) Mode() fs.FileMode  { return 0o640 }
func (emptyFile) ModTime() time.Time { return time.Time{} }
func (emptyFile) IsDir() bool        { return false }
func (emptyFile) Sys() any           { return nil }
