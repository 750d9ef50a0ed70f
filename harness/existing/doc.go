// Package existing lends a run a cluster that was there before, reached by a kubeconfig.
//
// The cluster belongs to somebody else. It gets no load unless its owner has agreed (Consent), and as long as the owner agrees: a
// Guard looks at the switch all the time. Everything that is made on it carries labels, lives in namespaces of windtunnel's or has a name that
// begins with windtunnel, and is found again by the labels alone (Find), so that it can be removed by somebody who knows
// nothing of the run that made it. The load comes from service accounts that may do no more than the plan asks for, and goes through a
// priority level of its own.
package existing
