// Package usage serves what the pods of a shard's light nodes use, as kubelets serve it for metrics-server: /metrics/resource of each
// node, behind TLS, for clients whose token and rights the API server is asked about. What is used is data: the profile's usage and
// annotations of pods. Where a constant or a name is the kubelet's, the comment names its place in k8s.io/kubernetes v1.36.
package usage
