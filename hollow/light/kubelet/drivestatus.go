package kubelet

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"windtunnel/hollow/light/behaviour"
)

// own are the conditions that the node writes.
func (d *driven) own(all []corev1.PodCondition) (own []corev1.PodCondition) {
	for _, c := range all {
		if kubeletsOwn(c.Type) || slices.Contains(d.said, c.Type) {
			own = append(own, c)
		}
	}
	return own
}

// keep lets the pod's object, as the server has it now, say of the status what the node does. It tells whether something has changed besides:
// the node's own writes come back as changes.
func (p *pod) keep(object *corev1.Pod) (changed bool) {
	if p.driven.asked {
		conditions := withOthers(object.Status.Conditions, p.driven.own(p.object.Status.Conditions))
		object.Status = p.object.Status
		object.Status.Conditions = conditions
	}
	old := *p.object
	old.ResourceVersion = object.ResourceVersion
	return !equality.Semantic.DeepEqual(&old, object)
}

// drivenStatus is the status that is to be written: without the conditions of others, and of the generation that was observed.
func (p *pod) drivenStatus() *corev1.PodStatus {
	s := p.object.Status.DeepCopy()
	s.ObservedGeneration, s.Conditions = p.generation, p.driven.own(s.Conditions)
	for i := range s.Conditions {
		if kubeletsOwn(s.Conditions[i].Type) {
			s.Conditions[i].ObservedGeneration = p.generation
		}
	}
	return s
}

// become lets the status be what patches make of it, and has it written. It tells whether that is another one. Once the pod is being ended its
// status is the node's.
func (p *pod) become(patches []behaviour.Patch) (changed bool) {
	if p.ending {
		return false
	}
	object := *p.object
	for _, patch := range patches {
		status, err := patch.Status(&object)
		if err != nil {
			p.node.shard.Note(err)
			return false
		}
		object.Status = *status
	}
	was, is := &p.object.Status, &object.Status
	if ended(was.Phase) {
		is.Phase = was.Phase // which no kubelet takes back
	}
	if equality.Semantic.DeepEqual(was, is) {
		return false
	}
	for _, c := range is.Conditions {
		if old := findCondition(was.Conditions, c.Type); !kubeletsOwn(c.Type) && !slices.Contains(p.driven.said, c.Type) && (old == nil || !equality.Semantic.DeepEqual(*old, c)) {
			p.driven.said = append(p.driven.said, c.Type)
		}
	}
	p.object = &object
	p.node.writer.changed(p)
	p.follow()
	return true
}

// ended says whether a phase is that of a pod whose containers have ended.
func ended(phase corev1.PodPhase) bool {
	return phase == corev1.PodSucceeded || phase == corev1.PodFailed
}

// follow lets the containers be as the pod's phase says.
func (p *pod) follow() {
	phase := p.object.Status.Phase
	for i := p.inits; i < len(p.list); i++ {
		switch c := &p.list[i]; {
		case phase == corev1.PodRunning && c.state == waiting:
			c.run()
		case ended(phase) && c.state == running:
			c.stopped(0)
		}
	}
	if ended(phase) && !p.terminal {
		p.complete()
	}
}

// conclude ends what the pod's status has not ended yet, with this exit code.
func (p *pod) conclude(code int32) {
	s := p.object.Status.DeepCopy()
	now, failed := seconds(p.node.now()), s.Phase != corev1.PodRunning
	for _, list := range [][]corev1.ContainerStatus{s.InitContainerStatuses, s.ContainerStatuses} {
		for i := range list {
			c := &list[i]
			if c.State.Terminated == nil {
				c.State, c.Ready, c.Started = concluded(c, now, code), false, new(false)
			}
			failed = failed || c.State.Terminated.ExitCode != 0
		}
	}
	s.Phase = corev1.PodSucceeded
	if failed {
		s.Phase = corev1.PodFailed
	}
	_, reason, message := p.containersReady(s)
	for i := range s.Conditions {
		switch c := &s.Conditions[i]; c.Type {
		case corev1.PodReady, corev1.ContainersReady:
			c.Status, c.Reason, c.Message, c.LastTransitionTime = corev1.ConditionFalse, reason, message, now
		case corev1.PodReadyToStartContainers:
			c.Status, c.LastTransitionTime = corev1.ConditionFalse, now
		}
	}
	object := *p.object
	object.Status = *s
	p.object = &object
}

// concluded is the last state of a container that has not ended: one that waits to be started again has ended before.
func concluded(c *corev1.ContainerStatus, now metav1.Time, code int32) corev1.ContainerState {
	switch {
	case c.State.Running != nil:
		return corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{
			ExitCode: code, Reason: exitReason(code), StartedAt: c.State.Running.StartedAt, FinishedAt: now, ContainerID: c.ContainerID}}
	case c.LastTerminationState.Terminated != nil:
		return corev1.ContainerState{Terminated: c.LastTerminationState.Terminated}
	}
	return corev1.ContainerState{Terminated: neverRan()}
}
