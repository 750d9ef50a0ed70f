// Package clusterloader works out of a run's records what ClusterLoader2's measurements would have gathered in it: the same figures under
// the same names, in the same files. A table goes from the name of a method to its computation; what it needs of the records is read once.
// Where a definition of the original hides something, docs/clusterloader2.md says what is done instead.
package clusterloader
