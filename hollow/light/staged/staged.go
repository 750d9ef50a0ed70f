package staged

import (
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"

	"windtunnel/hollow/light/behaviour"
	"windtunnel/hollow/stages"
)

// Behaviour lets a set of stages decide what happens to pods.
type Behaviour struct {
	life    *stages.Lifecycle
	seed    uint64
	started time.Time
	version string
	failed  func(error)
	now     func() time.Time
	changes *changes
}

var _ behaviour.Behaviour = (*Behaviour)(nil)

// Options are what a Behaviour depends on beside the stages.
type Options struct {
	// Seed decides what the stages leave to chance: the same pod in the same version, after as many changes of it, is treated in the same way.
	Seed uint64
	// Version is what templates get for Version, such as the version of the kubelet that is imitated.
	Version string
	// Failed is told of stages that cannot choose what comes next. It is called by several goroutines.
	Failed func(error)
	// Now gives the time; nil for that of the machine.
	Now func() time.Time
}

// New lets the pods' stages of a set decide.
func New(set *stages.Set, o Options) *Behaviour {
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Behaviour{life: set.For(pods), seed: o.Seed, started: o.Now(), version: o.Version, failed: o.Failed, now: o.Now,
		changes: newChanges(mostRemembered)}
}

// Next is the stage that comes next for a pod.
func (b *Behaviour) Next(pod *corev1.Pod, node behaviour.Node) (behaviour.Transition, bool) {
	object, err := behaviour.Object(pod)
	if err != nil {
		b.failed(err)
		return behaviour.Transition{}, false
	}
	next, ok, err := b.life.Next(object, b.now(), b.chance(pod, "next"))
	if err != nil {
		b.failed(fmt.Errorf("pod %s/%s: %w", pod.Namespace, pod.Name, err))
	}
	if !ok {
		return behaviour.Transition{}, false
	}
	do := func(pod *corev1.Pod, node behaviour.Node, now time.Time) (behaviour.Change, error) {
		return b.carryOut(next.Stage, pod, node, now)
	}
	return behaviour.Transition{Name: next.Stage.Name, After: max(next.Delay, 0), Do: do}, true
}

// carryOut renders what a stage does to a pod.
func (b *Behaviour) carryOut(s *stages.Stage, pod *corev1.Pod, node behaviour.Node, now time.Time) (behaviour.Change, error) {
	object, err := behaviour.Object(pod)
	if err != nil {
		return behaviour.Change{}, err
	}
	defer b.changes.another(versionOf(pod).Sum64()) // what follows is drawn anew, also where the server has not got this version yet
	actions, err := s.Actions(object, stages.Scope{
		Now: now.UTC(), Started: b.started.UTC(), Version: b.version, Random: b.chance(pod, s.Name), Around: surroundings(node),
	})
	if err != nil {
		return behaviour.Change{}, fmt.Errorf("pod %s/%s: %w", pod.Namespace, pod.Name, err)
	}
	var change behaviour.Change
	for _, a := range actions {
		switch a.Verb {
		case stages.Patch:
			change.Patches = append(change.Patches, behaviour.Patch{Type: a.Type, Subresource: a.Subresource, Body: a.Body})
		case stages.Event:
			change.Events = append(change.Events, behaviour.Event{Type: a.Report.Type, Reason: a.Report.Reason, Message: a.Report.Message})
		case stages.Delete:
			change.Delete = true
		}
	}
	return change, nil
}

// kubeletPort is where kubelets serve; light nodes name it in their Nodes, too.
const kubeletPort = 10250

// surroundings are a pod's node, for templates.
type surroundings behaviour.Node

// NodeIPs are the address of the pod's node; those of another are not known, but all hollow nodes of a machine share one.
func (s surroundings) NodeIPs(string) []string { return []string{s.Address} }

// NodeName is the node's.
func (s surroundings) NodeName() string { return s.Name }

// NodePort is a kubelet's.
func (s surroundings) NodePort() int { return kubeletPort }

// PodIPs are the address that the node has given to the pod.
func (s surroundings) PodIPs(p stages.PodAddress) []string {
	if p.HostNetwork || s.PodIP == "" {
		return s.NodeIPs(s.Name)
	}
	return []string{s.PodIP}
}
