package waits

import (
	"strconv"
	"sync"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"windtunnel/profiles"
)

// graph knows which pods belong to which controller: directly, or through a ReplicaSet.
type graph struct {
	news *news

	mu     sync.Mutex
	known  map[types.UID]podState                 // as they are counted: what an informer shows of a deleted pod is not always what it showed before
	owners map[types.UID]map[string]tally         // controller -> revision of the pods -> how many
	below  map[types.UID]map[types.UID]replicaSet // Deployment -> ReplicaSets, kept when these are gone, for their last pods
}

// tally counts the pods of a controller.
type tally struct{ all, ready, inactive int }

func (t tally) plus(u tally) tally {
	return tally{t.all + u.all, t.ready + u.ready, t.inactive + u.inactive}
}

// active are those that have not ended.
func (t tally) active() int { return t.all - t.inactive }

// replicaSet is what is kept of one.
type replicaSet struct{ revision int }

// podState is what is kept of a pod.
type podState struct {
	owner           types.UID
	revision        string // of the controller's template, where the controller writes it on its pods
	ready, inactive bool
}

// controllers gives the graph, which is watched from the first call on.
func (w *Waits) controllers() (*graph, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.graph != nil {
		return w.graph, nil
	}
	g := &graph{news: newNews(), known: map[types.UID]podState{}, owners: map[types.UID]map[string]tally{}, below: map[types.UID]map[types.UID]replicaSet{}}
	sets, _ := profiles.ResourceFor("apps/v1", "ReplicaSet")
	pods, _ := profiles.ResourceFor("v1", "Pod")
	if err := w.follow(w.life, sets, profiles.Selection{}, g.replicaSetChanged); err != nil {
		return nil, err
	}
	if err := w.follow(w.life, pods, profiles.Selection{}, g.podChanged); err != nil {
		return nil, err
	}
	w.graph = g
	return g, nil
}

func (g *graph) podChanged(old, now metav1.Object) {
	if old != nil && (now == nil || now.GetUID() != old.GetUID()) { // or another of the same name, after a gap in the watch
		g.set(old.GetUID(), nil)
	}
	if now != nil {
		state := stateOf(now)
		g.set(now.GetUID(), &state)
	}
}

// set counts a pod as it is now; nil for one that is gone.
func (g *graph) set(pod types.UID, now *podState) {
	g.mu.Lock()
	defer g.mu.Unlock()
	before, known := g.known[pod]
	if known && now != nil && before == *now {
		return
	}
	if known {
		g.count(before, -1)
	}
	if now == nil {
		delete(g.known, pod)
	} else {
		g.count(*now, 1)
		g.known[pod] = *now
	}
	g.news.tell()
}

// count adds a pod to its controller's tally, or with −1 takes it away. The lock is held.
func (g *graph) count(p podState, by int) {
	if p.owner == "" {
		return
	}
	revisions := g.owners[p.owner]
	if revisions == nil {
		revisions = map[string]tally{}
		g.owners[p.owner] = revisions
	}
	t := revisions[p.revision]
	t.all += by
	if p.ready {
		t.ready += by
	}
	if p.inactive {
		t.inactive += by
	}
	revisions[p.revision] = t
	if t == (tally{}) {
		if delete(revisions, p.revision); len(revisions) == 0 {
			delete(g.owners, p.owner)
		}
	}
}

// stateOf reads a pod.
func stateOf(o metav1.Object) podState {
	pod, ok := o.(*corev1.Pod)
	if !ok {
		return podState{}
	}
	s := podState{revision: pod.Labels[appsv1.ControllerRevisionHashLabelKey]}
	if owner := metav1.GetControllerOf(pod); owner != nil {
		s.owner = owner.UID
	}
	s.ready, s.inactive = readyAndInactive(pod)
	return s
}

// readyAndInactive tells whether a pod runs and is ready, and whether it has ended and will not run again.
func readyAndInactive(pod *corev1.Pod) (ready, inactive bool) {
	if pod.DeletionTimestamp != nil {
		return false, false
	}
	switch pod.Status.Phase {
	case corev1.PodRunning:
		for _, c := range pod.Status.Conditions {
			ready = ready || c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
		}
	case corev1.PodSucceeded, corev1.PodFailed:
		inactive = true
	}
	return ready, inactive
}

func (g *graph) replicaSetChanged(_, now metav1.Object) {
	set, ok := now.(*appsv1.ReplicaSet)
	if !ok {
		return
	}
	owner := metav1.GetControllerOf(set)
	if owner == nil {
		return
	}
	revision, _ := strconv.Atoi(set.Annotations["deployment.kubernetes.io/revision"])
	g.mu.Lock()
	if g.below[owner.UID] == nil {
		g.below[owner.UID] = map[types.UID]replicaSet{}
	}
	g.below[owner.UID][set.UID] = replicaSet{revision}
	g.mu.Unlock()
	g.news.tell()
}

// pods counts the pods of a controller, and apart those of them that are not of its latest template. revision is that of the template where
// the controller names it; a Deployment's is that of its youngest ReplicaSet, and others have none.
func (g *graph) pods(controller types.UID, revision string) (sum, outdated tally) {
	g.mu.Lock()
	defer g.mu.Unlock()
	add := func(owner types.UID, current func(revision string) bool) {
		for r, t := range g.owners[owner] {
			sum = sum.plus(t)
			if !current(r) {
				outdated = outdated.plus(t)
			}
		}
	}
	add(controller, func(r string) bool { return revision == "" || r == revision })
	youngest := 0
	for _, set := range g.below[controller] {
		youngest = max(youngest, set.revision)
	}
	for uid, set := range g.below[controller] {
		add(uid, func(string) bool { return set.revision == youngest })
	}
	return sum, outdated
}
