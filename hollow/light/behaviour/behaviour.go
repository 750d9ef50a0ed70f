// Package behaviour is the seam between a light node and what decides the life of its pods.
package behaviour

import (
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"

	"windtunnel/hollow/stages"
)

// Behaviour decides what happens to pods. Its methods are called by many nodes, from several goroutines, but for one pod one after
// another; they must not block, and must not change what they are given.
type Behaviour interface {
	// Next says what happens to a pod next, by itself, as it is now; false when nothing does. It is asked once a pod may start and
	// after each change of it; a transition of the same name that is already under way then goes on.
	Next(pod *corev1.Pod, node Node) (Transition, bool)
}

// Node is what a behaviour may know of a pod's node.
type Node struct {
	// Name is the node's name, and Address its InternalIP.
	Name, Address string
	// PodIP is the address that the pod has; empty for pods of the host's network, whose address is the node's.
	PodIP string
}

// Transition is a change that comes by itself.
type Transition struct {
	// Name tells transitions apart.
	Name string
	// After is how long it takes until it comes.
	After time.Duration
	// Do says what it is, when its time has come, from the pod as it is then.
	Do func(pod *corev1.Pod, node Node, now time.Time) (Change, error)
}

// Change is what a transition does.
type Change struct {
	// Patches are the PATCHes of the pod, one after another. At fidelity minimal they are sent as they are. At fidelity kubelet those of
	// the status change what the node says of the pod, which it writes as the kubelet does, by a GET and a PATCH of what differs.
	Patches []Patch
	// Events are posted about the pod.
	Events []Event
	// Delete removes the pod for good, after the rest.
	Delete bool
}

// Patch is one PATCH of the pod.
type Patch struct {
	// Type is the patch's, and Subresource such as status; empty for the pod itself.
	Type        types.PatchType
	Subresource string
	Body        []byte
}

// Event is what is posted as an Event.
type Event struct{ Type, Reason, Message string }

// Object is a pod as stages see it.
func Object(pod *corev1.Pod) (map[string]any, error) {
	object, err := runtime.DefaultUnstructuredConverter.ToUnstructured(pod)
	if err != nil {
		return nil, fmt.Errorf("read pod %s/%s: %w", pod.Namespace, pod.Name, err)
	}
	object["apiVersion"], object["kind"] = "v1", "Pod"
	return object, nil
}

// Status is the pod's status after the patch, as an API server would store it: times have whole seconds.
func (p Patch) Status(pod *corev1.Pod) (*corev1.PodStatus, error) {
	object, err := Object(pod)
	if err != nil {
		return nil, err
	}
	object, err = stages.Patched(object, stages.Action{Verb: stages.Patch, Type: p.Type, Subresource: p.Subresource, Body: p.Body})
	if err != nil {
		return nil, fmt.Errorf("pod %s/%s: %w", pod.Namespace, pod.Name, err)
	}
	patched, _ := object["status"].(map[string]any)
	status := new(corev1.PodStatus)
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(patched, status); err != nil {
		return nil, fmt.Errorf("pod %s/%s: read the patched status: %w", pod.Namespace, pod.Name, err)
	}
	stored, err := status.Marshal() // which cuts times off
	if err != nil {
		return nil, fmt.Errorf("pod %s/%s: encode the patched status: %w", pod.Namespace, pod.Name, err)
	}
	status = new(corev1.PodStatus)
	return status, status.Unmarshal(stored)
}
