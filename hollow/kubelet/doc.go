// Package kubelet starts real kubelets, many in one process. Each is what `kubelet` starts (NewMainKubelet and Run of
// k8s.io/kubernetes), with the kubelet's own defaults, over a container runtime, a machine and a mount table that are made up
// in memory, as in kubemark's hollow kubelet.
//
// Kubernetes keeps some of a kubelet's state in globals. Starter deals with what several kubelets would fight over: metric
// collectors that panic when they are registered twice, the CSI plugin that creates another node's CSINode, the process's
// file limit that each kubelet sets. What cannot be dealt with: a kubelet does not stop (its loops wait for a channel that is
// never closed) and some of its errors end the process, so a shard is a process of its own and ends as a whole.
package kubelet
