package api

import (
	"fmt"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"windtunnel/hollow/light/wire"
)

// Annotations by which a pod says how it behaves on a light node.
const (
	// RunForAnnotation is how long its containers run before they exit by themselves, such as 30s.
	RunForAnnotation = "windtunnel/run-for"
	// ExitCodeAnnotation is the code that they exit with; 0 where it is not given.
	ExitCodeAnnotation = "windtunnel/exit-code"
	// InitForAnnotation and InitExitCodeAnnotation are the same of its init containers; they end at once, with 0, where nothing is said.
	// Only fidelity kubelet heeds them, and the next.
	InitForAnnotation      = "windtunnel/init-for"
	InitExitCodeAnnotation = "windtunnel/init-exit-code"
	// MemoryAnnotation is how much memory its containers use, such as 2Gi; a node whose memory runs short evicts pods.
	MemoryAnnotation = "windtunnel/memory"
	// ReadyAfterAnnotation is how long its containers fail their startup and readiness probes, from their start on.
	ReadyAfterAnnotation = "windtunnel/ready-after"
	// UnhealthyAfterAnnotation is after which time from their start on they fail their liveness probes.
	UnhealthyAfterAnnotation = "windtunnel/unhealthy-after"
)

// JobRunsFor is how long the pod of a Job runs that does not say.
const JobRunsFor = time.Second

// RunsFor is how long a pod's containers run until they exit by themselves, and their exit code; 0 for ever. It reads metadata:
// annotations = 12, ownerReferences = 13 {kind = 1}. Only containers that are not started again end a pod.
func RunsFor(meta []byte, restartPolicy string) (time.Duration, int) {
	code, _ := strconv.Atoi(string(wire.InMap(meta, 12, ExitCodeAnnotation))) // what is no number is 0
	if d, err := time.ParseDuration(string(wire.InMap(meta, 12, RunForAnnotation))); err == nil && d > 0 {
		return d, code
	}
	if restartPolicy == "Never" || restartPolicy == "OnFailure" {
		if string(wire.At(meta, 13, 1)) == "Job" {
			return JobRunsFor, code
		}
	}
	return 0, code
}

// DeleteNow is DeleteOptions in their envelope: gracePeriodSeconds = 1 of 0 and preconditions = 2 {uid = 1}.
func DeleteNow(uid string) []byte {
	b := wire.AppendInt(nil, 1, 0)
	b = wire.AppendBytes(b, 2, wire.AppendString(nil, 1, uid))
	return wire.Envelope("v1", "DeleteOptions", b)
}

// PodEvent is an Event about a pod in its envelope, as a kubelet's recorder makes it.
func PodEvent(pod *corev1.Pod, node, kind, reason, message string, at time.Time) ([]byte, error) {
	now := metav1.NewTime(at)
	event := corev1.Event{
		ObjectMeta:     metav1.ObjectMeta{Name: fmt.Sprintf("%s.%x", pod.Name, at.UnixNano()), Namespace: pod.Namespace},
		InvolvedObject: corev1.ObjectReference{Kind: "Pod", Namespace: pod.Namespace, Name: pod.Name, UID: pod.UID, APIVersion: "v1", ResourceVersion: pod.ResourceVersion},
		Reason:         reason, Message: message, Type: kind, Count: 1, FirstTimestamp: now, LastTimestamp: now,
		Source: corev1.EventSource{Component: "kubelet", Host: node}, ReportingController: "kubelet", ReportingInstance: node,
	}
	raw, err := event.Marshal()
	if err != nil {
		return nil, fmt.Errorf("encode event: %w", err)
	}
	return wire.Envelope("v1", "Event", raw), nil
}

// SaidNotReady says whether an encoded Pod's status has it running and not ready.
func SaidNotReady(object []byte) (not bool) {
	status := wire.Field(object, 3)
	if string(wire.Field(status, 1)) != "Running" {
		return false
	}
	_ = wire.Each(status, func(f wire.Number, condition []byte, _ uint64) bool {
		if f == 2 && string(wire.Field(condition, 1)) == "Ready" {
			not = string(wire.Field(condition, 2)) == "False"
		}
		return true
	})
	return not
}
