package nodepods

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"

	manifests "windtunnel/manifests/hollow"
	"windtunnel/profiles"
)

const (
	// goneEvery is how often it is looked whether something has gone.
	goneEvery = 100 * time.Millisecond
	// deletions is how many objects are deleted at one time.
	deletions = 16
	// leases is the namespace of the nodes' leases.
	leases = "kube-node-lease"
)

// Remove removes from a cluster the hollow nodes of a run, or of whatever run where that is "", with everything that was made for them, as
// its labels say, and nothing else. It is for what a killed run left; a Pack's own Stop does the same. config is an administrator's.
func Remove(ctx context.Context, config *rest.Config, run string) error {
	a, err := connect(config)
	if err == nil {
		err = errors.Join(a.removePods(ctx, run), a.removeRest(ctx, run))
	}
	if err != nil {
		return fmt.Errorf("remove the hollow nodes: %w", err)
	}
	return nil
}

// removePods deletes the StatefulSet and its pods, and returns when they have gone.
func (a *access) removePods(ctx context.Context, run string) error {
	all := metav1.ListOptions{LabelSelector: managed(run) + "," + selector}
	background := metav1.DeletePropagationBackground
	one := metav1.ListOptions{LabelSelector: managed(run)}
	// First the set, or it makes its pods anew.
	if err := a.client.AppsV1().StatefulSets(manifests.Namespace).DeleteCollection(ctx, metav1.DeleteOptions{PropagationPolicy: &background}, one); err != nil {
		return fmt.Errorf("delete the StatefulSet: %w", err)
	}
	pods := a.client.CoreV1().Pods(manifests.Namespace)
	if err := pods.DeleteCollection(ctx, metav1.DeleteOptions{}, all); err != nil {
		return fmt.Errorf("delete the pods: %w", err)
	}
	return untilGone(ctx, "the pods", func() (int, error) {
		list, err := pods.List(ctx, all)
		if err != nil {
			return 0, err
		}
		return len(list.Items), nil
	})
}

// untilGone waits until a count is 0.
func untilGone(ctx context.Context, what string, count func() (int, error)) error {
	for {
		n, err := count()
		if err == nil && n == 0 {
			return nil
		}
		if err != nil && ctx.Err() == nil {
			return fmt.Errorf("see whether %s have gone: %w", what, err)
		}
		if !pause(ctx, goneEvery) {
			return fmt.Errorf("%d of %s have not gone: %w", n, what, context.Cause(ctx))
		}
	}
}

// removeRest deletes everything but the pods, which have gone.
func (a *access) removeRest(ctx context.Context, run string) error {
	return errors.Join(a.removeNodes(ctx, run), a.removeRequests(ctx), a.removeObjects(ctx, run))
}

// removeNodes deletes the hollow nodes of a run with their leases and CSINodes.
func (a *access) removeNodes(ctx context.Context, run string) error {
	label := manifests.LabelHollow + "=true"
	if run != "" {
		label += "," + profiles.LabelRun + "=" + run
	}
	list, err := a.client.CoreV1().Nodes().List(ctx, metav1.ListOptions{LabelSelector: label})
	if err != nil {
		return fmt.Errorf("list the hollow nodes: %w", err)
	}
	var nodes []victim
	for _, n := range list.Items {
		nodes = append(nodes, victim{n.Name, n.UID})
	}
	return a.deleteNodes(ctx, nodes)
}

// victim is a node that is to go. What is deleted must still be what was meant.
type victim struct {
	name string
	uid  types.UID
}

// deleteNodes deletes nodes and what belongs to them: the garbage collector would do the latter, some time.
func (a *access) deleteNodes(ctx context.Context, nodes []victim) error {
	return each(ctx, nodes, func(ctx context.Context, n victim) error {
		if err := a.deleteNode(ctx, n); err != nil {
			return fmt.Errorf("delete node %s: %w", n.name, err)
		}
		return nil
	})
}

func (a *access) deleteNode(ctx context.Context, n victim) error {
	err := a.client.CoreV1().Nodes().Delete(ctx, n.name, metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &n.uid}})
	if err := unlessGone(err); err != nil {
		return err
	}
	lease, err := a.client.CoordinationV1().Leases(leases).Get(ctx, n.name, metav1.GetOptions{})
	if err == nil && ownedBy(lease.OwnerReferences, n.uid) {
		err = a.client.CoordinationV1().Leases(leases).Delete(ctx, n.name, metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &lease.UID}})
	}
	if err := unlessGone(err); err != nil {
		return err
	}
	csi, err := a.client.StorageV1().CSINodes().Get(ctx, n.name, metav1.GetOptions{})
	if err == nil && ownedBy(csi.OwnerReferences, n.uid) {
		err = a.client.StorageV1().CSINodes().Delete(ctx, n.name, metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &csi.UID}})
	}
	return unlessGone(err)
}

func ownedBy(owners []metav1.OwnerReference, uid types.UID) bool {
	for _, o := range owners {
		if o.UID == uid {
			return true
		}
	}
	return false
}

// unlessGone is an error but where it says that there is nothing to delete, or something else of that name.
func unlessGone(err error) error {
	if apierrors.IsNotFound(err) || apierrors.IsConflict(err) {
		return nil
	}
	return err
}

// removeRequests deletes the certificate requests of the pods, which carry no labels and are known by who made them: the API server itself
// wrote that down. They are of no use once the nodes have gone.
func (a *access) removeRequests(ctx context.Context) error {
	requests := a.client.CertificatesV1().CertificateSigningRequests()
	list, err := requests.List(ctx, metav1.ListOptions{})
	if err != nil {
		return fmt.Errorf("list the certificate requests: %w", err)
	}
	account := "system:serviceaccount:" + manifests.Namespace + ":" + manifests.Account
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(deletions)
	for _, r := range list.Items {
		if r.Spec.Username == account {
			group.Go(func() error { return unlessGone(requests.Delete(ctx, r.Name, metav1.DeleteOptions{})) })
		}
	}
	if err := group.Wait(); err != nil {
		return fmt.Errorf("delete the certificate requests: %w", err)
	}
	return nil
}

// removeObjects deletes the manifests' objects that carry the labels, in the order opposite to their making. A namespace that somebody else
// made stays.
func (a *access) removeObjects(ctx context.Context, run string) error {
	objects, err := manifests.Objects(manifests.Minimal, manifests.Stages)
	if err != nil {
		return err
	}
	var errs []error
	for i := len(objects) - 1; i >= 0; i-- {
		o := objects[i]
		if o.GetKind() == "StatefulSet" {
			continue
		}
		there, err := a.of(o).Get(ctx, o.GetName(), metav1.GetOptions{})
		if err == nil && isOf(there, run) {
			uid := there.GetUID()
			err = a.of(o).Delete(ctx, o.GetName(), metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &uid}})
		}
		if err := unlessGone(err); err != nil {
			errs = append(errs, fmt.Errorf("delete %s %s: %w", o.GetKind(), o.GetName(), err))
		}
	}
	return errors.Join(errs...)
}

// isOf says whether windtunnel made an object, for the run where one is named. A namespace must in any case have been made for a run: one
// without that label somebody prepared.
func isOf(o *unstructured.Unstructured, run string) bool {
	labels := o.GetLabels()
	if o.GetKind() == "Namespace" && labels[profiles.LabelRun] == "" {
		return false
	}
	return labels[manifests.LabelPartOf] == manifests.PartOf && (run == "" || labels[profiles.LabelRun] == run)
}
