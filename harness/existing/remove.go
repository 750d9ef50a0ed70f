package existing

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"windtunnel/harness/cluster"
	"windtunnel/harness/nodepods"
)

const (
	// pollEvery is how often is looked whether something is gone, or in force.
	pollEvery = 250 * time.Millisecond
	// orphansEvery is how many of these looks come to one for pods on dead nodes.
	orphansEvery = 8
	// deletesAtOnce is how many deletions are under way at one time.
	deletesAtOnce = 8
)

// Removal says what to remove, and who hears of it.
type Removal struct {
	// Run is the id of a run or an up; "" means everything of windtunnel's.
	Run string
	// DryRun only finds.
	DryRun bool
	// Force removes also what a run that is under way has made.
	Force bool
	// PlanOnly removes what a plan's steps made, and nothing else.
	PlanOnly bool
	// Dead are hollow nodes that are there and do not end their pods any more: those are removed for them.
	Dead  []string
	nodes []string // hollow nodes that have gone already
	// Progress hears where the removal is. Default: nobody does.
	Progress func(string)
}

// Remove removes what runs left on a cluster, and returns what that was: everything that has their labels, but for what lies in a
// namespace of theirs, which goes with it. It returns when all of it is gone. The error says what is not, and what could not be looked at.
// The owner's consent has no labels and stays. Everything, of whatever run, is removed only when no run is under way: else the error is a
// *cluster.RefusedError.
func (t *Target) Remove(ctx context.Context, r Removal) ([]Thing, error) {
	if r.Progress == nil {
		r.Progress = func(string) {}
	}
	if r.Run == "" && !r.DryRun && !r.Force {
		if err := t.unheld(ctx, r.Progress); err != nil {
			return nil, err
		}
	}
	f, err := newFinder(t, r.Run)
	if err != nil {
		return nil, err
	}
	f.dead = r.Dead
	things, incomplete := f.all(ctx)
	if things == nil && incomplete != nil {
		return nil, incomplete
	}
	things = withoutContents(things)
	if r.DryRun {
		return things, incomplete
	}
	for number, stage := range stages(things) {
		if number == ownStage {
			if r.PlanOnly {
				break
			}
			if err := t.removeNodes(ctx, things); err != nil {
				return things, errors.Join(err, incomplete)
			}
		}
		if err := f.removeStage(ctx, stage, r.Progress); err != nil {
			return things, errors.Join(err, incomplete)
		}
	}
	nodes := r.nodes
	for _, thing := range things {
		if thing.Resource.GroupResource() == (schema.GroupResource{Resource: "nodes"}) && !r.PlanOnly {
			nodes = append(nodes, thing.Name)
		}
	}
	if err := t.removeOrphans(ctx, nodes); err != nil {
		return things, errors.Join(err, incomplete)
	}
	return things, incomplete
}

// removeNodes removes the hollow nodes of all runs that have things here, with what has no labels and belongs to them: leases, CSINodes. A thing
// without a run is of nodes that kubectl made.
func (t *Target) removeNodes(ctx context.Context, things []Thing) error {
	done := map[string]bool{}
	for _, thing := range things {
		if done[thing.Run] {
			continue
		}
		done[thing.Run] = true
		if err := nodepods.Remove(ctx, t.config, thing.Run); err != nil {
			return err
		}
	}
	return nil
}

func isNamespace(t Thing) bool {
	return t.Resource.GroupResource() == schema.GroupResource{Resource: "namespaces"}
}

// withoutContents leaves out what lies in namespaces that are removed themselves.
func withoutContents(things []Thing) []Thing {
	going := map[string]bool{}
	for _, t := range things {
		if isNamespace(t) {
			going[t.Name] = true
		}
	}
	return slices.DeleteFunc(things, func(t Thing) bool { return going[t.Namespace] })
}

// ownStage is the first stage of what no plan's step made.
const ownStage = 2

// stages puts things in the order in which they go. Webhooks and the like first, for they can forbid the rest. Then what a plan made,
// while the hollow nodes are there to end its pods. Then what lies in our own namespace, hollow nodes above all; then the nodes, which
// those would make again; and last the rights and the priority level under which all of it was.
func stages(things []Thing) [5][]Thing {
	var all [5][]Thing
	for _, t := range things {
		all[stageOf(t)] = append(all[stageOf(t)], t)
	}
	return all
}

func stageOf(t Thing) int {
	switch group := t.Resource.Group; {
	case group == "admissionregistration.k8s.io" || group == "apiregistration.k8s.io":
		return 0
	case group == "certificates.k8s.io":
		return 3
	case t.Namespace == Namespace:
		return ownStage
	case group == "" && t.Resource.Resource == "nodes":
		return 3
	case strings.HasPrefix(t.Name, cluster.ManagedBy) && (group == "rbac.authorization.k8s.io" || group == "flowcontrol.apiserver.k8s.io"):
		return 4
	}
	return 1
}

// removeStage deletes things, namespaces after all others, and waits until they are gone.
func (f *finder) removeStage(ctx context.Context, things []Thing, progress func(string)) error {
	var namespaces, others []Thing
	for _, t := range things {
		if isNamespace(t) {
			namespaces = append(namespaces, t)
		} else {
			others = append(others, t)
		}
	}
	for _, some := range [][]Thing{others, namespaces} {
		group, ctx := errgroup.WithContext(ctx)
		group.SetLimit(deletesAtOnce)
		for _, t := range some {
			group.Go(func() error { return f.remove(ctx, t) })
		}
		if err := group.Wait(); err != nil {
			return err
		}
	}
	return f.gone(ctx, things, progress)
}

// remove deletes a thing, if it is still the one that was found.
func (f *finder) remove(ctx context.Context, t Thing) error {
	background := metav1.DeletePropagationBackground
	options := metav1.DeleteOptions{PropagationPolicy: &background, Preconditions: metav1.NewUIDPreconditions(string(t.uid))}
	err := f.metadata.Resource(t.Resource).Namespace(t.Namespace).Delete(ctx, t.Name, options)
	if apierrors.IsNotFound(err) || apierrors.IsConflict(err) {
		return nil // it is gone, or another one of its name has come
	}
	if err != nil {
		return fmt.Errorf("remove %s: %w", t, err)
	}
	return nil
}

// gone waits until nothing is left of the things.
func (f *finder) gone(ctx context.Context, things []Thing, progress func(string)) error {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for looks := 0; ; looks++ {
		left, err := f.left(ctx, things)
		if err == nil && len(left) > 0 && looks%orphansEvery == 0 {
			err = f.target.removeOrphans(ctx, f.dead)
		}
		if err == nil && len(left) == 0 {
			progress(fmt.Sprintf("%d removed", len(things)))
			return nil
		}
		if err == nil {
			progress(fmt.Sprintf("%d of %d are left, such as %s", len(left), len(things), left[0]))
		}
		select {
		case <-ctx.Done():
			return errors.Join(fmt.Errorf("remove what windtunnel made: %d of %d are left (%s): %w", len(left), len(things), some(left), context.Cause(ctx)), err)
		case <-tick.C:
		}
	}
}

// left are those of the things that are still there.
func (f *finder) left(ctx context.Context, things []Thing) ([]Thing, error) {
	asked := map[schema.GroupVersionResource]bool{}
	var left []Thing
	for _, t := range things {
		if asked[t.Resource] {
			continue
		}
		asked[t.Resource] = true
		now, err := f.of(ctx, t.Resource)
		if err != nil {
			return left, err
		}
		for _, n := range now {
			if slices.ContainsFunc(things, func(t Thing) bool { return t.uid == n.uid }) {
				left = append(left, n)
			}
		}
	}
	return left, nil
}

// some names the first few things.
func some(things []Thing) string {
	var names []string
	for _, t := range things[:min(len(things), 5)] {
		names = append(names, t.String())
	}
	if len(things) > len(names) {
		names = append(names, "…")
	}
	return strings.Join(names, ", ")
}
