package kind

import (
	"context"
	"fmt"
	"strings"
	"syscall"

	"windtunnel/harness/supervise"
)

// namePrefix begins the name of every cluster that windtunnel makes; the mark of its supervisor follows.
const namePrefix = "windtunnel-"

// deathSignal lets the process that owns a cluster delete it also when the supervisor was killed.
const deathSignal = syscall.SIGTERM

// newName is the name of a supervisor's cluster.
func newName(sup *supervise.Supervisor) string { return namePrefix + sup.Mark() }

// Left are the clusters that windtunnel made and that no supervisor owns any more: kept, or left when everything was killed
// at once.
func Left(ctx context.Context, e Engine) ([]string, error) {
	text, err := e.run(ctx, "ps", "--all", "--filter", "label="+clusterLabel, "--format", fmt.Sprintf(`{{.Label "%s"}}`, clusterLabel))
	if e.name == "podman" {
		text, err = e.run(ctx, "ps", "--all", "--filter", "label="+clusterLabel, "--format", fmt.Sprintf(`{{index .Labels "%s"}}`, clusterLabel))
	}
	if err != nil {
		return nil, fmt.Errorf("list kind clusters: %w", err)
	}
	var left []string
	seen := map[string]bool{}
	for _, name := range strings.Fields(text) {
		mark, ours := strings.CutPrefix(name, namePrefix)
		if ours && !seen[name] && !supervise.MarkAlive(mark) {
			left = append(left, name)
		}
		seen[name] = true
	}
	return left, nil
}

// Delete deletes a cluster with all its nodes. It touches nobody's kubeconfig.
func Delete(_ context.Context, e Engine, name string) error {
	if err := e.provider().Delete(name, "/dev/null"); err != nil {
		return fmt.Errorf("delete the cluster %s: %w", name, err)
	}
	return nil
}
