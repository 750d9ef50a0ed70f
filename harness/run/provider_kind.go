package run

import (
	"context"
	"fmt"
	"strings"

	"windtunnel/harness/cluster"
	"windtunnel/harness/existing"
	"windtunnel/harness/kind"
	"windtunnel/harness/nodepods"
	"windtunnel/harness/nodes"
	"windtunnel/harness/supervise"
	"windtunnel/results"
)

// kindNodes runs the control plane in containers of this machine, and hollow nodes as pods of it.
type kindNodes struct {
	options Options
	sup     *supervise.Supervisor
	run     string // value of the label windtunnel/run on everything that is made
	note    func(string)
	failed  func(error)                 // nil where nobody listens
	account func(results.ProcessSample) // of pods of hollow nodes; nil keeps none
	cluster *kind.Cluster
}

func newKindNodes(o Options, sup *supervise.Supervisor, s *session) *kindNodes {
	k := &kindNodes{options: o, sup: sup, run: "up", note: o.Progress.Note}
	if s != nil {
		k.run, k.failed, k.account = s.id, s.fail, s.records.processes.Append
		k.note = func(text string) { s.note("%s", text) }
	}
	return k
}

func (k *kindNodes) boot(ctx context.Context, logs string) (_ cluster.Cluster, err error) {
	spec := k.options.Plan.Profile.ControlPlane
	for _, field := range spec.Unapplied() {
		k.note(field + " is not applied: the control plane was there before, with settings of its own")
	}
	k.cluster, err = kind.Boot(ctx, k.sup, kind.Options{
		Spec: spec, Executable: k.options.Executable, Version: kubernetesVersion(k.options.Build.ClientGo), LogDir: logs,
		HollowNodes: k.options.Plan.Profile.HollowNodes.Count > 0, Progress: k.options.Progress.Status, Note: k.note, Failed: k.failed,
	})
	if err != nil {
		return nil, err // an interface must not hold a nil cluster
	}
	if spec.Kind.Keep {
		k.note(fmt.Sprintf("the kind cluster %[1]s stays when the run is over; windtunnel down --kind %[1]s removes it", k.cluster.Name()))
	}
	return k.cluster, nil
}

// clear removes what the plan's steps made on a cluster that was there before.
func (k *kindNodes) clear(ctx context.Context, dead []string) error {
	admin, err := k.cluster.Observer(ctx)
	if err != nil {
		return err
	}
	target, err := existing.Of(admin)
	if err != nil {
		return err
	}
	_, err = target.Remove(ctx, existing.Removal{Run: k.run, PlanOnly: true, Dead: dead, Progress: k.options.Progress.Status})
	return err
}

// kubernetesVersion is the version of Kubernetes that a version of client-go belongs to: v1.x.y to v0.x.y.
func kubernetesVersion(clientGo string) string { return strings.Replace(clientGo, "v0.", "v1.", 1) }

func (k *kindNodes) surround(ctx context.Context, o nodes.Options) (cluster.Pack, error) {
	k.options.Progress.Status("loading the image of hollow nodes")
	image, err := k.cluster.LoadHollow(ctx, k.options.KubeBinary)
	if err != nil {
		return nil, err
	}
	admin, err := k.cluster.Observer(ctx)
	if err != nil {
		return nil, err
	}
	pack, err := nodepods.Start(ctx, admin, nodepods.Options{Options: o, Run: k.run, Image: image, Note: k.note, Failed: k.failed, Processes: k.account})
	if err != nil {
		return nil, err // an interface must not hold a nil pack
	}
	return pack, nil
}
