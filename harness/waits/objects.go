package waits

import (
	"context"
	"errors"
	"fmt"
	"slices"

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

// takesPods tells whether a node is ready and has no taint that keeps pods away, but for the one by which hollow nodes are told from real
// ones: the load tolerates it.
func takesPods(o metav1.Object) bool {
	node, ok := o.(*corev1.Node)
	if !ok || node.Spec.Unschedulable {
		return false
	}
	for _, taint := range node.Spec.Taints {
		if taint.Key != profiles.TaintHollow && (taint.Effect == corev1.TaintEffectNoSchedule || taint.Effect == corev1.TaintEffectNoExecute) {
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

// asUnstructured is an object of any client in one form.
func asUnstructured(o metav1.Object) (*unstructured.Unstructured, error) {
	if u, ok := o.(*unstructured.Unstructured); ok {
		return u, nil
	}
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(o)
	return &unstructured.Unstructured{Object: content}, err
}
