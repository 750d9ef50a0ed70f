// Package cri is the container runtime of a hollow node: it answers the kubelet's runtime and image calls from memory, in
// the kubelet's own process. Pod sandboxes and containers go through the states that a real runtime's go through, with
// latencies that the profile sets; every pod has an address of its own from the node's pod CIDR; images are "pulled" once
// a node, in no time.
//
// What it cannot show: no process runs, so a container lives until it is stopped and never exits by itself, writes no log,
// uses no CPU or memory and answers no request; there is no network behind a pod's address; exec, attach, port-forward and
// checkpoint are refused, and a command run by a lifecycle hook does nothing, successfully.
package cri
