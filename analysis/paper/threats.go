package paper

import (
	"fmt"
	"slices"

	"windtunnel/results"
)

// threats are what may be wrong: what the runs' own checks and notes say, what hollow nodes cannot show, and what one run each
// cannot.
func threats(in Input) []Block {
	var runs List
	for _, e := range in.all() {
		runs = append(runs, e.threats()...)
	}
	blocks := []Block{}
	if len(runs) == 0 {
		blocks = append(blocks, para("All checks of all runs passed, all records could be read, and no run has notes."))
	} else {
		blocks = append(blocks, para("What the runs say of themselves:"), runs)
	}
	var all List
	if slices.ContainsFunc(in.all(), func(e *Experiment) bool { return e.Run.Provider == "embedded" }) {
		all = append(all, para(strong("One machine."), " Users, control plane and nodes share one machine's cores, so that what the machine cannot carry shows as latency. Network between them is a loopback: latencies have no network in them, and no packet is lost."))
	}
	all = append(all,
		para(strong("Few runs."), " ", replicates(in)),
		para(strong("Dependent requests."), " Requests of one run are not independent of each other. The intervals of quantiles are widened by what their autocorrelation shows, which is an estimate; those of ratios are by blocks. Dependence over times as long as the run cannot be seen in it. The planned rate may change with time; blocks of different rates are drawn as equals."),
		para(strong("Hollow nodes."), " No container runs, no image is pulled, no network is programmed; a container starts after a time that the profile sets. The kubelets send no events about containers and no probes run. Nothing about DNS, network programming or throughput is shown. What is real are the calls, the watches and the work of the control plane."),
		para(strong("Two populations."), " The server's histogram is about all callers and the users' figures are about the users, so that the two columns of a table differ in what they count as well as in where."),
		para(strong("The definitions."), " Tables, figures and findings are those of the source as we read them. The same definition does not make the same experiment: versions, machine, mix of requests and clocks differ, so that a finding that does not hold here is not thereby wrong there."))
	return append(blocks, para("What holds for all of them:"), all)
}

func replicates(in Input) string {
	if len(in.Density) <= 1 && len(in.Load) <= 1 {
		return "Each test was run once. The run is the unit of replication: intervals describe what these runs were, not what the next will be, and a difference between two of them is no effect yet."
	}
	return fmt.Sprintf("There are %s and %s. The run is the unit of replication: intervals describe what each run was, not what the next will be.", plural(len(in.Density), "density run"), plural(len(in.Load), "load run"))
}

// threats of one run.
func (e *Experiment) threats() List {
	var l List
	for _, c := range e.Summary.Validity.Checks {
		if c.Verdict != results.Pass {
			l = append(l, para(strong(e.Name), ", check ", code(c.Name), " ", string(c.Verdict), ": ", c.Text))
		}
	}
	for _, d := range e.Summary.Damage {
		l = append(l, para(strong(e.Name), ", damaged: ", d))
	}
	for _, n := range e.Summary.Notes {
		l = append(l, para(strong(e.Name), ", note: ", n))
	}
	var failed, sent int64
	for _, s := range e.Calls {
		sent += s.sent()
		failed += s.sent() - int64(len(s.answers()))
	}
	if failed > 0 {
		l = append(l, para(strong(e.Name), fmt.Sprintf(": %d of %d requests got no answer with a 2xx code and are in no latency.", failed, sent)))
	}
	small := 0
	for c := range e.Calls {
		if e.bounds(c, 0.99) == nil {
			small++
		}
	}
	if small > 0 {
		l = append(l, para(strong(e.Name), fmt.Sprintf(": %d of %d kinds of calls have too few answers for a 99th percentile, which is not shown.", small, len(e.Calls))))
	}
	return l
}
