package run

import (
	"context"
	"crypto/rand"
	"fmt"
	"time"

	"k8s.io/client-go/kubernetes"

	"windtunnel/harness/cluster"
	"windtunnel/harness/existing"
	"windtunnel/harness/nodepods"
	"windtunnel/harness/nodes"
	"windtunnel/harness/observe"
	"windtunnel/results"
)

// foreign is a cluster that was there before and that somebody else answers for.
type foreign struct {
	options Options
	run     string // value of the label windtunnel/run on everything that is made
	load    bool
	failed  func(error)
	note    func(string)
	account func(results.ProcessSample) // of pods of hollow nodes; nil keeps none
	cluster *existing.Cluster
}

// guest is the provider of a run on such a cluster.
func guest(o Options, s *session) *foreign {
	return &foreign{options: o, run: s.id, load: true, failed: s.fail, note: func(text string) { s.note("%s", text) }, account: s.records.processes.Append}
}

func (f *foreign) boot(ctx context.Context, _ string) (cluster.Cluster, error) {
	spec := f.options.Plan.Profile.ControlPlane
	ctx, cancel := context.WithTimeoutCause(ctx, time.Duration(spec.ReadyTimeout), fmt.Errorf("join the cluster: %w after %v", ErrTimeout, time.Duration(spec.ReadyTimeout)))
	defer cancel()
	target, err := existing.Open(spec.Existing.Kubeconfig, spec.Existing.Context)
	if err != nil {
		return nil, err
	}
	f.cluster, err = existing.Join(ctx, target, existing.Options{
		Plan: f.options.Plan, Run: f.run, Load: f.load, Shares: spec.Existing.Shares, Progress: f.options.Progress.Status, Failed: f.failed,
	})
	if err != nil {
		return nil, err // an interface must not hold a nil cluster
	}
	return f.cluster, nil
}

func (f *foreign) surround(ctx context.Context, o nodes.Options) (cluster.Pack, error) {
	admin := f.cluster.Administrator()
	client, err := kubernetes.NewForConfig(admin)
	if err != nil {
		return nil, fmt.Errorf("make a client for hollow nodes: %w", err)
	}
	if intruders, err := nodepods.Intruders(ctx, client); err != nil {
		f.note(err.Error())
	} else if note := nodepods.IntrudersNote(intruders); note != "" {
		f.note(note)
	}
	pack, err := nodepods.Start(ctx, admin, nodepods.Options{
		Options: o, Run: f.run, Image: f.options.Plan.Profile.ControlPlane.Existing.Image, Note: f.note, Failed: f.failed, Processes: f.account,
	})
	if err != nil {
		return nil, err // an interface must not hold a nil pack
	}
	f.cluster.Surrounded(pack.Names())
	return pack, nil
}

// upGuest puts hollow nodes on a cluster that exists and leaves them there.
func upGuest(ctx context.Context, o Options) (up Running, err error) {
	var random [3]byte
	rand.Read(random[:]) // never fails
	f := &foreign{options: o, run: fmt.Sprintf("%s%s-%x", existing.UpPrefix, time.Now().UTC().Format("20060102T150405Z"), random), failed: func(error) {}, note: o.Progress.Note}
	o.Progress.Begin("boot")
	joined, err := f.boot(ctx, "")
	o.Progress.End(err)
	if err != nil {
		return up, cause(ctx, &EnvironmentError{err})
	}
	up.Server, up.Version = joined.Server(), joined.Version()
	if o.Plan.Profile.HollowNodes.Count == 0 {
		return up, nil
	}
	o.Progress.Begin("hollow")
	pack, err := f.surround(ctx, nodes.Options{Spec: o.Plan.Profile.HollowNodes, Clock: results.NewClock(), Progress: ready(o.Progress)})
	o.Progress.End(err)
	if err != nil {
		return up, cause(ctx, &EnvironmentError{err})
	}
	up.Nodes = len(pack.Names())
	return up, nil
}

// share gives a run its place on a cluster that others use as well: what a reader must know of it, and the end of all load as soon as
// the owner wants it.
func (s *session) share(ctx context.Context, shared cluster.Shared) {
	for _, text := range shared.Notes() {
		s.note("%s", text)
	}
	go func() {
		if why := shared.Guard(ctx); why != nil {
			err := fmt.Errorf("%w: %w", ErrInterrupted, why)
			s.forbid(err) // before anything else: what is written about it can wait
			s.event("all load has stopped: %v", why)
			s.fail(err)
		}
	}()
}

// baseline looks at the cluster before anything is put on it, so that what its own users see under load has something to be compared
// with.
func (s *session) baseline(ctx context.Context, shared cluster.Shared) error {
	length := time.Duration(s.plan.Profile.ControlPlane.Existing.Baseline)
	s.options.Progress.Status(fmt.Sprintf("the cluster as it is, for %v", length))
	config, path := shared.Bystander()
	var err error
	if s.bystander, err = observe.Bystand(ctx, config, path, s.clock, s.records.bystander); err != nil {
		return err
	}
	s.update(func(r *results.Run) { r.Shared = &results.Shared{Level: shared.Level(), Baseline: baselinePhase} })
	s.watches.mark(ctx, baselinePhase, "begin")
	err = pause(ctx, length)
	s.watches.mark(context.WithoutCancel(ctx), baselinePhase, "end")
	return err
}

// baselinePhase is the phase before the load of a run on a cluster that others use.
const baselinePhase = "baseline"
