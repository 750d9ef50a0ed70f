package waits

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"windtunnel/profiles"
)

// kind is a resource of the core group.
func kind(name string) profiles.Resource {
	r, _ := profiles.ResourceFor("v1", name)
	return r
}

// runningPods waits for pods.
func (w *Waits) runningPods(ctx context.Context, act profiles.PodsAct) error {
	ctx, cancel := within(ctx, act.Timeout)
	defer cancel()
	type state struct{ ready, inactive bool }
	pods, err := mirrorOf(ctx, w, kind("Pod"), act.Selection, func(o metav1.Object) state {
		var s state
		if pod, ok := o.(*corev1.Pod); ok {
			s.ready, s.inactive = readyAndInactive(pod)
		}
		return s
	})
	if err != nil {
		return err
	}
	return await(ctx, pods.news, func() (bool, string) {
		var t tally
		pods.each(func(_ string, s state) {
			t.all++
			if s.ready {
				t.ready++
			}
			if s.inactive {
				t.inactive++
			}
		})
		return t.ready == act.Count && t.all == t.ready+t.inactive, fmt.Sprintf("%d of %d pods run, %d exist", t.ready, act.Count, t.all)
	})
}

// readyNodes waits for nodes that take pods.
func (w *Waits) readyNodes(ctx context.Context, act profiles.NodesAct) error {
	ctx, cancel := within(ctx, act.Timeout)
	defer cancel()
	nodes, err := mirrorOf(ctx, w, kind("Node"), act.Selection, takesPods)
	if err != nil {
		return err
	}
	return await(ctx, nodes.news, func() (bool, string) {
		n := 0
		nodes.each(func(_ string, takes bool) {
			if takes {
				n++
			}
		})
		return act.Min <= n && n <= act.Max, fmt.Sprintf("%d nodes are ready, want %d to %d", n, act.Min, act.Max)
	})
}

// takesPods tells whether a node is ready and has no taint that keeps pods away.
func takesPods(o metav1.Object) bool {
	node, ok := o.(*corev1.Node)
	if !ok || node.Spec.Unschedulable {
		return false
	}
	for _, taint := range node.Spec.Taints {
		if taint.Effect == corev1.TaintEffectNoSchedule || taint.Effect == corev1.TaintEffectNoExecute {
			return false
		}
	}
	for _, c := range node.Status.Conditions {
		if c.Type == corev1.NodeReady {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}

// inPhase reads status.phase.
func inPhase(o metav1.Object) string {
	u, ok := o.(*unstructured.Unstructured)
	if !ok {
		return ""
	}
	phase, _, _ := unstructured.NestedString(u.Object, "status", "phase")
	return phase
}

// boundClaims waits for PersistentVolumeClaims.
func (w *Waits) boundClaims(ctx context.Context, act profiles.ClaimsAct) error {
	ctx, cancel := within(ctx, act.Timeout)
	defer cancel()
	claims, err := mirrorOf(ctx, w, kind("PersistentVolumeClaim"), act.Selection, inPhase)
	if err != nil {
		return err
	}
	return awaitPhases(ctx, claims, act.Count, "claims are bound", "Bound")
}

// availableVolumes waits for PersistentVolumes of a provisioner.
func (w *Waits) availableVolumes(ctx context.Context, act profiles.VolumesAct) error {
	ctx, cancel := within(ctx, act.Timeout)
	defer cancel()
	const notMine = "-"
	volumes, err := mirrorOf(ctx, w, kind("PersistentVolume"), act.Selection, func(o metav1.Object) string {
		if act.Provisioner != "" && o.GetAnnotations()["pv.kubernetes.io/provisioned-by"] != act.Provisioner {
			return notMine
		}
		return inPhase(o)
	})
	if err != nil {
		return err
	}
	return awaitPhases(ctx, volumes, act.Count, "volumes are available or bound", "Available", "Bound")
}

// awaitPhases waits until so many objects are in one of the phases, and all others Pending.
func awaitPhases(ctx context.Context, m *mirror[string], want int, what string, good ...string) error {
	return await(ctx, m.news, func() (bool, string) {
		n, others := 0, 0
		m.each(func(_, phase string) {
			switch {
			case slices.Contains(good, phase):
				n++
			case phase != "Pending" && phase != "-":
				others++
			}
		})
		return n == want && others == 0, fmt.Sprintf("%d of %d %s", n, want, what)
	})
}

// conditions waits for objects with conditions.
func (w *Waits) conditions(ctx context.Context, act profiles.ConditionsAct) error {
	ctx, cancel := within(ctx, act.Timeout)
	defer cancel()
	const good, bad, plain, other = "good", "bad", "plain", ""
	objects, err := mirrorOf(ctx, w, act.Resource, profiles.Selection{Labels: act.Labels}, func(o metav1.Object) string {
		u, err := asUnstructured(o)
		switch {
		case err != nil || len(act.Namespaces) > 0 && !slices.Contains(act.Namespaces, o.GetNamespace()):
			return other
		case hasCondition(u, act.Bad...):
			return bad
		case hasCondition(u, act.Good...):
			return good
		}
		return plain
	})
	if err != nil {
		return err
	}
	var tooMany error
	err = await(ctx, objects.news, func() (bool, string) {
		count := map[string]int{}
		objects.each(func(_, state string) { count[state]++ })
		n, what := count[good]+count[bad], fmt.Sprintf("have a condition of %v", slices.Concat(act.Good, act.Bad))
		if len(act.Good)+len(act.Bad) == 0 {
			n, what = count[plain], "exist"
		}
		if n >= act.Min && count[bad] > act.MaxBad {
			tooMany = fmt.Errorf("%d %s have a condition of %v, more than %d", count[bad], act.Resource.Name, act.Bad, act.MaxBad)
		}
		return n >= act.Min, fmt.Sprintf("%d of %d %s %s", n, act.Min, act.Resource.Name, what)
	})
	return errors.Join(err, tooMany)
}

// jobs are the Jobs that have finished since the start.
type jobs struct {
	selection profiles.Selection
	news      *news

	mu       sync.Mutex
	finished map[string]bool // keys; those of Jobs that were deleted since, as their TTL does, stay until there is another of the name
}

// changed hears of a Job.
func (j *jobs) changed(_, now metav1.Object) {
	u, ok := now.(*unstructured.Unstructured)
	if !ok {
		return
	}
	j.mu.Lock()
	j.finished[keyOf(u)] = hasCondition(u, "Complete=True", "Failed=True")
	j.mu.Unlock()
	j.news.tell()
}

// finishedJobs begins to watch Jobs, or waits until all that there are have finished.
func (w *Waits) finishedJobs(ctx context.Context, key string, act profiles.JobsAct) error {
	resource, _ := profiles.ResourceFor("batch/v1", "Job")
	w.mu.Lock()
	known := w.jobs[key]
	w.mu.Unlock()
	if act.Moment == profiles.MomentStart {
		if known != nil {
			return nil
		}
		j := &jobs{selection: act.Selection, news: newNews(), finished: map[string]bool{}}
		if err := w.follow(w.life, resource, act.Selection, j.changed); err != nil {
			return err
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		w.jobs[key] = j
		return nil
	}
	if known == nil {
		return errors.New("it has not been started")
	}
	ctx, cancel := within(ctx, act.Timeout)
	defer cancel()
	keys, _, err := w.keysOf(ctx, resource, known.selection)
	if err != nil {
		return err
	}
	return await(ctx, known.news, func() (bool, string) {
		known.mu.Lock()
		defer known.mu.Unlock()
		finished := 0
		for key := range keys {
			if known.finished[key] {
				finished++
			}
		}
		return finished == len(keys), fmt.Sprintf("%d of %d Jobs have finished", finished, len(keys))
	})
}

// asUnstructured is an object of any client in one form.
func asUnstructured(o metav1.Object) (*unstructured.Unstructured, error) {
	if u, ok := o.(*unstructured.Unstructured); ok {
		return u, nil
	}
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(o)
	return &unstructured.Unstructured{Object: content}, err
}
