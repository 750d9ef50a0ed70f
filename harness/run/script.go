package run

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"windtunnel/harness/volumes"
	"windtunnel/harness/waits"
	"windtunnel/profiles"
	"windtunnel/results"
)

// The phases around the steps of a script.
const (
	preparePhase = "prepare"
	cleanupPhase = "cleanup"
)

// script is a script under way.
type script struct {
	session *session
	plan    *profiles.Script
	phase   string // in which the steps are
	waits   *waits.Waits
	volumes *volumes.Provisioner // nil when nothing asks for volumes
	made    []string             // namespaces that were not there before
	clients clients
	faults  scriptFaults
	probes  probes
	profile profilers
}

// script carries out the plan's script: what it needs is made, the steps are gone through in a phase of their own, and what was made is
// deleted.
func (s *session) script(ctx context.Context, phase profiles.Phase) error {
	config, err := s.cluster.Observer(ctx)
	if err != nil {
		return &EnvironmentError{fmt.Errorf("make the observer's identity: %w", err)}
	}
	for _, text := range s.plan.Script.Notes {
		s.note("%s", text)
	}
	x := &script{session: s, plan: s.plan.Script, phase: phase.Name, clients: clients{loader: s.load}}
	if x.waits, err = waits.New(ctx, config, s.objectEvent); err != nil {
		return &EnvironmentError{err}
	}
	defer x.close()
	if err := s.phase(ctx, preparePhase, false, x.prepare); err != nil {
		return err
	}
	if err := s.phase(ctx, phase.Name, phase.Measured, x.workload); err != nil {
		return err
	}
	return s.phase(ctx, cleanupPhase, false, x.cleanup)
}

func (x *script) close() {
	x.probes.close()
	x.profile.close()
	x.waits.Close()
	x.clients.close()
	if x.volumes != nil {
		x.volumes.Close()
	}
}

// provide begins to provide volumes, if some objects of the script ask for them. Where there are others' claims, those of the script name
// the class of its volumes.
func (x *script) provide(ctx context.Context) error {
	if !x.plan.Claims {
		return nil
	}
	config, err := x.session.cluster.Provisioner(ctx)
	if err != nil {
		return fmt.Errorf("make the provisioner's identity: %w", err)
	}
	x.volumes, err = volumes.Start(ctx, config, volumes.Options{
		Default: !x.session.plan.Profile.ControlPlane.AmongReal(), Labels: map[string]string{profiles.LabelRun: x.session.id},
	})
	return err
}

// workload goes through the steps, with the faults that befall the nodes meanwhile.
func (x *script) workload(ctx context.Context) error {
	s := x.session
	s.watches.mark(ctx, x.phase, "begin")
	defer s.watches.mark(context.WithoutCancel(ctx), x.phase, "end")
	background, stop := context.WithCancel(ctx)
	var narrator sync.WaitGroup
	narrator.Go(func() { s.narrate(background) })
	defer narrator.Wait()
	defer stop()
	if x.plan.Faults != nil {
		x.faults.start(ctx, s, configured, *x.plan.Faults)
	}
	err := x.steps(ctx)
	return errors.Join(err, x.faults.stopAll())
}

// steps goes through the steps. One that fails is recorded, and the next one is carried out, unless it was fatal.
func (x *script) steps(ctx context.Context) error {
	for {
		step, err := x.plan.Steps.Next(func(c profiles.Count) (int, error) { return x.count(ctx, c) })
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case ctx.Err() != nil: // which is also why a count may have failed
			return context.Cause(ctx)
		case err != nil:
			return fmt.Errorf("plan the next step: %w", err)
		}
		err = x.step(ctx, step)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if errors.Is(err, errFatal) {
			x.session.note("step %d is fatal for the script: the steps after it are not carried out", step.Number)
			return nil
		}
	}
}

const (
	// countAttempts is how often a count is tried.
	countAttempts = 6
	// countBackOff triples with every attempt, as that of a batch's requests does.
	countBackOff = 100 * time.Millisecond
)

// count asks the cluster how many objects there are, again when that fails in a way that can pass.
func (x *script) count(ctx context.Context, c profiles.Count) (int, error) {
	for n, wait := 1, countBackOff; ; n, wait = n+1, 3*wait {
		number, err := x.waits.Count(ctx, c)
		hopeless := apierrors.IsNotFound(err) || apierrors.IsForbidden(err) || apierrors.IsBadRequest(err)
		if err == nil || hopeless || n == countAttempts || pause(ctx, wait) != nil {
			return number, err
		}
	}
}

// errFatal is a step after which the script cannot go on.
var errFatal = errors.New("the script cannot go on")

// step carries out one step and records its span.
func (x *script) step(ctx context.Context, step *profiles.ScriptStep) error {
	s := x.session
	span := results.StepSpan{Number: step.Number, Name: step.Name, Module: step.Module, Begin: s.clock.Now()}
	for i, b := range step.Batches {
		if b.Pace.ClosedLoop() {
			span.ClosedLoops = append(span.ClosedLoops, trackOf(step, i))
		}
	}
	var index int
	s.update(func(r *results.Run) {
		index = len(r.Steps)
		r.Steps = append(r.Steps, span)
	})
	s.doing.Store(&span)
	err := errors.Join(step.Err, x.batches(ctx, step), x.measures(ctx, step))
	if ctx.Err() != nil {
		err = context.Cause(ctx) // says more than what it made of the requests
	}
	s.update(func(r *results.Run) {
		r.Steps[index].End = s.clock.Now()
		if err != nil {
			r.Steps[index].Error = err.Error()
		}
	})
	if err != nil && ctx.Err() == nil {
		s.options.Progress.Note(fmt.Sprintf("step %d %s: %v", step.Number, step.Name, err))
	}
	return err
}

// trackOf is the track of a step's batch in the records.
func trackOf(step *profiles.ScriptStep, batch int) string {
	if len(step.Batches) == 1 {
		return fmt.Sprintf("step-%d", step.Number)
	}
	return fmt.Sprintf("step-%d.%d", step.Number, batch+1)
}

// batches carries out those of a step side by side.
func (x *script) batches(ctx context.Context, step *profiles.ScriptStep) error {
	errs := make([]error, len(step.Batches))
	var all sync.WaitGroup
	for i, b := range step.Batches {
		all.Go(func() { errs[i] = x.clients.batch(ctx, x.phase, trackOf(step, i), b) })
	}
	all.Wait()
	return errors.Join(errs...)
}

// measures calls those of a step side by side. Those that need the metrics share one look at them.
func (x *script) measures(ctx context.Context, step *profiles.ScriptStep) error {
	errs := make([]error, len(step.Measures))
	look := sync.OnceFunc(func() { x.session.watches.mark(ctx, x.phase, "measure") })
	var all sync.WaitGroup
	for i, m := range step.Measures {
		all.Go(func() {
			if err := x.measure(ctx, step.Number, m, look); err != nil {
				errs[i] = fmt.Errorf("%s %s: %w", m.Method, m.Identifier, err)
			}
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

// measure records a call of a measurement, and does what it does beside that.
func (x *script) measure(ctx context.Context, step int, m profiles.Measure, look func()) error {
	s := x.session
	var index int
	s.update(func(r *results.Run) {
		index = len(r.Marks)
		r.Marks = append(r.Marks, results.Mark{
			At: s.clock.Now(), Step: step, Method: m.Method, Identifier: m.Identifier, Action: m.Action, Params: m.Params, Skip: m.Skip,
		})
	})
	var err error
	if m.Skip == "" {
		if m.Scrape {
			look()
		}
		if m.Act != nil {
			err = x.act(ctx, m.Method+"/"+m.Identifier, *m.Act)
		}
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
	}
	s.update(func(r *results.Run) {
		r.Marks[index].End = s.clock.Now()
		if err != nil {
			r.Marks[index].Error = err.Error()
		}
	})
	if err != nil && m.Fatal {
		return fmt.Errorf("%w: %w", errFatal, err)
	}
	return err
}

// act carries out an act.
func (x *script) act(ctx context.Context, key string, act profiles.Act) error {
	switch {
	case act.Pause > 0:
		return pause(ctx, act.Pause)
	case act.Restart != nil:
		return x.session.restart(ctx, *act.Restart)
	case act.Probe != nil:
		return x.probes.do(ctx, x.session, key, *act.Probe)
	case act.Profile != nil:
		return x.profile.do(ctx, x.session, key, *act.Profile)
	case act.Faults != nil && act.Faults.Moment == profiles.MomentStart:
		x.faults.start(ctx, x.session, key, *act.Faults.Faults)
		return nil
	case act.Faults != nil:
		return x.faults.stop(key)
	case act == (profiles.Act{}): // a pause of nothing
		return nil
	}
	return x.waits.Do(ctx, key, act)
}

// objectEvent records what has just happened to an object that a measurement follows.
func (s *session) objectEvent(e results.ObjectEvent) {
	e.At = s.clock.Now()
	s.records.objects.Append(e)
}

// stateOfScript is one line about where a script is.
func (s *session) stateOfScript() string {
	text := fmt.Sprintf("%d pods run, %d requests", s.watches.pods.Running(""), s.records.sent.Load())
	if step := s.doing.Load(); step != nil {
		text = fmt.Sprintf("step %d %s (%v), %s", step.Number, step.Name, time.Duration(s.clock.Now()-step.Begin).Round(time.Second), text)
	}
	return text
}
