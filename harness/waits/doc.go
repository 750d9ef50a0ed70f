// Package waits carries out the waits of a script: it watches a cluster as the observer, whom priority and fairness exempts, and says when
// pods run, Jobs have finished, volumes are bound. It knows Kubernetes' kinds, and nothing of the front end whose script it serves.
package waits
