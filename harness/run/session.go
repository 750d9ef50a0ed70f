package run

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"windtunnel/harness/cluster"
	"windtunnel/harness/observe"
	"windtunnel/harness/supervise"
	"windtunnel/profiles"
	"windtunnel/results"
)

// errRecords is a record file that could not be written.
var errRecords = errors.New("a record could not be written")

// session is a run under way: what was started, and what is written about it.
type session struct {
	options Options
	plan    *profiles.Plan
	dir     *results.Dir
	clock   results.Clock
	fail    context.CancelCauseFunc // ends the run with a cause
	records *records
	id      string // value of the label windtunnel/run

	supervisor *supervise.Supervisor
	provider   provider
	cluster    cluster.Cluster
	pack       cluster.Pack
	watches    *watches
	load       *loader
	distant    *observe.Distant   // components whose processes are not of this machine
	bystander  *observe.Bystander // on a cluster that others use
	allowed    context.Context    // ends when no load may be sent any more
	forbid     context.CancelCauseFunc

	faults sync.Mutex
	down   []string        // nodes that a fault took down for good, the first that went first
	broken map[string]bool // nodes that a fault has for a time

	doing atomic.Pointer[results.StepSpan] // the step of a script that is under way

	mu   sync.Mutex
	info results.Run
}

// newSession opens the records and writes the first run.json.
func newSession(dir *results.Dir, o Options, fail context.CancelCauseFunc) (*session, error) {
	profile, err := json.Marshal(o.Plan.Profile)
	if err != nil {
		return nil, fmt.Errorf("encode the profile: %w", err)
	}
	clock := results.NewClock()
	s := &session{options: o, plan: o.Plan, dir: dir, clock: clock, fail: fail, id: dir.ID(), broken: map[string]bool{}}
	s.info = results.Run{
		Format: results.FormatVersion, ID: dir.ID(), Profile: profile, Name: o.Plan.Profile.Name,
		Seed: o.Plan.Profile.Seed, Provider: o.Plan.Profile.ControlPlane.Provider, Started: time.Now().UTC().Format(time.RFC3339Nano),
		ClockBase: clock.Base(), Outcome: "running", Command: o.Command, Machine: machine(os.TempDir()),
		Versions: map[string]string{"windtunnel": o.Build.Version, "gitCommit": o.Build.Commit, "go": o.Build.Go, "client-go": o.Build.ClientGo},
		Limits:   map[string]float64{},
	}
	if script := o.Plan.Script; script != nil {
		test := results.TestSource(script.Source)
		s.info.Test = &test
	}
	s.allowed, s.forbid = context.WithCancelCause(context.Background())
	if s.records, err = openRecords(dir, clock, o.Plan.Profile.ControlPlane.Provider == profiles.ProviderExisting, o.Plan.Script != nil); err != nil {
		return nil, &EnvironmentError{fmt.Errorf("open the record files: %w", err)}
	}
	if err := dir.WriteRun(s.info); err != nil {
		return nil, &EnvironmentError{fmt.Errorf("write run.json: %w", err)}
	}
	s.records.watch(fail)
	return s, nil
}

// update changes run.json.
func (s *session) update(change func(*results.Run)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.info)
	if err := s.dir.WriteRun(s.info); err != nil {
		s.fail(fmt.Errorf("%w: run.json: %w", errRecords, err))
	}
}

// note records something that a reader of the run must know, and says it.
func (s *session) note(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	s.options.Progress.Note(text)
	s.update(func(r *results.Run) { r.Notes = append(r.Notes, text) })
}

// event is a note of something that happens now, for the figures around it.
func (s *session) event(format string, args ...any) {
	e := results.Event{At: s.clock.Now(), Text: fmt.Sprintf(format, args...)}
	s.update(func(r *results.Run) { r.Events = append(r.Events, e) })
	s.note("%s", e.Text)
}

func (s *session) beginPhase(name string, measured bool) {
	s.records.setPhase(name)
	s.update(func(r *results.Run) {
		r.Phases = append(r.Phases, results.PhaseSpan{Name: name, Begin: s.clock.Now(), Measured: measured})
	})
}

func (s *session) endPhase(err error) {
	s.update(func(r *results.Run) {
		span := &r.Phases[len(r.Phases)-1]
		span.End, span.Outcome = s.clock.Now(), outcome(err, "ok")
	})
}

// outcome names how a phase or a run ended.
func outcome(err error, well string) string {
	switch {
	case err == nil:
		return well
	case errors.Is(err, ErrInterrupted):
		return "interrupted"
	case errors.Is(err, ErrTimeout):
		return "timeout"
	}
	return "failed"
}

// close stops everything that was started, in reverse order. Its own errors are joined.
func (s *session) close(ctx context.Context) error {
	var err error
	dead := s.silence(ctx)
	s.forbid(nil)
	if s.bystander != nil {
		s.bystander.Close()
	}
	s.leases(ctx)
	if s.watches != nil {
		notes, gaps := s.watches.stop()
		for _, text := range notes {
			s.note("%s", text)
		}
		s.update(func(r *results.Run) { r.WatchGaps = gaps })
	}
	if clear := s.stays(); clear != nil {
		err = errors.Join(err, s.leave(ctx, clear, dead))
	} else {
		err = errors.Join(err, s.dismantle(ctx))
	}
	if s.supervisor != nil {
		err = errors.Join(err, s.supervisor.Close(ctx))
	}
	return err
}

// silence cuts the hollow nodes off at once where the owner of the cluster has ended all load: what they send is load as well. It
// returns the nodes that are so.
func (s *session) silence(ctx context.Context) (dead []string) {
	if s.allowed.Err() == nil || s.pack == nil {
		return nil
	}
	if err := s.pack.Down(ctx, s.nodeNames()); err != nil {
		s.note("the hollow nodes were not cut off at once: %v", err)
		return nil
	}
	return s.nodeNames()
}

// leases records how the hollow nodes renewed their leases.
func (s *session) leases(ctx context.Context) {
	pack, ok := s.pack.(cluster.Renewer)
	if !ok {
		return
	}
	n, gap, err := pack.Renewals(ctx)
	switch {
	case err != nil: // that a shard is gone has ended the run already, and is its error
	case n > 0:
		s.update(func(r *results.Run) { r.Leases = &results.Leases{Renewals: n, LargestGap: gap.Seconds()} })
		text := fmt.Sprintf("the hollow nodes renewed their leases %d times", n)
		if gap > 0 {
			text += fmt.Sprintf("; the longest that one was not renewed was %.1f s", gap.Seconds())
		}
		s.note("%s", text)
	}
}

// dismantle ends the hollow nodes and the control plane.
func (s *session) dismantle(ctx context.Context) (err error) {
	if s.pack != nil {
		err = s.pack.Stop(ctx)
	}
	if s.cluster != nil {
		err = errors.Join(err, s.cluster.Stop(ctx))
	}
	return err
}

// stays says how what the plan made is removed from a cluster that was there before and stays as it was; nil for any other.
func (s *session) stays() (clear func(ctx context.Context, dead []string) error) {
	if shared, ok := s.cluster.(cluster.Shared); ok {
		return shared.Clear
	}
	if k, ok := s.provider.(*kindNodes); ok && s.cluster != nil && !s.plan.Profile.ControlPlane.Made() {
		return k.clear
	}
	return nil
}

// leave takes everything of the run from a cluster that stays: what the plan made first, while there are nodes to end its pods.
func (s *session) leave(ctx context.Context, clear func(context.Context, []string) error, dead []string) error {
	s.options.Progress.Begin("remove")
	err := clear(ctx, dead)
	err = errors.Join(err, s.dismantle(ctx))
	s.options.Progress.End(err)
	return err
}

// finish closes the records and writes the last run.json.
func (s *session) finish(runErr error) error {
	err := s.records.close()
	s.update(func(r *results.Run) {
		r.Ended, r.Outcome = time.Now().UTC().Format(time.RFC3339Nano), outcome(runErr, "completed")
		if runErr != nil {
			r.Error = runErr.Error()
		}
	})
	return err
}

// nodeNames are the names of all hollow nodes.
func (s *session) nodeNames() []string {
	if s.pack == nil {
		return nil
	}
	return s.pack.Names()
}
