// Package capacity answers how much load a control plane carries inside its SLOs: it searches along one axis of a profile
// for the largest level that passes, states with what confidence, puts a curve through throughput and latency, and ranks what
// gave out first. It is pure: it says which level to run next and judges what came of it, and knows no cluster.
package capacity
