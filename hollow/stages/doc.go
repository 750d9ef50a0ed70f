// Package stages holds behaviour as data: YAML documents that say how the life of a node, a pod or any other object goes on.
// A document names the objects that it is for, how long it waits, and what it then does to them. It reads KWOK's Stage
// (kwok.x-k8s.io/v1alpha1, as of KWOK 0.8.0) unchanged, and adds distributions of delays that KWOK does not have.
//
// Everything here is a pure function of the documents, the object, the instant and a source of random numbers: nothing is
// sent, read or waited for. Parse compiles documents, NewSet groups them by what they are for, Lifecycle.Next chooses what
// happens next to an object and when, Stage.Actions renders what is then to be sent, and Patched says what that makes of the object.
package stages
