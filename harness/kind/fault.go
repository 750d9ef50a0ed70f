package kind

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	kindnodes "sigs.k8s.io/kind/pkg/cluster/nodes"
)

// How long a killed component may take to be gone, and how long it has to stay away to count as such.
const (
	dieTime  = 30 * time.Second
	stayTime = time.Second
)

// Where the kubelet finds the manifests of the control plane, and where those of killed components wait.
const (
	staticPods = "/etc/kubernetes/manifests"
	killed     = "/etc/kubernetes/windtunnel-killed"
)

// Kill ends a component with SIGKILL, as a crash would, and returns when it is gone. The kubelet would start it again, so its
// manifest is taken away first. Of several control planes it is that of the first node.
func (c *Cluster) Kill(ctx context.Context, name string) error {
	n, err := c.controlled(name)
	if err != nil {
		return fmt.Errorf("kill %s: %w", name, err)
	}
	c.markKilled(name)
	const away = `mkdir -p "$2" && mv "$1/$3.yaml" "$2/" && pkill -KILL -f "^$3 "`
	if _, err := output(ctx, n, "sh", "-c", away, "kill", staticPods, killed, name); err != nil {
		return fmt.Errorf("kill %s: %w", name, err)
	}
	bound, cancel := context.WithTimeout(ctx, dieTime)
	defer cancel()
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	gone := time.Time{}
	for {
		// It is there once more when the kubelet started it again before it knew that it was not to.
		_, err := output(bound, n, "pkill", "-KILL", "-f", "^"+name+" ")
		switch {
		case err == nil:
			gone = time.Time{}
		case gone.IsZero():
			gone = time.Now()
		case time.Since(gone) >= stayTime:
			return nil
		}
		select {
		case <-bound.Done():
			return fmt.Errorf("kill %s: it is still there: %w", name, context.Cause(bound))
		case <-tick.C:
		}
	}
}

// Restart lets the kubelet start a component again that was killed, and returns when it is ready.
func (c *Cluster) Restart(ctx context.Context, name string) error {
	n, err := c.controlled(name)
	if err != nil {
		return fmt.Errorf("restart %s: %w", name, err)
	}
	if _, err := output(ctx, n, "mv", killed+"/"+name+".yaml", staticPods+"/"); err != nil {
		return fmt.Errorf("restart %s: it was not killed: %w", name, err)
	}
	timeout := time.Duration(c.opts.Spec.ReadyTimeout)
	bound, cancel := context.WithTimeoutCause(ctx, timeout, notReadyError{timeout})
	defer cancel()
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		why := c.healthy(bound, name)
		if why == nil {
			return c.findComponents(ctx)
		}
		select {
		case <-bound.Done():
			return fmt.Errorf("restart %s: %w (%w)", name, context.Cause(bound), why)
		case <-tick.C:
		}
	}
}

// controlled is the node that has a component of the control plane.
func (c *Cluster) controlled(name string) (kindnodes.Node, error) {
	if !slices.Contains([]string{etcdName, apiServerName, controllerManagerName, schedulerName}, name) {
		return nil, errors.New("no such component")
	}
	return c.nodes[0], nil
}

// healthy asks a component whether it is ready; the error says why not.
func (c *Cluster) healthy(ctx context.Context, name string) error {
	if name == apiServerName {
		return c.get(ctx, "/readyz", nil)
	}
	client, url := c.access.unnamed, fmt.Sprintf("https://127.0.0.1:%d/healthz", c.ports[name])
	if name == etcdName {
		client, url = c.access.plain, fmt.Sprintf("http://127.0.0.1:%d/health", c.ports[name])
	}
	if c.ports[name] == 0 {
		return c.answersInside(ctx, name)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", url, resp.Status)
	}
	return nil
}

// answersInside asks a component of a cluster that was there, whose ports only the node reaches.
func (c *Cluster) answersInside(ctx context.Context, name string) error {
	urls := map[string]string{
		etcdName:              fmt.Sprintf("http://127.0.0.1:%d/health", etcdMetricsPort),
		controllerManagerName: fmt.Sprintf("https://127.0.0.1:%d/healthz", controllerManagerPort),
		schedulerName:         fmt.Sprintf("https://127.0.0.1:%d/healthz", schedulerPort),
	}
	_, err := output(ctx, c.nodes[0], "curl", "--silent", "--fail", "--insecure", urls[name])
	return err
}
