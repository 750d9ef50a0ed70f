package controlplane

import (
	"context"
	"fmt"
	"os"
	"strconv"

	"k8s.io/client-go/rest"

	"windtunnel/harness/cluster"
)

// userPrefix begins the name of every user of the load; a number follows.
const userPrefix = "windtunnel:user-"

// User makes the load's user of that number.
func (c *Cluster) User(_ context.Context, number int) (cluster.Identity, error) {
	return c.Issue(userPrefix+strconv.Itoa(number), cluster.UsersGroup)
}

// Observer is the configuration of a client of the group system:masters.
func (c *Cluster) Observer(context.Context) (*rest.Config, error) {
	return c.RESTConfig("windtunnel:observer", masters)
}

// Provisioner is the configuration of a client of the group of the load's users.
func (c *Cluster) Provisioner(context.Context) (*rest.Config, error) {
	return c.RESTConfig("windtunnel:volumes", cluster.UsersGroup)
}

// RESTConfig is the configuration of a client with a new certificate for the user. Its own rate limiter is off.
func (c *Cluster) RESTConfig(user string, groups ...string) (*rest.Config, error) {
	return c.pki.cluster.RESTConfig(c.Server(), user, groups...)
}

// Kubeconfig is a file for kubectl and other clients of the group system:masters.
func (c *Cluster) Kubeconfig(context.Context) ([]byte, error) {
	return c.KubeconfigOf("windtunnel:admin", masters)
}

// KubeconfigOf is a file for kubectl and other clients, with a new certificate for the user in it.
func (c *Cluster) KubeconfigOf(user string, groups ...string) ([]byte, error) {
	return c.pki.cluster.Kubeconfig(c.Server(), user, groups...)
}

// writeKubeconfig writes a component's own kubeconfig; its user is system:<component>.
func (c *Cluster) writeKubeconfig(component string) error {
	b, err := c.KubeconfigOf("system:" + component)
	if err != nil {
		return err
	}
	if err := os.WriteFile(c.memory(component+".kubeconfig"), b, 0o600); err != nil {
		return fmt.Errorf("write kubeconfig of %s: %w", component, err)
	}
	return nil
}
