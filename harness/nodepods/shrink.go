package nodepods

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
	v1 "k8s.io/api/core/v1"
	policy "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"windtunnel/harness/cluster"
	"windtunnel/hollow/pod"
	manifests "windtunnel/manifests/hollow"
)

// shrink removes the nodes beyond a number: it has them drained if it is asked to, cut off, and their objects deleted.
func (a *access) shrink(ctx context.Context, now scaled, to int, s Scaling) error {
	going, err := a.nodesFrom(ctx, now.described, to)
	if err != nil {
		return err
	}
	if s.Drain {
		if err := a.drain(ctx, going, s.Progress); err != nil {
			// Nothing has gone yet: they shall be used again.
			undo, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoTime)
			defer cancel()
			a.cordon(undo, going, false)
			return err
		}
	}
	c, err := a.describe(ctx, now, to)
	if err != nil {
		return err
	}
	if err := a.resize(ctx, c.Pods()); err != nil {
		return err
	}
	if err := a.awaitCut(ctx, c); err != nil {
		return err
	}
	return a.deleteNodes(ctx, going)
}

// undoTime bounds taking back what was begun.
const undoTime = 20 * time.Second

// nodesFrom are the node objects of the hollow nodes numbered from that number on, also of those that are not described any more.
func (a *access) nodesFrom(ctx context.Context, c pod.Config, from int) ([]victim, error) {
	list, err := a.client.CoreV1().Nodes().List(ctx, metav1.ListOptions{LabelSelector: manifests.LabelHollow + "=true"})
	if err != nil {
		return nil, fmt.Errorf("list the hollow nodes: %w", err)
	}
	c.Count = from
	var all []victim
	for _, n := range list.Items {
		if strings.HasPrefix(n.Name, c.NamePrefix) && !c.Has(n.Name) {
			all = append(all, victim{n.Name, n.UID})
		}
	}
	return all, nil
}

// awaitCut waits until no pod holds a node that the description does not have any more: then nothing makes such a node's objects anew.
func (a *access) awaitCut(ctx context.Context, c pod.Config) error {
	for {
		list, err := a.pods(ctx)
		if err != nil {
			return err
		}
		over := 0
		for _, one := range list {
			if ordinal(one.Name) >= c.Pods() {
				over++
			}
		}
		if last := c.Pods() - 1; over == 0 && last >= 0 {
			s, err := a.status(ctx, podName(last))
			if err != nil || s.Wanted != c.Count-last*c.PerPod || s.Nodes > s.Wanted {
				over++
			}
		}
		if over == 0 {
			return nil
		}
		if !pause(ctx, goneEvery) {
			return fmt.Errorf("%d pods still hold nodes that are to go: %w", over, context.Cause(ctx))
		}
	}
}

// drain keeps new pods off nodes and has those on them evicted, and returns when they have gone.
func (a *access) drain(ctx context.Context, nodes []victim, progress func(string)) error {
	if err := a.cordon(ctx, nodes, true); err != nil {
		return err
	}
	for said := -1; ; {
		left, blocked, err := a.evict(ctx, nodes)
		if err != nil {
			return err
		}
		if left == 0 {
			return nil
		}
		if left != said {
			said = left
			text := fmt.Sprintf("%d pods are still on the nodes that go", left)
			if blocked > 0 {
				text += fmt.Sprintf(", %d held by a disruption budget", blocked)
			}
			progress(text)
		}
		if !pause(ctx, drainEvery) {
			return fmt.Errorf("drain: %d pods are left, %d held by a disruption budget: %w", left, blocked, context.Cause(ctx))
		}
	}
}

// cordon keeps new pods off nodes, or lets them.
func (a *access) cordon(ctx context.Context, nodes []victim, off bool) error {
	return each(ctx, nodes, func(ctx context.Context, n victim) error {
		// The UID is a precondition: a node of that name that came anew is another one.
		patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"uid": n.uid}, "spec": map[string]any{"unschedulable": off}})
		if err != nil {
			return err
		}
		_, err = a.client.CoreV1().Nodes().Patch(ctx, n.name, types.MergePatchType, patch, metav1.PatchOptions{FieldManager: cluster.UserAgent})
		if err := unlessGone(err); err != nil {
			return fmt.Errorf("cordon node %s: %w", n.name, err)
		}
		return nil
	})
}

// each does something for every node, some at a time.
func each(ctx context.Context, nodes []victim, do func(context.Context, victim) error) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(deletions)
	for _, n := range nodes {
		group.Go(func() error { return do(ctx, n) })
	}
	return group.Wait()
}

// evict asks for the eviction of every pod on the nodes, and counts those that are still there and those that a disruption budget holds.
func (a *access) evict(ctx context.Context, nodes []victim) (left, blocked int, err error) {
	on := map[string]bool{}
	for _, n := range nodes {
		on[n.name] = true
	}
	list, err := a.client.CoreV1().Pods(metav1.NamespaceAll).List(ctx, metav1.ListOptions{})
	if err != nil {
		return 0, 0, fmt.Errorf("list pods: %w", err)
	}
	for _, one := range list.Items {
		if !on[one.Spec.NodeName] || stays(&one) {
			continue
		}
		left++
		if one.DeletionTimestamp != nil {
			continue
		}
		err := a.client.PolicyV1().Evictions(one.Namespace).Evict(ctx, &policy.Eviction{
			ObjectMeta:    metav1.ObjectMeta{Name: one.Name, Namespace: one.Namespace},
			DeleteOptions: &metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &one.UID}},
		})
		switch {
		case apierrors.IsTooManyRequests(err):
			blocked++
		case unlessGone(err) != nil:
			return left, blocked, fmt.Errorf("evict pod %s/%s: %w", one.Namespace, one.Name, err)
		}
	}
	return left, blocked, nil
}

// stays says whether a pod is not to be evicted: it has ended, belongs to its node, or a DaemonSet would make it anew at once. One that has
// ended because it is being deleted still needs its node, which says so first and deletes it then.
func stays(one *v1.Pod) bool {
	ended := one.Status.Phase == v1.PodSucceeded || one.Status.Phase == v1.PodFailed
	if ended && one.DeletionTimestamp == nil || one.Annotations[v1.MirrorPodAnnotationKey] != "" {
		return true
	}
	owner := metav1.GetControllerOf(one)
	return owner != nil && owner.Kind == "DaemonSet"
}
