package kind

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"windtunnel/harness/cluster"
	"windtunnel/harness/internal/authority"
	"windtunnel/harness/nodepods"
)

// masters is the group that no limit applies to.
const masters = "system:masters"

// userPrefix begins the name of every user of the load; a number follows.
const userPrefix = "windtunnel:user-"

// access is how the cluster is reached.
type access struct {
	server string
	admin  *http.Client     // of the group system:masters; trusts the API server
	api    *rest.RESTClient // of the same
	plain  *http.Client     // without TLS, for etcd's health and metrics

	unnamed *http.Client // of the same group, for components without a certificate that could be checked
}

// connect learns how the cluster is reached and waits until all nodes are Ready.
func (c *Cluster) connect(ctx context.Context) (err error) {
	if c.nodes, err = sortedNodes(c.kind, c.name); err != nil {
		return err
	}
	if len(c.nodes) == 0 {
		return fmt.Errorf("there is no kind cluster %s (%s): kind get clusters lists them", c.name, c.engine.Name())
	}
	if c.access, err = c.reach(ctx); err != nil {
		return err
	}
	if err := c.keepOff(ctx); err != nil {
		return err
	}
	if err := c.awaitReady(ctx); err != nil {
		return err
	}
	if err := c.bindUsers(ctx); err != nil {
		return err
	}
	if c.opts.Spec.APIServer.Audit != "none" && c.opts.Spec.Kind.Reuse == "" {
		// The API server is root, and its file for itself alone.
		if _, err := output(ctx, c.nodes[0], "chmod", "0644", nodeLogs+"/audit.log"); err != nil {
			return fmt.Errorf("make the audit log readable: %w", err)
		}
	}
	return c.findComponents(ctx)
}

// keepOff keeps the cluster's own DaemonSets off the hollow nodes that are to come, before they run anywhere. A cluster that was
// there is not ours to change.
func (c *Cluster) keepOff(ctx context.Context) error {
	config, err := c.Observer(ctx)
	if err != nil {
		return err
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return fmt.Errorf("make client: %w", err)
	}
	if c.opts.Spec.Kind.Reuse == "" {
		return nodepods.KeepOff(ctx, client)
	}
	intruders, err := nodepods.Intruders(ctx, client)
	if err != nil {
		return err
	}
	if note := nodepods.IntrudersNote(intruders); note != "" && c.opts.HollowNodes {
		c.opts.Note(note)
	}
	return nil
}

// reach reads the address and the authority of the cluster. The authority's key is only ever in memory.
func (c *Cluster) reach(ctx context.Context) (*access, error) {
	text, err := c.kind.KubeConfig(c.name, false)
	if err != nil {
		return nil, fmt.Errorf("read the kubeconfig of %s: %w", c.name, err)
	}
	config, err := clientcmd.RESTConfigFromKubeConfig([]byte(text))
	if err != nil {
		return nil, fmt.Errorf("read the kubeconfig of %s: %w", c.name, err)
	}
	var pair [2][]byte
	for i, file := range []string{"ca.crt", "ca.key"} {
		if pair[i], err = output(ctx, c.nodes[0], "cat", "/etc/kubernetes/pki/"+file); err != nil {
			return nil, fmt.Errorf("read the authority of %s: %w", c.name, err)
		}
	}
	if c.authority, err = authority.Load(pair[0], pair[1]); err != nil {
		return nil, err
	}
	a := &access{server: config.Host, plain: &http.Client{Transport: &http.Transport{}}}
	admin, err := c.authority.RESTConfig(a.server, "windtunnel:admin", masters)
	if err != nil {
		return nil, err
	}
	if a.admin, err = rest.HTTPClientFor(admin); err != nil {
		return nil, fmt.Errorf("make client: %w", err)
	}
	if a.unnamed, err = newUnnamed(admin); err != nil {
		return nil, err
	}
	admin.NegotiatedSerializer = scheme.Codecs.WithoutConversion()
	if a.api, err = rest.UnversionedRESTClientFor(admin); err != nil {
		return nil, fmt.Errorf("make client: %w", err)
	}
	return a, nil
}

// Server is the API server's URL.
func (c *Cluster) Server() string { return c.access.server }

// CA is the certificate of the cluster's authority, PEM.
func (c *Cluster) CA() []byte { return c.authority.PEM() }

// Version is Kubernetes' version as the API server reports it.
func (c *Cluster) Version() string { return c.version }

// User makes the load's user of that number.
func (c *Cluster) User(_ context.Context, number int) (cluster.Identity, error) {
	return c.authority.Client(userPrefix+strconv.Itoa(number), cluster.UsersGroup)
}

// Observer is the configuration of a client of the group system:masters.
func (c *Cluster) Observer(context.Context) (*rest.Config, error) {
	return c.authority.RESTConfig(c.Server(), "windtunnel:observer", masters)
}

// Provisioner is the configuration of a client of the group of the load's users.
func (c *Cluster) Provisioner(context.Context) (*rest.Config, error) {
	return c.authority.RESTConfig(c.Server(), "windtunnel:volumes", cluster.UsersGroup)
}

// Kubeconfig is a file for kubectl and other clients of the group system:masters.
func (c *Cluster) Kubeconfig(context.Context) ([]byte, error) {
	return c.authority.Kubeconfig(c.Server(), "windtunnel:admin", masters)
}

// awaitReady waits until the API server serves, every node is Ready with kube-proxy on it, and the default namespace has its
// service account.
func (c *Cluster) awaitReady(ctx context.Context) error {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		why := c.ready(ctx)
		if why == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return c.late(ctx, why.Error())
		case <-tick.C:
		}
	}
}

// ready asks once; the error says what is missing.
func (c *Cluster) ready(ctx context.Context) error {
	var v struct {
		GitVersion string `json:"gitVersion"`
	}
	if err := c.get(ctx, "/version", &v); err != nil {
		return err
	}
	c.version = v.GitVersion
	var list struct {
		Items []struct {
			Metadata struct{ Name string }
			Status   struct {
				Conditions []struct{ Type, Status string }
			}
		}
	}
	if err := c.get(ctx, "/api/v1/nodes", &list); err != nil {
		return err
	}
	ready := map[string]bool{}
	for _, n := range list.Items {
		for _, condition := range n.Status.Conditions {
			ready[n.Metadata.Name] = ready[n.Metadata.Name] || condition.Type == "Ready" && condition.Status == "True"
		}
	}
	for _, n := range c.nodes {
		if !ready[n.String()] {
			return fmt.Errorf("the node %s is not Ready", n)
		}
	}
	if err := c.get(ctx, "/api/v1/namespaces/default/serviceaccounts/default", nil); err != nil {
		return err
	}
	return c.proxied(ctx)
}

// proxied asks whether kube-proxy runs on every node, without which pods do not reach the API server. A cluster may do without it.
func (c *Cluster) proxied(ctx context.Context) error {
	var set struct {
		Metadata struct{ Generation int64 }
		Status   struct {
			ObservedGeneration                                          int64
			DesiredNumberScheduled, UpdatedNumberScheduled, NumberReady int
		}
	}
	err := c.get(ctx, "/apis/apps/v1/namespaces/kube-system/daemonsets/kube-proxy", &set)
	if apierrors.IsNotFound(err) {
		return nil
	}
	now := set.Status
	if err == nil && (now.ObservedGeneration < set.Metadata.Generation || now.DesiredNumberScheduled < len(c.nodes) ||
		now.UpdatedNumberScheduled < now.DesiredNumberScheduled || now.NumberReady < now.DesiredNumberScheduled) {
		err = fmt.Errorf("kube-proxy is ready on %d of %d nodes", now.NumberReady, len(c.nodes))
	}
	return err
}

// get reads an object of the API.
func (c *Cluster) get(ctx context.Context, path string, into any) error {
	b, err := c.access.api.Get().AbsPath(path).Do(ctx).Raw()
	if err != nil {
		return fmt.Errorf("GET %s: %w", path, err)
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(b, into)
}

// bindings is where cluster role bindings are.
const bindings = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings"

// bindUsers gives cluster.UsersGroup the role cluster-admin. On a cluster that stays it is found by its label when a run was killed.
func (c *Cluster) bindUsers(ctx context.Context) error {
	const group = "rbac.authorization.k8s.io"
	labels := map[string]any{}
	if c.opts.Spec.Kind.Reuse != "" {
		labels[cluster.LabelManagedBy] = cluster.ManagedBy
	}
	b, err := json.Marshal(map[string]any{
		"apiVersion": group + "/v1", "kind": "ClusterRoleBinding",
		"metadata": map[string]any{"name": cluster.UsersGroup, "labels": labels},
		"roleRef":  map[string]any{"apiGroup": group, "kind": "ClusterRole", "name": "cluster-admin"},
		"subjects": []any{map[string]any{"apiGroup": group, "kind": "Group", "name": cluster.UsersGroup}},
	})
	if err != nil {
		return err
	}
	err = c.access.api.Post().AbsPath(bindings).SetHeader("Content-Type", "application/json").Body(b).Do(ctx).Error()
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("bind %s to cluster-admin: %w", cluster.UsersGroup, err)
	}
	c.bound = true
	return nil
}

// withdraw takes what windtunnel put into a cluster that stays.
func (c *Cluster) withdraw(ctx context.Context) error {
	if !c.bound || c.opts.Spec.Kind.Reuse == "" && !c.opts.Spec.Kind.Keep {
		return nil
	}
	err := c.access.api.Delete().AbsPath(bindings, cluster.UsersGroup).Do(ctx).Error()
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("take the role of %s: %w", cluster.UsersGroup, err)
	}
	return nil
}
