// Package compare tells whether runs differ: it takes the runs of two sides, refuses those that are not alike, and says of every
// figure whether a change was shown, how large it is and how surely that is known. It also finds where in a history of runs a
// figure changed.
//
// The run is the replicate. Requests of one run share its luck (the same start of the processes, the same neighbours on the
// machine, the same collections of garbage), so that thousands of them are no thousand independent observations: every run gives one
// value of each figure, and only the scatter of those values from run to run can tell a change from chance.
package compare
