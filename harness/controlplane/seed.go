package controlplane

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"windtunnel/harness/cluster"
)

// seedAtOnce is how many objects are made at the same time.
const seedAtOnce = 8

// bindUsers gives cluster.UsersGroup the role cluster-admin.
func (c *Cluster) bindUsers(ctx context.Context) error {
	const group = "rbac.authorization.k8s.io"
	err := c.create(ctx, "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", map[string]any{
		"apiVersion": group + "/v1",
		"kind":       "ClusterRoleBinding",
		"metadata":   map[string]any{"name": cluster.UsersGroup},
		"roleRef":    map[string]any{"apiGroup": group, "kind": "ClusterRole", "name": "cluster-admin"},
		"subjects":   []any{map[string]any{"apiGroup": group, "kind": "Group", "name": cluster.UsersGroup}},
	})
	if err != nil {
		return fmt.Errorf("bind %s to cluster-admin: %w", cluster.UsersGroup, err)
	}
	return nil
}

// seedServiceAccounts makes the service accounts of the controllers before the controller manager starts. It would make
// them itself, one after another, with four requests each under its own client limit: at Kubernetes' default of 20 a
// second that takes half of the whole boot. Their names are those that the API server binds roles to.
func (c *Cluster) seedServiceAccounts(ctx context.Context) error {
	const namespace = "/api/v1/namespaces/kube-system"
	if err := c.awaitObject(ctx, namespace); err != nil {
		return err
	}
	names, err := c.controllerAccounts(ctx)
	if err != nil {
		return fmt.Errorf("list controllers: %w", err)
	}
	work := make(chan string)
	var makers []func(context.Context) error
	for range seedAtOnce {
		makers = append(makers, func(ctx context.Context) error {
			var errs []error
			for name := range work {
				errs = append(errs, c.create(ctx, namespace+"/serviceaccounts", map[string]any{
					"apiVersion": "v1", "kind": "ServiceAccount", "metadata": map[string]any{"name": name},
				}))
			}
			return errors.Join(errs...)
		})
	}
	go func() {
		defer close(work)
		for _, name := range names {
			work <- name
		}
	}()
	if err := together(ctx, makers...); err != nil {
		return fmt.Errorf("make service accounts of controllers: %w", err)
	}
	return nil
}

// controllerAccounts are the service accounts in kube-system that have the role of a controller.
func (c *Cluster) controllerAccounts(ctx context.Context) ([]string, error) {
	var bindings struct {
		Items []struct {
			Metadata struct{ Name string }
			Subjects []struct{ Kind, Name, Namespace string }
		}
	}
	if err := c.getJSON(ctx, "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", &bindings); err != nil {
		return nil, err
	}
	var names []string
	for _, b := range bindings.Items {
		if !strings.HasPrefix(b.Metadata.Name, "system:controller:") {
			continue
		}
		for _, s := range b.Subjects {
			if s.Kind == "ServiceAccount" && s.Namespace == "kube-system" {
				names = append(names, s.Name)
			}
		}
	}
	return names, nil
}

// create makes an object; that it is there already, as after a restart on an old store, is no error.
func (c *Cluster) create(ctx context.Context, path string, object any) error {
	b, err := json.Marshal(object)
	if err != nil {
		return err
	}
	_, err = send(ctx, c.admin, http.MethodPost, c.Server()+path, b)
	var status *statusError
	if errors.As(err, &status) && status.Code == http.StatusConflict {
		return nil
	}
	return err
}
