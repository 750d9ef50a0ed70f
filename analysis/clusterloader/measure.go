package clusterloader

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"windtunnel/results"
)

// method is how the measurements of one kind are computed.
type method struct {
	// compute is nil for methods that only do or wait for something: what their calls say is all there is.
	compute func(e *evidence, m window) finding
	// metrics are the names of the metrics that a call makes the computation need; nil for none.
	metrics func(p params) []string
	// restarts says that a second start begins anew; otherwise it does nothing until the measurement was gathered.
	restarts bool
	// once says that a gather ends it, and that another one without a start is an error. Others look again, from the same start.
	once bool
	// idle says that a gather without a start finds nothing, and is no error.
	idle bool
	// waits says that a call judges by returning: it failed, or what it waited for came.
	waits bool
	// check finds mistakes in the parameters of a start or a gather before the run; nil where there is nothing to be found.
	check func(p params) []Mistake
	// alone says that every call is start and gather in one: an action, which the original does not look at, changes nothing.
	alone bool
	// partly says that a gather that failed has figures all the same, of what had come by then.
	partly bool
}

// methods is the table of what is computed. What is not in it is not measured; a call says why.
func methods() map[string]method {
	wait := method{waits: true}
	return map[string]method{
		"PodStartupLatency":              {compute: podStartupLatency, once: true, check: started(checkSelector)},
		"SchedulingThroughput":           {compute: schedulingThroughput, once: true, check: started(checkSelector)},
		"APIResponsivenessPrometheus":    {compute: apiResponsiveness, metrics: apiMetrics, restarts: true, check: gathered(checkThresholds)},
		"Timer":                          {compute: timer},
		availabilityMethod:               {compute: apiAvailability, once: true, idle: true},
		"ClusterOOMsTracker":             {compute: clusterOOMs},
		"ContainerRestarts":              {compute: containerRestarts, restarts: true, check: gathered(checkAllowed)},
		"GenericPrometheusQuery":         {compute: genericPrometheusQuery, metrics: genericMetrics, restarts: true, check: started(checkGeneric)},
		"SLOMeasurement":                 {compute: sloMeasurement, metrics: throughputMetrics, restarts: true},
		"SchedulingThroughputPrometheus": {compute: schedulingThroughputPrometheus, metrics: throughputMetrics, restarts: true},
		"EtcdMetrics":                    {compute: etcdMetrics, metrics: etcdMetricNames},
		"MetricsForE2E":                  {compute: metricsForE2E, metrics: e2eMetrics, alone: true},
		"NodeHealthTracker":              {compute: nodeHealthTracker, once: true, check: started(checkNodes)},
		"PrometheusSchedulingMetrics":    {compute: prometheusSchedulingMetrics, metrics: schedulerMetrics, restarts: true},
		"ResourceUsageSummary":           {compute: resourceUsage},
		"SchedulingMetrics":              {compute: schedulingMetrics, metrics: schedulerMetrics, restarts: true},
		"SystemPodMetrics":               {compute: systemPodMetrics, check: gathered(checkLimits)},
		"TestMetrics":                    {compute: testMetrics, metrics: testMetricsNames, check: gathered(checkLimits)},
		jobMethod:                        {compute: jobLifecycleLatency, once: true, partly: true},
		"WaitForAvailablePVs":            wait,
		"WaitForBoundPVCs":               wait,
		"WaitForControlledPodsRunning":   wait,
		"WaitForFinishedJobs":            wait,
		"WaitForGenericK8sObjects":       wait,
		"WaitForNodes":                   wait,
		"WaitForRunningPods":             wait,
	}
}

// window is a measurement from its start to where it was gathered.
type window struct {
	identifier    string
	start, gather call
	before        []call // all calls of the measurement up to the gather, which is the last
}

// summary is what a measurement leaves as a file.
type summary struct {
	name  string
	value any
}

// finding is what a measurement found.
type finding struct {
	method, identifier string
	step               int
	at                 int             // the call that it shows in, by its number
	gathered           results.Instant // when

	skip        string
	errors      []string
	violations  []string
	notes       []string
	values      []results.MeasuredValue
	summaries   []summary
	notEnforced bool // violations do not fail the test
	decides     bool // there is something that could be violated
	empty       bool // and nothing to decide it by
	said        bool // the errors are those that the calls themselves returned
}

// failed is a finding of a measurement that could not be made.
func failed(err error) finding { return finding{errors: []string{err.Error()}} }

func (f *finding) violate(format string, args ...any) {
	f.violations = append(f.violations, fmt.Sprintf(format, args...))
}

func (f *finding) note(format string, args ...any) {
	f.notes = append(f.notes, fmt.Sprintf(format, args...))
}

// show adds a value that nothing judges.
func (f *finding) show(name string, value float64, unit string, n int) {
	f.values = append(f.values, results.MeasuredValue{Name: name, Value: value, Unit: unit, N: int64(n), Verdict: results.NotJudged})
}

// judge adds a value that must not be more than its threshold, or with least not less.
func (f *finding) judge(name string, value float64, unit string, threshold float64, least bool, n int) {
	v := results.MeasuredValue{Name: name, Value: value, Unit: unit, Threshold: &threshold, Lower: least, N: int64(n), Verdict: results.Pass}
	if !least && value > threshold || least && value < threshold {
		v.Verdict = results.Fail
	}
	f.values = append(f.values, v)
}

// row is the finding as the run's summary has it.
func (f finding) row() results.Measurement {
	m := results.Measurement{Method: f.method, Identifier: f.identifier, Step: f.step, Verdict: results.NotJudged, Skip: f.skip, Errors: f.errors,
		Violations: f.violations, NotEnforced: f.notEnforced, Notes: f.notes, Values: f.values}
	switch {
	case len(f.errors) > 0, len(f.violations) > 0 && !f.notEnforced:
		m.Verdict = results.Fail
	case f.decides && !f.notEnforced && f.empty:
		m.Verdict = results.NoData
	case f.decides && !f.notEnforced:
		m.Verdict = results.Pass
	}
	return m
}

// failure is what the finding adds to the errors of its call; empty when it does not fail the test.
func (f finding) failure() string {
	texts := slices.Clone(f.errors)
	if f.said {
		return ""
	}
	if !f.notEnforced {
		texts = append(texts, f.violations...)
	}
	return strings.Join(texts, "\n")
}

// instance is a measurement: all calls of one method with one identifier, by their numbers.
type instance struct {
	method, identifier string
	calls              []int
}

// instances are the measurements in the order of their first calls.
func (e *evidence) instances() []*instance {
	type key struct{ method, identifier string }
	by := map[key]*instance{}
	var all []*instance
	for n, c := range e.calls {
		k := key{c.Method, c.Identifier}
		if by[k] == nil {
			by[k] = &instance{method: c.Method, identifier: c.Identifier}
			all = append(all, by[k])
		}
		by[k].calls = append(by[k].calls, n)
	}
	return all
}

// measure computes what an instance found: at each gather once, and what went wrong in its other calls.
func (e *evidence) measure(i *instance) []finding {
	how, known := methods()[i.method]
	if !known || how.compute == nil {
		return []finding{e.called(i, how)}
	}
	var all []finding
	var w window
	started, gathered := false, false
	for _, n := range i.calls {
		c := e.calls[n]
		w.before = append(w.before, c)
		var f finding
		gather := c.Action == "gather" || how.alone
		switch begin := !gather && (c.Action == "start" || c.Action == "reset"); {
		case c.Skip != "":
			f.skip = c.Skip
		case c.bad != nil:
			f = failed(c.bad)
		case c.Error != "" && !(how.partly && gather && started):
			f.errors, f.said = []string{c.Error}, true
		case begin && (!started || gathered || how.restarts):
			w.start, started, gathered = c, true, false
			continue
		case gather && !started && how.idle:
			f.note("it was gathered and had not been started: nothing was measured")
		case gather && !started && !how.alone:
			f.errors = []string{"it was gathered and had not been started"}
		case gather:
			w.identifier, w.gather = i.identifier, c
			f = how.compute(e, w)
			if c.Error != "" {
				f.errors, f.said = append([]string{c.Error}, f.errors...), true
			}
			started, gathered = started && !how.once, true
		default:
			continue
		}
		all = append(all, f.of(i, n, c))
	}
	if len(all) == 0 {
		f := finding{notes: []string{"it was never gathered"}}
		last := i.calls[len(i.calls)-1]
		all = append(all, f.of(i, last, e.calls[last]))
	}
	return oneSkip(all)
}

// of says which measurement and which call a finding is of.
func (f finding) of(i *instance, n int, c call) finding {
	f.method, f.identifier, f.step, f.at, f.gathered = i.method, i.identifier, c.Step, n, c.returned()
	return f
}

// oneSkip keeps one of the findings that say only that a call was skipped.
func oneSkip(all []finding) []finding {
	seen := false
	return slices.DeleteFunc(all, func(f finding) bool {
		again := seen && f.skip != ""
		seen = seen || f.skip != ""
		return again
	})
}

// called is the finding of a measurement that nothing is computed of: what its calls said.
func (e *evidence) called(i *instance, how method) finding {
	f := finding{decides: how.waits, said: true}
	started, gathered := false, false
	at := i.calls[len(i.calls)-1]
	var waited time.Duration
	calls := 0
	for _, n := range i.calls {
		c := e.calls[n]
		switch {
		case c.Skip != "":
			f.skip = c.Skip
			continue
		case c.Error != "" && len(f.errors) == 0:
			at = n
			fallthrough
		case c.Error != "":
			f.errors = append(f.errors, c.Error)
		}
		calls++
		started = started || c.Action == "start"
		gathered = gathered || c.Action == "gather"
		waited += time.Duration(c.returned() - c.At)
	}
	if calls > 0 {
		f.show("time in its calls", waited.Seconds(), "s", calls)
	}
	f.decides = f.decides && calls > 0 && (gathered || !started) // what is only started has not waited yet
	if how.waits && started && !gathered {
		f.note("it was never gathered")
	}
	if !how.waits && f.skip == "" && len(f.errors) == 0 {
		f.note("carried out; nothing is measured by it")
	}
	return f.of(i, at, e.calls[at])
}
