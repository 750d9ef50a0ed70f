package kind

import (
	"fmt"
	"os"
	"path/filepath"
)

// patchDir is the directory, beside the logs, with what kubeadm is to change in its static pods.
const patchDir = "kubeadm-patches"

// etcdCPU is what etcd's pod asks for, which gives it its share of a busy CPU: as much as kubeadm gives the API server. kubeadm's own 100m
// is for a machine that has nothing else to do: beside hollow nodes and load etcd waited for the CPU and not for the disk (34 ms for
// a request, 0.8 ms for a flush, with 100 nodes and 3 000 pods on 2 cores).
const etcdCPU = "250m"

// writeShares writes the patch for etcdCPU below a directory.
func writeShares(dir string) error {
	dir = filepath.Join(dir, patchDir)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("make directory: %w", err)
	}
	patch := fmt.Sprintf("spec: {containers: [{name: etcd, resources: {requests: {cpu: %s}}}]}\n", etcdCPU)
	if err := os.WriteFile(filepath.Join(dir, etcdName+".yaml"), []byte(patch), 0o644); err != nil {
		return fmt.Errorf("write kubeadm's patches: %w", err)
	}
	return nil
}
