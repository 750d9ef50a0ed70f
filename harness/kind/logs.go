package kind

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	kindcluster "sigs.k8s.io/kind/pkg/cluster"
	kindnodes "sigs.k8s.io/kind/pkg/cluster/nodes"
	"sigs.k8s.io/kind/pkg/cluster/nodeutils"
)

// sortedNodes are a cluster's nodes without its load balancer: those with a control plane first, each kind by name, so that
// the first is the one that kubeadm began with.
func sortedNodes(p *kindcluster.Provider, name string) ([]kindnodes.Node, error) {
	all, err := p.ListInternalNodes(name)
	if err != nil {
		return nil, fmt.Errorf("list the nodes of %s: %w", name, err)
	}
	first, err := nodeutils.ControlPlaneNodes(all)
	if err != nil {
		return nil, fmt.Errorf("list the nodes of %s: %w", name, err)
	}
	byName := func(a, b kindnodes.Node) int { return strings.Compare(a.String(), b.String()) }
	slices.SortFunc(first, byName)
	slices.SortFunc(all, byName)
	isFirst := func(n kindnodes.Node) bool {
		return slices.ContainsFunc(first, func(f kindnodes.Node) bool { return f.String() == n.String() })
	}
	return append(first, slices.DeleteFunc(all, isFirst)...), nil
}

// suffix tells the components of several nodes apart: nothing for the first, -2, -3 and so on for the others.
func suffix(node int) string {
	if node == 0 {
		return ""
	}
	return fmt.Sprintf("-%d", node+1)
}

// collectLogs writes what the components of all nodes logged since an instant into a directory, as NAME.log.
func collectLogs(ctx context.Context, nodes []kindnodes.Node, dir string, since time.Time) error {
	var errs []error
	for i, n := range nodes {
		for _, name := range []string{etcdName, apiServerName, controllerManagerName, schedulerName, proxyName} {
			// The directory's name begins with that of the pod, the file's is the number of the container's life.
			text, err := output(ctx, n, "sh", "-c", fmt.Sprintf("cat /var/log/pods/kube-system_%s-*/%s/*.log 2>/dev/null || :", name, name))
			errs = append(errs, err, writeLog(dir, name+suffix(i), messages(text, since)))
		}
		for unit, name := range map[string]string{"kubelet": kubeletName, "containerd": containerdName} {
			args := []string{"--no-pager", "--output", "short-iso-precise", "--unit", unit}
			if !since.IsZero() {
				args = append(args, fmt.Sprintf("--since=@%d", since.Unix()))
			}
			text, err := output(ctx, n, "journalctl", args...)
			errs = append(errs, err, writeLog(dir, name+suffix(i), text))
		}
	}
	return errors.Join(errs...)
}

// writeLog writes a log, unless it is empty.
func writeLog(dir, name string, text []byte) error {
	if len(text) == 0 {
		return nil
	}
	return os.WriteFile(filepath.Join(dir, name+".log"), text, 0o644)
}

// messages takes the containers' own lines out of the runtime's: TIME STREAM TAG MESSAGE, where the tag P says that the line
// goes on with the next.
func messages(log []byte, since time.Time) []byte {
	var out bytes.Buffer
	lines := bufio.NewScanner(bytes.NewReader(log))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		parts := strings.SplitN(lines.Text(), " ", 4)
		if len(parts) < 4 {
			continue
		}
		if at, err := time.Parse(time.RFC3339Nano, parts[0]); err == nil && at.Before(since) {
			continue
		}
		out.WriteString(parts[3])
		if parts[2] != "P" {
			out.WriteByte('\n')
		}
	}
	return out.Bytes()
}

// output runs a command in a node and returns what it printed.
func output(ctx context.Context, n kindnodes.Node, command string, args ...string) ([]byte, error) {
	var out, complaint bytes.Buffer
	if err := n.CommandContext(ctx, command, args...).SetStdout(&out).SetStderr(&complaint).Run(); err != nil {
		if line := lastLine(complaint.String()); line != "" {
			err = errors.New(line)
		}
		return out.Bytes(), fmt.Errorf("%s in %s: %w", command, n, err)
	}
	return out.Bytes(), nil
}
