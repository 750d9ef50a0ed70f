// Package nodepods puts hollow nodes into a cluster as pods: it applies the manifests of manifests/hollow with the numbers of a profile,
// waits until all nodes are Ready, cuts nodes off and lets them back, scales them, brings what their runtimes saw and their logs to the
// run directory, and removes exactly what it made. What a node is made of is the business of windtunnel/hollow, and how a pod of them works
// that of windtunnel/hollow/pod.
package nodepods

import (
	"maps"

	"windtunnel/harness/nodes"
	manifests "windtunnel/manifests/hollow"
	"windtunnel/profiles"
	"windtunnel/results"
)

// Options say what to start.
type Options struct {
	// Options are those of hollow nodes as processes; KubeBinary is not used, and PerProcess is the most nodes of a pod.
	nodes.Options
	// Run is the run's id, the value of the label windtunnel/run on everything that is made.
	Run string
	// Image is the pods' image, which must be on the cluster's nodes or where they pull from. Default: manifests/hollow's.
	Image string
	// Note is told what a reader of the run must know, a sentence each, from any goroutine. Default: nobody is.
	Note func(string)
	// Failed is told once when, after Start, a pod ends that nobody asked to. Default: nobody is.
	Failed func(error)
	// Processes gets the account of pods whose process cannot be seen on this machine, once a second, until Stop. Default: nobody does.
	Processes func(results.ProcessSample)
}

func (o Options) withDefaults() Options {
	o.Spec = nodes.Defaults(o.Spec)
	if o.Image == "" {
		o.Image = manifests.Image
	}
	if o.Note == nil {
		o.Note = func(string) {}
	}
	if o.Failed == nil {
		o.Failed = func(error) {}
	}
	if o.Progress == nil {
		o.Progress = func(int, int) {}
	}
	labels := map[string]string{}
	maps.Copy(labels, o.Labels)
	maps.Copy(labels, o.Spec.Labels)
	labels[manifests.LabelHollow] = "true"
	if o.Run != "" {
		labels[profiles.LabelRun] = o.Run
	}
	o.Labels = labels
	return o
}
