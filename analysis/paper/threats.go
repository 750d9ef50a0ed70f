package paper

import (
	"fmt"
	"slices"
	"strings"

	"windtunnel/analysis/stats"
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
		para(strong("Dependent requests."), " Requests of one run are not independent of each other. The intervals of quantiles are widened by what their autocorrelation shows, which is an estimate; those of ratios are by blocks. Dependence over times as long as the run cannot be seen in it. Within a stage whose rate rises or falls, blocks of different rates are drawn as equals; a stage of one block is drawn as it was, so that its own chance is in no interval. On simulated dependent samples intervals of 95 % held in 78 to 95 % of the trials (see the method)."),
		para(strong("Hollow nodes."), " No container runs, no image is pulled, no network is programmed; a container starts after a time that the profile sets. The kubelets send no events about containers and no probes run. Nothing about DNS, network programming or throughput is shown. What is real are the requests, the watches and the work of the control plane."),
		para(strong("Two populations."), " The server's histogram is about all callers and the users' figures are about the users, so that the two columns of a table differ in what they count as well as in where."),
		para(strong("The definitions."), " Tables, figures and findings are those of the source as we read them. The same definition does not make the same experiment: versions, machine, mix of requests and clocks differ, so that a finding that does not hold here is not thereby wrong there."))
	all = append(all, in.definitions()...)
	return append(blocks, para("What holds for all of them:"), all)
}

func replicates(in Input) string {
	if len(in.Density) <= 1 && len(in.Load) <= 1 {
		return "Each test was run once. The run is the unit of replication: intervals describe what these runs were, not what the next will be, and a difference between two of them is no effect yet."
	}
	return fmt.Sprintf("There are %s and %s. The run is the unit of replication: intervals describe what each run was, not what the next will be.", plural(len(in.Density), "density run"), plural(len(in.Load), "load run"))
}

// definitions are the threats that come from how things were counted, with the numbers of these runs.
func (in Input) definitions() List {
	var l List
	for _, e := range in.Load {
		if p := e.peaks(); p != nil {
			l = append(l, append(append(para(strong("The shape of the load."), " "), p...), para(" A quantile of all stages together says as much of the profile as of the system where the share of its busiest stage is near what the quantile leaves above it: 10 % for p90, 1 % for p99.")...))
		}
	}
	if few := in.beyond(); few != "" {
		l = append(l, para(strong("Ratios with p99."), " ", few))
	}
	return append(l,
		para(strong("Created means seen created."), " A pod's start-up counts from the instant in which the watch delivers the pod; the indicator of the objective counts from the pod's creation timestamp, which has whole seconds. What passes between the two, and it grows with the load, is missing: the start-ups shown are too short by it."),
		para(strong("Minutes for a day."), " The objectives are about the 99th percentile of a cluster-day. Here ", listing(each(in.all(), func(e *Experiment) string { return duration(e.measuredSeconds()) + " of " + e.Name })), " stand for it."),
		para(strong("Churn."), " ", in.churn()),
		para(strong("Bounds of our own."), " The source gives no bounds to “about half”, “1 to 3 times more” and “1 to 2 times more”. That they are 0.4 to 0.6, 2 to 4 and 2 to 3 here, that blocks have ", blockSeconds, " s, and that peaks are judged apart, is our choice. So is the mix of the load."),
		para(strong("The instrument."), " ", in.instrument()))
}

// beyond says on how many values the judged ratios with p99 rest; empty without any.
func (in Input) beyond() string {
	var n []int64
	for _, e := range in.Load {
		usual := newBlocks(e.strata, func(s stratum) bool { return !e.peak(s) })
		for _, c := range e.calls(onPods) {
			if size := len(e.Calls[c].weighted(usual).value); size >= stats.LeastToShow(0.99) {
				n = append(n, int64(size))
			}
		}
	}
	if len(n) == 0 {
		return ""
	}
	least, most := slices.Min(n), slices.Max(n)
	above := func(n int64) int64 { return n - int64(stats.NearestRank(int(n), 0.99)) }
	return fmt.Sprintf("The judged samples have %d to %d responses, of which %d to %d are slower than their p99: the ratios rest on a handful of values, which may all belong to one slow moment.", least, most, above(least), above(most))
}

// churn says what the precondition on churn means for these runs.
func (in Input) churn() string {
	said := each(in.all(), func(e *Experiment) string {
		for _, c := range e.Summary.Conditions {
			if c.Name == "churn_mean" && !c.Holds {
				return fmt.Sprintf("%s has %s a second on average (limit %s)", e.Name, short(c.Measured), short(c.Limit))
			}
		}
		return ""
	})
	if len(said) == 0 {
		return "No run exceeded the churn, on average, that the objectives are promised for."
	}
	return "The objectives are promised up to a limit of pod changes and user requests: " + listing(said) + ". Beyond it an objective that is violated breaks no promise, and one that is kept is kept under more than it was made for."
}

// instrument says what the measuring itself took of the machine.
func (in Input) instrument() string {
	said := each(in.all(), func(e *Experiment) string {
		own, nodes := 0.0, 0.0
		for _, c := range e.Summary.Components {
			switch {
			case c.Name == "windtunnel":
				own += c.CPUSeconds
			case strings.HasPrefix(c.Name, "hollow-"):
				nodes += c.CPUSeconds
			}
		}
		time := e.measuredSeconds() * float64(e.Run.Machine.Cores)
		if time <= 0 || own+nodes <= 0 {
			return ""
		}
		return fmt.Sprintf("%s and %s of their time in %s", percent(own/time), percent(nodes/time), e.Name)
	})
	if len(said) == 0 {
		return "What the harness and the hollow nodes took of the machine's CPU time was not recorded."
	}
	return "The harness and the hollow nodes run on the cores of the control plane and took " + strings.Join(said, ", ") + ". A control plane with cores of its own would be faster by what that cost it."
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
		l = append(l, para(strong(e.Name), fmt.Sprintf(": %d of %d request types have too few responses for a 99th percentile, which is not shown.", small, len(e.Calls))))
	}
	return l
}
