// Package behaviour is the seam between a light node and what decides the life of its pods.
package behaviour

import (
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
)

// Behaviour decides what happens to pods. Its methods are called by many nodes, from several goroutines, but for one pod one after
// another; they must not block, and must not change what they are given.
type Behaviour interface {
	// Next says what happens to a pod next, by itself, as it is now; false when nothing does. It is asked once a pod is admitted and
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
	// Status is the pod's new status; nil to leave it. At fidelity kubelet it is written as the kubelet writes it, by a GET and a
	// PATCH of what differs, at fidelity minimal by a PATCH alone.
	Status *corev1.PodStatus
	// Patches are sent as they are, one after another, before the status.
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
