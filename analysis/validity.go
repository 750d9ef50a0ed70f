package analysis

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"windtunnel/analysis/clusterloader"
	"windtunnel/analysis/stats"
	"windtunnel/profiles"
	"windtunnel/results"
)

// evidence is all that was gathered from a run's records.
type evidence struct {
	run        results.Run
	profile    profiles.Profile
	phases     window
	pods       lives
	requests   *requests
	watching   *watching
	scrapes    *scrapes
	looks      *looks
	audit      *auditLog
	others     *others // nil for a run that had its cluster to itself
	use        *components
	nodes      *nodeStates
	faults     *nodeFaults
	pictures   *pictures
	test       *clusterloader.Outcome // nil for a run that was no test of ClusterLoader2
	remarks    []results.Note
	badRemarks []string // lines of theirs that make no sense
	damage     []string
}

// validity judges the run itself. A check without data has not passed.
func (e *evidence) validity() results.Validity {
	checks := []results.Check{
		e.checkCompleted(), e.checkAchieved(), e.checkLag(), e.checkErrors(), e.checkGenerator(),
		e.checkNodes(), e.checkWatch(), e.checkScrapes(), e.checkClock(), e.checkRecords(),
	}
	v := results.Validity{Verdict: results.Pass, Checks: checks}
	for i, c := range checks {
		if c.Verdict == results.Pass {
			checks[i].Remedy = ""
		} else {
			v.Verdict = results.Invalid
		}
	}
	return v
}

// verdictOf is Pass or Invalid.
func verdictOf(ok bool) results.Verdict {
	if ok {
		return results.Pass
	}
	return results.Invalid
}

func (e *evidence) checkCompleted() results.Check {
	c := results.Check{Name: "completed", Limit: 1, Unit: "1", N: int64(len(e.phases)),
		Remedy: "Run it again; the end of logs/ and the notes say what stopped it."}
	switch {
	case e.run.Outcome != "completed":
		c.Verdict = results.Invalid
		c.Text = fmt.Sprintf("The run's outcome is %q, so that its measured phases are not whole.", e.run.Outcome)
		if e.run.Error != "" && e.run.Error != e.run.Outcome {
			c.Text += " " + e.run.Error
		}
	case len(e.phases) == 0:
		c.Verdict = results.NoData
		c.Text = "No measured phase was reached, or the profile has none."
		c.Remedy = "Set measured: true on the phase that the SLO is to be judged over."
	default:
		c.Verdict, c.Measured = results.Pass, 1
		c.Text = fmt.Sprintf("The run was completed; its measured phases lasted %.1f s.", e.phases.seconds())
	}
	return c
}

func (e *evidence) checkAchieved() results.Check {
	r := e.requests
	c := results.Check{Name: "achieved", Limit: e.profile.Validity.MinAchieved, Unit: "fraction", N: r.planned, Measured: 1,
		Remedy: "Plan a lower rate, allow more requests in flight (maxInFlight), or give the machine more cores."}
	if r.planned > 0 {
		c.Measured = float64(r.kept) / float64(r.planned)
	}
	c.Verdict = verdictOf(c.Measured >= c.Limit)
	c.Text = fmt.Sprintf("%d of %d planned requests were sent", r.kept, r.planned)
	if length := e.phases.seconds(); length > 0 && r.planned > 0 {
		c.Text += fmt.Sprintf(", %.1f a second of %.1f", float64(r.kept)/length, float64(r.planned)/length)
	}
	c.Text += "."
	if n := r.byClass[noTarget]; n > 0 {
		c.Text += fmt.Sprintf(" %d more had no target to be sent to.", n)
	}
	if r.cut > 0 {
		c.Text += fmt.Sprintf(" %d more were due just as their stream ended.", r.cut)
	}
	c.Text += r.leftOut()
	return c
}

func (e *evidence) checkLag() results.Check {
	lag := slices.Clone(e.requests.lag)
	slices.Sort(lag)
	c := results.Check{Name: "lag", Verdict: results.Pass, Limit: seconds(int64(e.profile.Validity.MaxLag)), Unit: "s", N: int64(len(lag)),
		Text:   "No request was planned.",
		Remedy: "The generator could not keep to the plan: plan a lower rate, allow more requests in flight, or give the machine more cores."}
	switch {
	case len(lag) > 0:
		c.Measured = stats.Quantile(lag, 0.99)
		c.Verdict = verdictOf(c.Measured <= c.Limit)
		c.Text = fmt.Sprintf("Half of the requests were sent within %.1f ms of their planned instant, 99 %% within %.1f ms, the last %.1f ms after it.",
			stats.Quantile(lag, 0.5)*1e3, c.Measured*1e3, lag[len(lag)-1]*1e3)
	case e.requests.planned > 0:
		c.Verdict = results.NoData
		c.Text = "No planned request was ever sent."
	}
	c.Text += e.requests.leftOut()
	return c
}

// leftOut says which requests the checks of the plan do not look at; empty when there are none.
func (rs *requests) leftOut() string {
	if rs.loops == 0 {
		return ""
	}
	return fmt.Sprintf(" %d requests of closed loops are left out: they are planned when they are sent.", rs.loops)
}

func (e *evidence) checkErrors() results.Check {
	r := e.requests
	c := results.Check{Name: "errors", Limit: e.profile.Validity.MaxErrors, Unit: "fraction", N: r.sent, Verdict: results.Pass,
		Remedy: "Requests that fail are answered faster or slower than those that do not: find the cause of the largest class in logs/kube-apiserver.log, or allow for it by validity.maxErrors."}
	if r.sent > 0 {
		c.Measured = float64(r.failed) / float64(r.sent)
	}
	c.Verdict = verdictOf(c.Measured <= c.Limit)
	c.Text = fmt.Sprintf("%d of %d requests failed", r.failed, r.sent)
	if classes := classes(r.failedBy); classes != "" {
		c.Text += " (" + classes + ")"
	}
	c.Text += "."
	if n := r.byClass[canceled]; n > 0 {
		c.Text += fmt.Sprintf(" %d were canceled.", n)
	}
	return c
}

// classes lists counts by name, the largest first.
func classes(by map[string]int64) string {
	names := slices.Sorted(maps.Keys(by))
	slices.SortStableFunc(names, func(a, b string) int { return int(by[b] - by[a]) })
	for i, name := range names {
		names[i] = fmt.Sprintf("%s %d", name, by[name])
	}
	return strings.Join(names, ", ")
}

func (e *evidence) checkGenerator() results.Check {
	c := results.Check{Name: "generator_cpu", Limit: e.profile.Validity.MaxGeneratorCPU, Unit: "fraction",
		Remedy: "The load generator takes CPU time from the system under test: plan fewer requests a second, or give the machine more cores."}
	c.Measured, c.N = e.use.share(generator, e.run.Machine.Cores)
	if c.N == 0 {
		c.Verdict = results.NoData
		c.Text = "There is no sample of windtunnel's own CPU time in the measured phases."
		c.Remedy = "Measure for longer than a few seconds; " + results.ProcessesFile + " should have a sample a second."
		return c
	}
	c.Verdict = verdictOf(c.Measured <= c.Limit)
	c.Text = fmt.Sprintf("windtunnel itself took %.1f %% of the machine's CPU time (%d cores).", c.Measured*100, e.run.Machine.Cores)
	return c
}

func (e *evidence) checkNodes() results.Check {
	s, want := e.nodes, e.profile.HollowNodes.Count
	c := results.Check{Name: "nodes_ready", Verdict: results.Pass, Measured: float64(s.atBegin), Limit: float64(want), Unit: "nodes", N: s.n,
		Remedy: "The machine cannot carry so many hollow nodes under this load: use fewer, or more cores and memory; logs/hollow-*.log say what the nodes met."}
	switch {
	case want == 0:
		c.Text = "The profile has no hollow nodes."
		return c
	case takesNodesDown(e.profile) || s.broken:
		c.Text = "The profile breaks nodes or components itself; the readiness of nodes is not checked."
		return c
	case s.n == 0:
		c.Verdict = results.NoData
		c.Text = "No node was ever seen."
		return c
	}
	c.Measured = float64(s.atBegin - len(s.left))
	c.Verdict = verdictOf(s.atBegin >= want && len(s.left) == 0)
	c.Text = fmt.Sprintf("%d of %d hollow nodes were Ready when the measured phases began, and %d of them did not stay so.", s.atBegin, want, len(s.left))
	if c.Verdict == results.Pass {
		c.Text = fmt.Sprintf("All %d hollow nodes were Ready throughout the measured phases.", s.atBegin)
	}
	return c
}

// takesNodesDown reports whether a profile's faults make nodes not Ready.
func takesNodesDown(p profiles.Profile) bool {
	for _, phase := range p.Phases {
		for _, track := range phase.Tracks {
			for _, step := range track.Steps {
				if step.Fault != nil && (step.Fault.NodesDown > 0 || step.Fault.Nodes != nil || step.Fault.Kill != "") {
					return true
				}
			}
		}
	}
	return false
}

func (e *evidence) checkWatch() results.Check {
	n := e.run.WatchGaps
	c := results.Check{Name: "watch", Verdict: verdictOf(n == 0), Measured: float64(n), Unit: "gaps", N: int64(len(e.pods)),
		Text:   "The harness' watches missed nothing.",
		Remedy: "Transitions that fell into a gap were seen late or not at all: find in logs/kube-apiserver.log why the watch was closed, and run again."}
	if n > 0 {
		c.Text = fmt.Sprintf("%d times a watch could not be resumed and had to list again.", n)
	}
	return c
}

func (e *evidence) checkScrapes() results.Check {
	s := e.scrapes
	c := results.Check{Name: "scrapes", Verdict: results.Pass, Measured: float64(s.n), Limit: 2, Unit: "scrapes", N: int64(s.n),
		Text:   fmt.Sprintf("kube-apiserver was scraped %d times, at both edges of the measured phases among them.", s.n),
		Remedy: "Without a scrape at each edge the server's own figures do not cover the measured phases: see logs/kube-apiserver.log for why /metrics was not answered."}
	switch {
	case s.n == 0:
		c.Verdict = results.NoData
		c.Text = "There is no scrape of kube-apiserver in the measured phases."
	case !s.marked() || s.n < 2:
		c.Verdict = results.Invalid
		c.Text = fmt.Sprintf("kube-apiserver was scraped %d times, but not at both edges of the measured phases.", s.n)
	}
	return c
}

func (e *evidence) checkClock() results.Check {
	n := e.requests.disorder
	return results.Check{Name: "clock", Verdict: verdictOf(n == 0), Measured: float64(n), Unit: "records", N: e.requests.sent,
		Text:   fmt.Sprintf("%d records have instants that contradict each other.", n),
		Remedy: "The clock or the records cannot be trusted: this is an error of windtunnel or of the machine."}
}

func (e *evidence) checkRecords() results.Check {
	n := len(e.damage)
	c := results.Check{Name: "records", Verdict: verdictOf(n == 0), Measured: float64(n), Unit: "files", N: int64(n),
		Text:   "All records could be read.",
		Remedy: "What is damaged cannot be mended: run again, with enough room on the disk."}
	if n > 0 {
		c.Text = fmt.Sprintf("%d files of records are missing or damaged.", n)
	}
	return c
}
