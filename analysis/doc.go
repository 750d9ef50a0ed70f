// Package analysis turns the raw records of a run into its answer: exact quantiles with intervals, the Kubernetes service
// level objectives judged as sig-scalability defines them, and, before those, whether the run itself can be trusted.
//
// Everything here is a pure function over records. Nothing connects to a cluster, so that a run can be judged again at
// any time and on any machine from its directory alone.
//
// Assumptions about distributions: none. Quantiles are order statistics and their intervals are distribution-free. Requests of
// one run are not independent of each other; the intervals count on no more samples than they are worth (stats.DependenceAt). They
// describe this run's population and not what the next run will give; for that, the run is the unit of replication.
package analysis
