// Package stats is the statistics of windtunnel: pure functions over slices of numbers that know nothing of runs, records or
// Kubernetes. It assumes no distribution unless a name says so; every estimate comes with its interval or says why it has none.
package stats
