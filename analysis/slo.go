package analysis

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"windtunnel/analysis/stats"
	"windtunnel/profiles"
	"windtunnel/results"
)

const (
	// The SLO's share of answers that must be within the threshold, as a whole fraction: floating point must not decide.
	requiredNumerator, requiredDenominator = 99, 100
	requiredShare                          = float64(requiredNumerator) / requiredDenominator
	// podStartupSeconds is the pod start-up SLO's threshold (sig-scalability, pod_startup_latency.md).
	podStartupSeconds = 5
)

// row is one judged row: k of n answers within the threshold.
type row struct {
	expression string
	k, n       int64
	effective  float64 // as many independent answers tell the same; 0: not known, n
	known      bool    // k is exact
	quantile   *results.Bounds
	threshold  float64 // seconds
	required   bool
	note       string
}

// judge gives a row its verdict: pass when at least 99 % of at least minSamples are within the threshold.
func (r row) judge(minSamples int) results.SLOResult {
	s := results.SLOResult{Expression: r.expression, N: r.n, Quantile: r.quantile, Threshold: r.threshold, Required: r.required,
		Verdict: results.NoData, Note: r.note}
	if r.n == 0 || !r.known {
		return s
	}
	share := float64(r.k) / float64(r.n)
	margin := share - requiredShare
	low, high := stats.ProportionInterval(r.k, r.n)
	if r.effective > 0 {
		low, high = stats.EffectiveProportion(r.k, r.n, r.effective)
	}
	s.Measured, s.Margin, s.Interval, s.Effective = &share, &margin, []float64{low, high}, r.effective
	switch {
	case r.n < int64(minSamples):
		s.Note = joinNotes(r.note, fmt.Sprintf("%d samples, %d are needed", r.n, minSamples))
	case r.k*requiredDenominator >= r.n*requiredNumerator:
		s.Verdict = results.Pass
	default:
		s.Verdict = results.Fail
	}
	return s
}

func joinNotes(notes ...string) string {
	return strings.Join(slices.DeleteFunc(notes, func(s string) bool { return s == "" }), "; ")
}

// judgeSLOs judges the required rows, in the order of the profile, and then every other row that there is data for.
func judgeSLOs(slo profiles.SLO, cs calls, pods startup) []results.SLOResult {
	judged := []results.SLOResult{}
	done := map[call]bool{}
	for _, want := range slo.APICalls {
		r, used := apiRow(want, cs)
		for _, c := range used {
			done[c] = true
		}
		judged = append(judged, r.judge(slo.MinSamples))
	}
	if pr := podRow(slo.PodStartup, pods); slo.PodStartup != "" || pr.n > 0 {
		judged = append(judged, pr.judge(slo.MinSamples))
	}
	for _, c := range slices.SortedFunc(maps.Keys(cs), call.compare) {
		if !done[c] {
			judged = append(judged, callRow(c, cs[c], false).judge(slo.MinSamples))
		}
	}
	return judged
}

// apiRow is the row that a profile requires, and the calls that it is made of: a resource's name can exist in more than
// one API group.
func apiRow(want profiles.APICallSLO, cs calls) (row, []call) {
	resource, subresource, _ := strings.Cut(want.Resource, "/")
	c := call{verb: want.Verb, resource: resource, subresource: subresource, scope: want.Scope}
	if c.scope == "" {
		c.scope = "resource"
	}
	var sum histogram
	var used []call
	for have, h := range cs {
		plain := have
		plain.group = ""
		if plain == c {
			sum.add(h, 1)
			used = append(used, have)
		}
	}
	return callRow(c, sum, true), used
}

func callRow(c call, h histogram, required bool) row {
	r := row{n: h.n, quantile: h.quantile(0.99), threshold: c.threshold(), required: required,
		expression: fmt.Sprintf("99 %% of %s %s (%s) within %g s", c.verb, c.path(), c.scope, c.threshold())}
	r.k, r.known = h.within(r.threshold)
	switch {
	case h.n == 0:
		r.note = "the API server's histogram shows no such call in the measured phases"
	case !r.known:
		r.note = fmt.Sprintf("the API server's histogram has no edge at %g s", r.threshold)
	}
	return r
}

// podRow is the pod start-up SLO. Pods that had their time and never ran are beyond any threshold; a 99th percentile that
// falls among them is not known.
func podRow(object string, pods startup) row {
	r := row{threshold: podStartupSeconds, required: object != "", known: true, n: int64(len(pods.judged))}
	of := "pods of all templates"
	if object != "" {
		of = "pods of " + object
	}
	r.expression = fmt.Sprintf("99 %% of %s running within %d s of their creation", of, podStartupSeconds)
	if r.n > 0 {
		inTime, ascending := slices.Clone(pods.judged).ordered()
		k, _ := slices.BinarySearchFunc(ascending, podStartupSeconds, func(s, limit float64) int {
			if s <= limit {
				return -1
			}
			return 1
		})
		r.k, r.effective = int64(k), stats.DependenceAt(inTime, podStartupSeconds).Effective
		if b := QuantileBounds(inTime, ascending, requiredShare); b.Least == 0 && !math.IsInf(b.Value, 1) {
			r.quantile = &b
		}
	}
	r.note = pods.note()
	return r
}

// note says which pods were counted in an unusual way.
func (s *startup) note() string {
	count := func(n int, text string) string {
		if n == 0 {
			return ""
		}
		return fmt.Sprintf("%d %s", n, text)
	}
	return joinNotes(
		count(s.failed, "never ran and count as failures"),
		count(s.early, "were deleted within 5 s of their creation and are left out"),
		count(s.late, "were created in the last 5 s, did not run in time to be seen and are left out"),
		count(s.unseen, "are incomplete for want of a watch event"),
	)
}

// overall is the run's verdict: what cannot be trusted is not judged, and what has no data has not passed.
func overall(validity results.Verdict, judged bool, slos []results.SLOResult) results.Verdict {
	switch {
	case validity != results.Pass:
		return results.Invalid
	case !judged:
		return results.NotJudged
	}
	has := func(verdicts ...results.Verdict) bool {
		return slices.ContainsFunc(slos, func(s results.SLOResult) bool {
			return s.Required && slices.Contains(verdicts, s.Verdict)
		})
	}
	switch {
	case has(results.Fail):
		return results.Fail
	case has(results.NoData), !has(results.Pass):
		return results.NoData
	}
	return results.Pass
}

// withTest is the verdict of a run that was a test of ClusterLoader2, which decides by its own measurements and errors: the
// profile around it requires no row of the SLO.
func withTest(s results.Summary) results.Verdict {
	if s.Validity.Verdict != results.Pass {
		return results.Invalid
	}
	return s.ClusterLoader.Verdict
}
