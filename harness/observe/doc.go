// Package observe watches a run: the lives of pods and nodes as the API server tells them, the metrics of every component,
// and what every process takes of the machine. It records and counts; it judges nothing, and it never fails a run by itself:
// what could not be observed is counted and can be asked for.
package observe
