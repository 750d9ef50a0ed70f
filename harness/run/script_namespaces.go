package run

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"windtunnel/profiles"
)

// namespacesEvery is how often it is looked whether namespaces have become usable, or have gone.
const namespacesEvery = 200 * time.Millisecond

// usableTimeout bounds waiting for a namespace's service account, without which no pod can be made in it.
const usableTimeout = time.Minute

// prepare makes what the script's steps need: volumes for those who ask for them, and the namespaces.
func (x *script) prepare(ctx context.Context) error {
	if err := x.provide(ctx); err != nil {
		return err
	}
	client, err := x.observer(ctx)
	if err != nil {
		return err
	}
	n := x.plan.Namespaces
	if x.made, err = missing(ctx, client, n); err != nil {
		return err
	}
	if err := x.clients.batch(ctx, preparePhase, "namespaces", namespaceBatch(profiles.OperationCreate, x.made)); err != nil {
		return fmt.Errorf("make the namespaces: %w", err)
	}
	for _, name := range n.Names {
		if err := usable(ctx, client, name); err != nil {
			return err
		}
	}
	return nil
}

// observer is a client of the observer.
func (x *script) observer(ctx context.Context) (kubernetes.Interface, error) {
	config, err := x.session.cluster.Observer(ctx)
	if err != nil {
		return nil, fmt.Errorf("make the observer's identity: %w", err)
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("make a client for namespaces: %w", err)
	}
	return client, nil
}

// missing are the namespaces that are to be made. Where that is an error, none of them, and none that is called so, may be there.
func missing(ctx context.Context, client kubernetes.Interface, n profiles.ScriptNamespaces) ([]string, error) {
	there, err := present(ctx, client, n.Like)
	if err != nil {
		return nil, err
	}
	if len(there) > 0 && !n.Existing {
		return nil, fmt.Errorf("namespaces of the script, or of another that calls them so, are there already: %s", few(there))
	}
	return slices.DeleteFunc(slices.Clone(n.Names), func(name string) bool { return slices.Contains(there, name) }), nil
}

// present are the namespaces that there are of those that somebody asks for.
func present(ctx context.Context, client kubernetes.Interface, wanted func(name string) bool) ([]string, error) {
	list, err := client.CoreV1().Namespaces().List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, fmt.Errorf("list namespaces: %w", err)
	}
	var there []string
	for _, one := range list.Items {
		if wanted(one.Name) {
			there = append(there, one.Name)
		}
	}
	return there, nil
}

// few are the first of a list.
func few(list []string) string { return strings.Join(list[:min(len(list), 5)], ", ") }

// namespaceBatch makes or deletes namespaces one after another.
func namespaceBatch(verb profiles.OperationVerb, names []string) profiles.Batch {
	resource, _ := profiles.ResourceFor("v1", "Namespace")
	b := profiles.Batch{Pace: profiles.Pace{Kind: profiles.PaceParallel, Workers: 1}}
	for _, name := range names {
		o := profiles.Operation{Verb: verb, Resource: resource, Name: name, Body: func(run string) ([]byte, error) {
			metadata := map[string]any{"name": name, "labels": map[string]any{profiles.LabelRun: run}}
			return json.Marshal(map[string]any{"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})
		}}
		b.Actions = append(b.Actions, profiles.Action{Operations: []profiles.Operation{o}})
	}
	return b
}

// usable waits until pods can be made in a namespace.
func usable(ctx context.Context, client kubernetes.Interface, namespace string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, usableTimeout, fmt.Errorf("%w after %v", ErrTimeout, usableTimeout))
	defer cancel()
	for {
		_, err := client.CoreV1().ServiceAccounts(namespace).Get(ctx, "default", metav1.GetOptions{})
		if err == nil {
			return nil
		}
		if !apierrors.IsNotFound(err) || pause(ctx, namespacesEvery) != nil {
			return fmt.Errorf("wait for the service account of namespace %s: %w", namespace, errors.Join(err, context.Cause(ctx)))
		}
	}
}

// cleanup deletes the namespaces that the script has made, and where there are others' volumes the hollow ones. That some stay is worth a
// note, and no reason to call the run a failure.
func (x *script) cleanup(ctx context.Context) error {
	if x.plan.Namespaces.Delete {
		if err := x.deleteNamespaces(ctx); err != nil {
			return err
		}
	}
	if x.volumes != nil && x.session.plan.Profile.ControlPlane.AmongReal() {
		if err := x.volumes.Leave(ctx); err != nil {
			x.session.note("the volumes: %v", err)
		}
	}
	return nil
}

func (x *script) deleteNamespaces(ctx context.Context) error {
	client, err := x.observer(ctx)
	if err != nil {
		return err
	}
	if err := x.clients.batch(ctx, cleanupPhase, "namespaces", namespaceBatch(profiles.OperationDelete, x.made)); err != nil {
		x.session.note("delete the namespaces: %v", err)
	}
	timeout := x.plan.Namespaces.Timeout
	limit := time.Now().Add(timeout)
	for {
		left, err := present(ctx, client, func(name string) bool { return slices.Contains(x.made, name) })
		switch {
		case err != nil:
			return err
		case len(left) == 0:
			x.session.options.Progress.Status("")
			return nil
		case time.Now().After(limit):
			x.session.note("%d namespaces are still there %v after their deletion: %s", len(left), timeout, few(left))
			return nil
		}
		x.session.options.Progress.Status(fmt.Sprintf("namespaces left: %d", len(left)))
		if err := pause(ctx, namespacesEvery); err != nil {
			return err
		}
	}
}
