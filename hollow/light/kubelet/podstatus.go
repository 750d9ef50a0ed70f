package kubelet

import (
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	resourcehelper "k8s.io/component-helpers/resource"

	"windtunnel/hollow/light/api"
)

// status is the pod's status as the kubelet generates it (generateAPIPodStatus in pkg/kubelet/kubelet_pods.go), without what others
// write. Times of conditions are now; merge keeps those of conditions that have not changed.
func (p *pod) status() *corev1.PodStatus {
	if p.rejected != nil && !p.rejected.disrupted {
		start := p.startTime()
		return &corev1.PodStatus{Phase: corev1.PodFailed, Reason: p.rejected.reason, Message: "Pod was rejected: " + p.rejected.message, QOSClass: p.object.Status.QOSClass,
			StartTime: &start, ObservedGeneration: p.generation}
	}
	if p.driven != nil {
		s := p.drivenStatus()
		p.evicted(s)
		return s
	}
	start := p.startTime()
	s := &corev1.PodStatus{
		Phase: p.phase(), QOSClass: p.object.Status.QOSClass, StartTime: &start, ObservedGeneration: p.generation,
		HostIP: p.node.shard.machine.Address, HostIPs: []corev1.HostIP{{IP: p.node.shard.machine.Address}},
	}
	s.AllocatedResources, s.Resources = p.resources()
	p.evicted(s)
	p.addressesOf(s)
	for i := range p.list {
		if i < p.inits {
			s.InitContainerStatuses = append(s.InitContainerStatuses, p.list[i].status())
		} else {
			s.ContainerStatuses = append(s.ContainerStatuses, p.list[i].status())
		}
	}
	p.conditions(s)
	return s
}

// evicted says of a pod that was evicted and has ended that it was.
func (p *pod) evicted(s *corev1.PodStatus) {
	if p.rejected == nil || !p.terminal {
		return
	}
	s.Phase, s.Reason, s.Message = corev1.PodFailed, p.rejected.reason, p.rejected.message
	s.Conditions = append(s.Conditions, corev1.PodCondition{Type: corev1.DisruptionTarget, Status: corev1.ConditionTrue, LastTransitionTime: p.node.stamp(),
		Reason: corev1.PodReasonTerminationByKubelet, Message: p.rejected.message, ObservedGeneration: p.generation})
}

// resources are what the pod's containers ask for together, and what they have, which is the same, as nothing is resized
// (convertToAPIPodLevelResourcesStatus in pkg/kubelet/kubelet_pods.go).
func (p *pod) resources() (corev1.ResourceList, *corev1.ResourceRequirements) {
	requests := resourcehelper.PodRequests(p.object, resourcehelper.PodResourcesOptions{})
	return requests, &corev1.ResourceRequirements{Requests: requests, Limits: resourcehelper.PodLimits(p.object, resourcehelper.PodResourcesOptions{})}
}

func (p *pod) startTime() metav1.Time {
	if p.start.IsZero() {
		p.start = p.node.stamp()
	}
	return p.start.Rfc3339Copy()
}

// addressesOf sets the pod's addresses, which it keeps when it has ended.
func (p *pod) addressesOf(s *corev1.PodStatus) {
	switch {
	case p.object.Spec.HostNetwork:
		s.PodIP = s.HostIP
	case p.address.IsValid() && p.sandbox && p.known:
		s.PodIP = p.address.String()
		p.lastIP = s.PodIP
	default:
		s.PodIP = p.lastIP
	}
	if s.PodIP != "" {
		s.PodIPs = []corev1.PodIP{{IP: s.PodIP}}
	}
}

// phase is getPhase's.
func (p *pod) phase() corev1.PodPhase {
	runs, stopped, succeeded, waits := 0, 0, 0, 0
	for i := range p.list {
		c := &p.list[i]
		if c.initializing() {
			switch {
			case c.state == exited && c.code == 0:
			case c.state == exited && p.terminal:
				return corev1.PodFailed
			default:
				waits++
			}
			continue
		}
		if c.sidecar() && p.isInit(c.spec.Name) {
			continue
		}
		switch {
		case c.state == running:
			runs++
		case c.state == exited || c.last != nil || c.reason != "":
			stopped++
			if c.code == 0 {
				succeeded++
			}
		case p.terminal && p.finished: // it never ran
			stopped++
		default:
			waits++
		}
	}
	switch {
	case waits > 0 && p.terminal && p.ending && !p.finished:
		return corev1.PodPending
	case waits > 0 && p.terminal:
		return corev1.PodFailed
	case waits > 0:
		return corev1.PodPending
	case runs > 0 || !p.terminal:
		return corev1.PodRunning
	case stopped == succeeded:
		return corev1.PodSucceeded
	}
	return corev1.PodFailed
}

// conditions are the kubelet's own, in its order (pkg/kubelet/status/generate.go).
func (p *pod) conditions(s *corev1.PodStatus) {
	now := p.node.stamp()
	now = now.Rfc3339Copy()
	add := func(kind corev1.PodConditionType, holds bool, reason, message string) {
		state := corev1.ConditionFalse
		if holds {
			state = corev1.ConditionTrue
		}
		s.Conditions = append(s.Conditions, corev1.PodCondition{Type: kind, Status: state, Reason: reason, Message: message, LastTransitionTime: now, ObservedGeneration: p.generation})
	}
	add(corev1.PodReadyToStartContainers, p.sandbox, "", "")
	reason, message := p.initialized(s)
	add(corev1.PodInitialized, message == "", reason, message)
	ready, reason, message := p.containersReady(s)
	gates := p.gates()
	if ready && gates != "" {
		add(corev1.PodReady, false, "ReadinessGatesNotReady", gates)
	} else {
		add(corev1.PodReady, ready, reason, message)
	}
	add(corev1.ContainersReady, ready, reason, message)
	add(corev1.PodScheduled, true, "", "")
}

// initialized says why the pod is not initialized, if it is not.
func (p *pod) initialized(s *corev1.PodStatus) (reason, message string) {
	if s.Phase == corev1.PodSucceeded {
		return "PodCompleted", ""
	}
	var incomplete []string
	for i := range p.inits {
		c := &p.list[i]
		if c.sidecar() && c.state == running && c.started || !c.sidecar() && c.state == exited && c.code == 0 {
			continue
		}
		incomplete = append(incomplete, c.spec.Name)
	}
	for i := p.inits; i < len(p.list); i++ {
		if p.list[i].state != waiting || p.list[i].last != nil {
			return "", "" // it was initialized before
		}
	}
	if len(incomplete) > 0 {
		return "ContainersNotInitialized", fmt.Sprintf("containers with incomplete status: %v", incomplete)
	}
	return "", ""
}

func (p *pod) containersReady(s *corev1.PodStatus) (ready bool, reason, message string) {
	switch s.Phase {
	case corev1.PodSucceeded:
		return false, "PodCompleted", ""
	case corev1.PodFailed:
		return false, "PodFailed", ""
	}
	var unready []string
	for i := range p.list {
		if c := &p.list[i]; !c.ready && !c.initializing() {
			unready = append(unready, c.spec.Name)
		}
	}
	if len(unready) > 0 {
		return false, "ContainersNotReady", fmt.Sprintf("containers with unready status: %v", unready)
	}
	return true, "", ""
}

// gates says which readiness gates are not met. What others write of them is known from the pod's events.
func (p *pod) gates() string {
	var missing []string
	for _, gate := range p.object.Spec.ReadinessGates {
		c := findCondition(p.object.Status.Conditions, gate.ConditionType)
		switch {
		case c == nil:
			missing = append(missing, fmt.Sprintf("corresponding condition of pod readiness gate %q does not exist.", gate.ConditionType))
		case c.Status != corev1.ConditionTrue:
			missing = append(missing, fmt.Sprintf("the status of pod readiness gate %q is not \"True\", but %v", gate.ConditionType, c.Status))
		}
	}
	return strings.Join(missing, ", ")
}

// readiness is what a pod with readiness gates says of whether it is ready, which follows when others write their conditions
// (NeedToReconcilePodReadiness in pkg/kubelet/status/status_manager.go).
func (p *pod) readiness() string {
	if len(p.object.Spec.ReadinessGates) == 0 || p.driven != nil || p.rejected != nil {
		return ""
	}
	ready := findCondition(p.status().Conditions, corev1.PodReady)
	return string(ready.Status) + ready.Message
}

// status is one container's.
func (c *container) status() corev1.ContainerStatus {
	p := c.pod
	s := corev1.ContainerStatus{Name: c.spec.Name, Image: c.spec.Image, Ready: c.ready, RestartCount: c.restarts}
	if c.initializing() && c.state == exited && c.code == 0 {
		s.Ready = true
	}
	for _, m := range c.spec.VolumeMounts {
		mount := corev1.VolumeMountStatus{Name: m.Name, MountPath: m.MountPath, ReadOnly: m.ReadOnly}
		if m.ReadOnly {
			mount.RecursiveReadOnly = new(corev1.RecursiveReadOnlyDisabled)
		}
		s.VolumeMounts = append(s.VolumeMounts, mount)
	}
	if len(c.spec.Resources.Requests) > 0 {
		s.AllocatedResources = c.spec.Resources.Requests
	}
	started := c.started && c.state == running
	s.Started = &started
	if c.id != "" && (c.state != waiting || c.last != nil || c.reason != "") {
		s.ContainerID, s.ImageID = containerID(c.id), api.ImageID(c.spec.Image)
		s.User = c.user()
		s.Resources = &corev1.ResourceRequirements{Requests: c.spec.Resources.Requests, Limits: c.spec.Resources.Limits}
	}
	switch {
	case c.state == running:
		s.State.Running = &corev1.ContainerStateRunning{StartedAt: seconds(c.begun.said)}
	case c.lacks != "" && p.there():
		s.State.Waiting = &corev1.ContainerStateWaiting{Reason: "CreateContainerConfigError", Message: c.lacks}
	case c.state == exited && c.id != "":
		s.State.Terminated = terminated(c.id, c.begun, c.over, c.code)
	case c.reason != "":
		s.State.Waiting = &corev1.ContainerStateWaiting{Reason: c.reason, Message: fmt.Sprintf("back-off %s restarting failed container=%s pod=%s_%s(%s)",
			max(c.backoff/2, firstBackoff), c.spec.Name, p.object.Name, p.object.Namespace, p.object.UID)}
		s.LastTerminationState.Terminated = terminated(c.id, c.begun, c.over, c.code)
	case p.terminal && p.finished:
		s.State.Terminated = neverRan()
	default:
		s.State.Waiting = &corev1.ContainerStateWaiting{Reason: c.waitsFor()}
	}
	if c.last != nil && s.LastTerminationState.Terminated == nil {
		s.LastTerminationState.Terminated = terminated(c.last.id, c.last.begun, c.last.over, c.last.code)
	}
	return s
}

// waitsFor is why a container waits that has not run yet.
func (c *container) waitsFor() string {
	if c.pod.inits > 0 {
		return "PodInitializing"
	}
	return "ContainerCreating"
}

// user is whom the container runs as: root, unless the pod says otherwise, as nothing is known of what an image says.
func (c *container) user() *corev1.ContainerUser {
	linux := &corev1.LinuxContainerUser{}
	if s := c.pod.object.Spec.SecurityContext; s != nil {
		linux.UID, linux.GID = said(s.RunAsUser, 0), said(s.RunAsGroup, 0)
		linux.SupplementalGroups = append(linux.SupplementalGroups, s.SupplementalGroups...)
		if s.FSGroup != nil {
			linux.SupplementalGroups = append(linux.SupplementalGroups, *s.FSGroup)
		}
	}
	if s := c.spec.SecurityContext; s != nil {
		linux.UID, linux.GID = said(s.RunAsUser, linux.UID), said(s.RunAsGroup, linux.GID)
	}
	linux.SupplementalGroups = append([]int64{linux.GID}, linux.SupplementalGroups...)
	return &corev1.ContainerUser{Linux: linux}
}

// said is an id that may be given.
func said(id *int64, otherwise int64) int64 {
	if id == nil {
		return otherwise
	}
	return *id
}

func containerID(id string) string { return "windtunnel://" + id }

func seconds(at time.Time) metav1.Time { return metav1.NewTime(at).Rfc3339Copy() }

// exitReason is why a container ended that exited with this code.
func exitReason(code int32) string {
	if code != 0 {
		return "Error"
	}
	return "Completed"
}

// neverRan is the end of a container that never ran.
func neverRan() *corev1.ContainerStateTerminated {
	return &corev1.ContainerStateTerminated{ExitCode: exitKilled, Reason: "ContainerStatusUnknown", Message: "The container could not be located when the pod was terminated"}
}

func terminated(id string, begun, over instant, code int32) *corev1.ContainerStateTerminated {
	return &corev1.ContainerStateTerminated{ExitCode: code, Reason: exitReason(code), StartedAt: seconds(begun.said), FinishedAt: seconds(over.said), ContainerID: containerID(id)}
}
