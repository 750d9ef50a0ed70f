package paper

import (
	"fmt"
	"strings"

	"windtunnel/analysis/stats"
)

func introduction(in Input) []Block {
	return []Block{
		para("How many pods does a Kubernetes cluster start, how fast, and do its API calls keep their objectives meanwhile? Lei Qing ", cite("lei"), " answered that for a cluster of 100 hollow nodes with 30 pods each. A hollow node ", cite("kubemark"), " runs the real kubelet's code over a container runtime that only pretends; to the control plane it is a node like any other. Two tests were run. In the density test all pods come from nothing to running while users delete, get, list, patch, post and put objects of every kind; in the load test the users follow a model of daily operation."),
		para("The source reports the time of pods to start at 50, 90, 99 and 100 % of the pods, by stage (its figure 3), the latency of requests on pods by verb (figures 4 and 7), of GET by resource (5 and 8) and of LIST by resource (6 and 9), and finds four things: 99 % of the API calls stay within 1 s; on pods under load p50 is about half of p90; p99 takes 1 to 3 times more than p90; and DELETE takes 1 to 2 times more than the other verbs."),
		para("This paper has the same tables 1 to 3 and figures 3 to 9 under their numbers, by the same definitions, for the runs that ", table("2"), " describes. It adds what a reader needs to trust them: how many observations each number comes from, intervals, the server's own view beside the users', a judgement of each run before that of the system, and a test of each finding that can fail."),
		para("One remark on the source's text. It prints p90 as “5 000 ms” and DELETE as “12 000 ms”, and in the next sentence calls all of them far below 1 s. Read as microseconds, 5 ms and 12 ms, it agrees with itself. This is our reading; none of the tests below depends on it, since all of them are about ratios or about the limit of 1 s."),
	}
}

func method(in Input) []Section {
	return []Section{
		{Title: "The two tests", Blocks: tests(in)},
		{Title: "Open loop and planned instants", Blocks: []Block{
			para("The users form an open loop ", cite("open"), ": the instant of each request is planned before the run from a function of time and a seed, and a request is sent at its instant whether or not those before it were answered. A client's latency counts from the planned instant to the end of the answer, so that waiting in the client is part of it and a stall of the server delays all that was planned meanwhile. A PUT is a read and a write: the read has the planned instant, the write counts from the read's answer, and the two are separate requests. So is each page of a paged LIST. Clients have no rate limiter of their own."),
			para("The latencies shown are those of requests answered with a 2xx code. Watches, requests of closed loops, the generator's own looks for targets and what the harness itself sends to bring objects to the number that the profile asks for are left out."),
		}},
		{Title: "Two latencies", Blocks: []Block{
			para("Beside the users' latency stands the API server's own, from its histogram ", code("apiserver_request_sli_duration_seconds"), ", read at both edges of the measured phases. It counts from the arrival of the request, without the time in webhooks and in the queues of priority and fairness, and for all callers: users, controllers, scheduler and nodes. Its first bucket ends at 50 ms. A quantile of it is known only to lie in its bucket, which is what we print; the share within 1 s or 30 s is exact, since both are edges. The objectives ", cite("apislo"), " are judged by it."),
			para("A request type is a verb on a resource in a scope. The figures of the source are by verb and resource; where a verb reads both a namespace and the whole cluster, these are unlike requests with different objectives, and we show both. The forms of a verb (paged, from the cache, metadata only) are counted together."),
		}},
		{Title: "Quantiles and intervals", Blocks: []Block{
			para(fmt.Sprintf("All of the users' quantiles and those of the pods are exact: values of the sorted sample by nearest rank. Their 95 %% intervals are pairs of order statistics "), cite("order"), ", which assumes no distribution. Requests that are close in time share what slows them down; how much less they tell than as many independent ones is estimated from their autocorrelation ", cite("geyer"), ", and the interval counts on no more. A quantile is shown from ", stats.LeastFor(0.5), ", ", stats.LeastFor(0.9), " and ", stats.LeastFor(0.99), " responses on for p50, p90 and p99. An interval that is open at an end, for which its sample is too small, has a dash there in tables, as in 3.15 [1.94, –], and is “at least 1.94” in the text. The shares of requests have exact intervals ", cite("clopper"), " of as many independent observations; those of the server's histogram take the observations as independent."),
			para(fmt.Sprintf("Ratios of quantiles have percentile intervals of a block bootstrap (%d resamples, seed %d): blocks of %d s are drawn again as a whole ", resamples, in.Seed, blockSeconds), cite("carlstein"), ", with all verbs together. They do not overlap, and each measured phase, and in it each stage of the planned rate, gets as many as it has, so that no resample lacks a peak or has two. The intervals of all rows of one finding hold together with 95 % (Bonferroni). A ratio needs ", stats.LeastToShow(0.9), " responses for a p90 and ", stats.LeastToShow(0.99), " for a p99."),
			para("How far do the intervals fall short? On simulated samples whose values depend on each other, autoregressive ones and waiting times of queues, the 95 % intervals of a p99 held the true value in 82 to 95 % of the trials, and in the worst case tried, the p90 of 300 values, in 78 %; on independent ones in 97 to 98 %. ", code("go test ./analysis/stats -run TestCoverageUnderDependence -v"), " measures it, and docs/slo.md has the table."),
			para("The figures of latencies draw p50, p90 and p99 of the users' requests with their 95 % intervals, and the bucket that the server's own p99, of all callers, lies in: its mark is the upper edge, and the lowest bucket reaches from 0 to 50 ms. Their axis is logarithmic. What the sample is too small for is not drawn."),
		}},
		{Title: "Peaks, and what the findings are judged on", Blocks: peaks(in)},
		{Title: "Start-up of pods", Blocks: []Block{
			para("Four instants make three stages: a watch delivers the pod for the first time (created), delivers it with a node (scheduled), the node's container runtime has started its last container (run), and the watch delivers it as running (observed). The objective ", cite("podslo"), " is about the whole. The quantiles of the stages do not add up to the quantile of the whole, because the pod that is slow in one stage need not be slow in the next; ", figure("3"), " therefore shows the source's definition and beside it what the pods around each quantile are made of."),
		}},
		{Title: "Percentile latency and service level agreements", Blocks: []Block{
			para("RFC 2679 ", cite("rfc2679"), ", which the source follows and RFC 7679 ", cite("rfc7679"), " has replaced since, defines the percentile of a delay over all packets, where one that is lost has an infinite delay; RFC 5166 ", cite("rfc5166"), " has delay among the metrics that users see. Applied to requests as in the source: an agreement holds when at least γ % of the requests are answered within T_D. A request that failed counts as never answered. It holds here when the whole 95 % interval of that share is at γ or above."),
		}},
		{Title: "Clocks", Blocks: []Block{
			para("All instants are nanoseconds of one machine's monotonic clock, in every process. There is no skew between client, server and nodes."),
		}},
	}
}

// tests describes what was run, by the profiles' own descriptions and by what was planned and sent.
func tests(in Input) []Block {
	var l List
	for _, e := range in.all() {
		p := para(strong(e.Name), ": profile ", code(e.Run.Name))
		if text := strings.TrimSpace(e.Profile.Description); text != "" {
			p = append(p, para(". ", text)...)
		}
		if c := e.check("achieved"); c != "" {
			p = append(p, para(" ", c)...)
			if e.follow > 0 {
				p = append(p, para(fmt.Sprintf(" Requests that follow another at once, such as the write of a PUT and the further pages of a LIST, are not in this count; there are %d.", e.follow))...)
			}
		}
		if driven := e.resources(func(Call) bool { return true }); len(driven) > 0 {
			p = append(p, para(" The users' requests go to ", plural(len(driven), "resource"))...)
			if len(driven) <= 12 {
				p = append(p, para(": ", listing(driven))...)
			}
			p = append(p, para(".")...)
		}
		l = append(l, p)
	}
	return []Block{l}
}

// peaks says which stages of the load the ratios are taken of, and why.
func peaks(in Input) []Block {
	const rule = "The ratios of quantiles are judged on the stages in which no more is planned than at the rate that the profile holds for the longest time. A load test that models daily operation is mostly that; a stage of a higher rate is a test of its own. What all stages together give stands beside it and does not decide."
	var said List
	for _, e := range in.Load {
		if p := e.peaks(); p != nil {
			said = append(said, p)
		}
	}
	if len(said) == 0 {
		return []Block{para(rule, " No run of load here has such a stage, so that all of it is judged.")}
	}
	return []Block{para(rule), said}
}

// peaks says what is left out of a run; nil for nothing.
func (e *Experiment) peaks() Paragraph {
	top, ok := e.busiest()
	if !ok {
		return nil
	}
	rate, seconds := usual(e.strata)
	return para(strong(e.Name), fmt.Sprintf(": %s requests a second are planned for %.0f s of %.0f s. The busiest stage has %s a second for %.0f s, and %s of all requests. Judged are the other stages, with %s of them.",
		short(rate), seconds, e.measuredSeconds(), short(top.rate), top.seconds(), percent(e.share(func(s stratum) bool { return s == top })), percent(e.share(func(s stratum) bool { return !e.peak(s) }))))
}

// check is the sentence of one of the run's checks of validity; empty when there is none of that name.
func (e *Experiment) check(name string) string {
	for _, c := range e.Summary.Validity.Checks {
		if c.Name == name {
			return c.Text
		}
	}
	return ""
}
