package analysis

import (
	"math"

	"windtunnel/results"
)

// podStates counts the pods of templates in each state of their lives at the end of every place.
func podStates(pods lives, t timeline) []Curve {
	names := []string{"waiting for a node", "starting", "running", "ending"}
	changes := make([][]float64, len(names))
	for i := range changes {
		changes[i] = make([]float64, t.places()+1)
	}
	var n int64
	for _, p := range pods {
		if p.object == "" || p.created == never {
			continue
		}
		n++
		edges := [...]results.Instant{p.created, p.scheduled, p.running, p.deleting, p.deleted}
		for i := len(edges) - 2; i >= 0; i-- { // a state that was not seen is passed over: the next begins where it would
			if edges[i] == never {
				edges[i] = edges[i+1]
			}
		}
		for i := range names {
			span(changes[i], t, edges[i], edges[i+1])
		}
	}
	if n == 0 {
		return nil
	}
	var curves []Curve
	for i, name := range names {
		values, sum := make([]float64, t.places()), 0.0
		for j := range values {
			sum += changes[i][j]
			values[j] = sum
		}
		curves = append(curves, t.curve(name, values, n, t.until))
	}
	return curves
}

// span counts a state that began and ended at these instants, or did not, for the ends of the places within it.
func span(changes []float64, t timeline, from, to results.Instant) {
	if from == never || to != never && to <= from {
		return
	}
	if i, ok := t.place(from); ok {
		changes[i]++
	} else {
		return
	}
	if to == never {
		return
	}
	if i, ok := t.place(to); ok {
		changes[i]--
	}
}

// startupCurves are the distributions of the stages of pod start-up in the measured phases, of the same pods as the summary's
// quantiles, in their order; those of no pods are left out.
func startupCurves(pods lives, object string, w window) []Distribution {
	s := startupOf(pods, object, w)
	var all []Distribution
	for _, stage := range []string{stageSchedule, stageRun, stageObserve, stageTotal} {
		if _, ascending := s.stages[stage].ordered(); len(ascending) > 0 {
			all = append(all, distribution(stage, ascending))
		}
	}
	return all
}

// distribution is the empirical distribution function of an ascending sample, thinned out.
func distribution(name string, sorted []float64) Distribution {
	const parts = 400
	d := Distribution{Name: name, N: int64(len(sorted))}
	add := func(rank int) {
		d.Value = append(d.Value, sorted[rank-1])
		d.Share = append(d.Share, float64(rank)/float64(len(sorted)))
	}
	if len(sorted) <= parts {
		for rank := 1; rank <= len(sorted); rank++ {
			add(rank)
		}
		return d
	}
	add(1)
	for i := 1; i <= parts; i++ {
		if rank := int(math.Ceil(float64(len(sorted)) * float64(i) / parts)); rank > 1 {
			add(rank)
		}
	}
	return d
}
