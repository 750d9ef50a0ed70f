package clusterloader

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"windtunnel/profiles"
	"windtunnel/results"
)

// Folder is where the files of a test lie within a run directory.
const Folder = "clusterloader2"

// Outcome is what a test found, with the files that ClusterLoader2 would have left.
type Outcome struct {
	Result results.ClusterLoader
	Files  []File
}

// File is one of them; its name is relative to the run directory.
type File struct {
	Name string
	Data []byte
}

// evidence is what the records tell that measurements are made of.
type evidence struct {
	run       results.Run
	calls     []call
	pods      []*pod // in order of their creation
	processes []results.ProcessSample
	nodes     []results.NodeEvent
	asked     []results.Request // whether the API server is ready
	objects   []results.ObjectEvent
	db        *database
}

// neverEnded is what went wrong in a step or a call in which the run was killed.
const neverEnded = "never came to its end"

// call is one call of a measurement with its parameters.
type call struct {
	results.Mark
	params params
	bad    error // why the parameters cannot be read
}

// returned is when the call had returned; of one that never did, when it began.
func (c call) returned() results.Instant { return max(c.At, c.End) }

// Examine works out what a test found; nil for a run that was none. Records that cannot be read are left out: the run's summary names them.
func Examine(d *results.Dir, run results.Run) *Outcome {
	if len(run.Steps) == 0 && len(run.Marks) == 0 {
		return nil
	}
	e := &evidence{run: run}
	e.run.Steps = slices.Clone(run.Steps)
	for i, s := range e.run.Steps {
		if s.End == 0 {
			e.run.Steps[i].Error = strings.TrimPrefix(s.Error+"\nthe step "+neverEnded, "\n")
		}
	}
	for _, m := range run.Marks {
		if m.End == 0 && m.Skip == "" && m.Error == "" {
			m.Error = "the call " + neverEnded
		}
		p, err := readParams(m.Params)
		e.calls = append(e.calls, call{Mark: m, params: p, bad: err})
	}
	slices.SortStableFunc(e.calls, func(a, b call) int { return cmp.Compare(a.At, b.At) })
	e.read(d)
	return e.outcome()
}

// read takes what the measurements need out of the directory.
func (e *evidence) read(d *results.Dir) {
	all := pods{}
	each(d, results.PodsFile, all.add)
	for _, p := range all {
		if e.own(p) {
			e.pods = append(e.pods, p)
		}
	}
	slices.SortFunc(e.pods, func(a, b *pod) int {
		return cmp.Or(cmp.Compare(a.created, b.created), strings.Compare(a.namespace, b.namespace), strings.Compare(a.name, b.name))
	})
	each(d, results.ProcessesFile, func(s results.ProcessSample) { e.processes = append(e.processes, s) })
	slices.SortStableFunc(e.processes, func(a, b results.ProcessSample) int { return cmp.Compare(a.At, b.At) })
	each(d, results.NodesFile, func(n results.NodeEvent) { e.nodes = append(e.nodes, n) })
	slices.SortStableFunc(e.nodes, func(a, b results.NodeEvent) int { return cmp.Compare(a.At, b.At) })
	if slices.ContainsFunc(e.calls, func(c call) bool { return c.Method == availabilityMethod && c.Skip == "" }) {
		each(d, results.RequestsFile, func(r results.Request) {
			if r.Phase == probePhase {
				e.asked = append(e.asked, r)
			}
		})
	}
	slices.SortStableFunc(e.asked, func(a, b results.Request) int { return cmp.Compare(a.Planned, b.Planned) })
	if slices.ContainsFunc(e.calls, func(c call) bool { return c.Method == jobMethod }) {
		each(d, results.ObjectsFile, func(o results.ObjectEvent) { e.objects = append(e.objects, o) })
	}
	e.db = newDatabase(e.wanted())
	if len(e.db.wanted) > 0 {
		each(d, results.ScrapesFile, e.db.add)
	}
	e.db.containerMetrics(e.processes)
	e.db.finish()
}

// own tells whether a pod is the run's. Where there may be others', those that the run has made carry its label; the embedded control plane
// has no others.
func (e *evidence) own(p *pod) bool {
	others := profiles.ControlPlane{Provider: e.run.Provider}.AmongReal()
	return !others || p.labels[profiles.LabelRun] == e.run.ID
}

// unseen is a finding about a component at whose metrics there are not two looks. A cluster that was there may let nobody look at it.
func (e *evidence) unseen(component string) finding {
	if e.run.Provider == profiles.ProviderExisting && len(e.db.looks[component]) == 0 {
		return finding{skip: "the cluster lets nobody read the metrics of " + component}
	}
	var f finding
	f.note("there are not two looks at the metrics of %s", component)
	return f
}

func each[T results.Record](d *results.Dir, file string, add func(T)) {
	for r, err := range results.Read[T](d.Path(file)) {
		if err != nil {
			return // the summary of the run names it
		}
		add(r)
	}
}

// wanted are the metrics that the test's measurements are made of.
func (e *evidence) wanted() map[string]bool {
	table, all := methods(), map[string]bool{}
	for _, c := range e.calls {
		if m := table[c.Method]; m.metrics != nil && c.Skip == "" {
			for _, name := range m.metrics(c.params) {
				all[name] = true
			}
		}
	}
	return all
}

// outcome computes every measurement and puts what they found beside the steps.
func (e *evidence) outcome() *Outcome {
	o := &Outcome{Result: results.ClusterLoader{Test: e.run.TestName(), Steps: []results.TestStep{}, Measurements: []results.Measurement{}, Files: []string{}}}
	findings := map[int][]string{}  // what goes wrong by the call that it shows in
	undecided := map[int][]string{} // and what has nothing to decide by
	files := newFiles(e.run)
	for _, i := range e.instances() {
		for _, m := range e.measure(i) {
			row := m.row()
			o.Result.Measurements = append(o.Result.Measurements, row)
			if row.Verdict == results.NoData {
				undecided[m.at] = append(undecided[m.at], strings.Join(append([]string{"there is nothing to decide by"}, m.notes...), "; "))
			}
			if text := m.failure(); text != "" {
				findings[m.at] = append(findings[m.at], text)
			}
			for _, s := range m.summaries {
				files.add(s, m.gathered)
			}
		}
	}
	o.Result.Steps = e.steps(findings)
	o.Result.Verdict = verdict(o.Result)
	files.junit(e.junit(o.Result, findings, undecided))
	o.Files = files.all
	for _, f := range o.Files {
		o.Result.Files = append(o.Result.Files, f.Name)
	}
	return o
}

// callErrors are what went wrong in a call and in what was computed at it.
func (e *evidence) callErrors(n int, findings map[int][]string) []string {
	var all []string
	if text := e.calls[n].Error; text != "" {
		all = append(all, text)
	}
	return append(all, findings[n]...)
}

// steps are the test's steps with everything that went wrong in them, each only once.
func (e *evidence) steps(findings map[int][]string) []results.TestStep {
	all := []results.TestStep{}
	for _, s := range e.run.Steps { // a step's error may repeat those of its calls
		step := results.TestStep{Number: s.Number, Name: s.Name, Module: s.Module, Begin: seconds(s.Begin), Verdict: results.Pass}
		if s.End > s.Begin {
			step.Seconds = seconds(s.End - s.Begin)
		}
		if s.Error != "" {
			step.Errors = append(step.Errors, s.Error)
		}
		for i, c := range e.calls {
			if c.Step != s.Number {
				continue
			}
			for _, text := range e.callErrors(i, findings) {
				if !strings.Contains(s.Error, text) {
					step.Errors = append(step.Errors, fmt.Sprintf("%s %s: %s", c.Method, c.Identifier, text))
				}
			}
		}
		if len(step.Errors) > 0 {
			step.Verdict = results.Fail
		}
		all = append(all, step)
	}
	return all
}

// verdict is the test's: what went wrong anywhere fails it, and what had nothing to decide by keeps it from passing.
func verdict(c results.ClusterLoader) results.Verdict {
	has := func(v results.Verdict) bool {
		return slices.ContainsFunc(c.Measurements, func(m results.Measurement) bool { return m.Verdict == v })
	}
	failed := slices.ContainsFunc(c.Steps, func(s results.TestStep) bool { return s.Verdict == results.Fail })
	ended := slices.ContainsFunc(c.Steps, func(s results.TestStep) bool { return s.Seconds > 0 })
	switch {
	case failed || has(results.Fail):
		return results.Fail
	case has(results.NoData) || !ended:
		return results.NoData
	}
	return results.Pass
}

func seconds(ns results.Instant) float64 { return float64(ns) / 1e9 }

// fileSet gives summaries the names that the original gives them.
type fileSet struct {
	run     results.Run
	started time.Time
	all     []File
	taken   map[string]bool
}

func newFiles(run results.Run) *fileSet {
	f := &fileSet{run: run, taken: map[string]bool{}}
	f.started, _ = time.Parse(time.RFC3339, run.Started) // without it the names count from the year 1
	return f
}

// add names a summary by the time at which it was gathered. Of two that would have one name the later is given the next second, where the
// original overwrites the first.
func (f *fileSet) add(s summary, gathered results.Instant) {
	at := f.started.Add(time.Duration(gathered))
	for {
		name := Folder + "/" + f.run.TestFile(s.name, at, "json")
		if !f.taken[name] {
			f.taken[name] = true
			f.all = append(f.all, File{name, render(s.value)})
			return
		}
		at = at.Add(time.Second)
	}
}

func (f *fileSet) junit(data []byte) { f.all = append(f.all, File{Folder + "/junit.xml", data}) }
