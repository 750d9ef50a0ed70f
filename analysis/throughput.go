package analysis

import (
	"slices"

	"windtunnel/analysis/stats"
	"windtunnel/results"
)

// throughput is how fast pods were scheduled and started, of those that templates made and that were created in the
// measured phases.
func throughput(pods lives, w window) map[string]results.Figure {
	var created, scheduled, running []results.Instant
	for _, p := range pods {
		if p.object == "" || !w.contains(p.created) {
			continue
		}
		created = append(created, p.created)
		if p.scheduled != never {
			scheduled = append(scheduled, p.scheduled)
		}
		if p.running != never {
			running = append(running, p.running)
		}
	}
	slices.Sort(created)
	slices.Sort(scheduled)
	slices.Sort(running)
	t := map[string]results.Figure{}
	n := int64(len(scheduled))
	if n >= 2 && scheduled[n-1] > scheduled[0] {
		t["scheduled_mean"] = results.Figure{Value: float64(n-1) / seconds(scheduled[n-1]-scheduled[0]), Unit: "pods/s", N: n,
			Text: "pods scheduled a second, from the first to the last"}
	}
	if n > 0 && seconds(scheduled[n-1]-scheduled[0]) >= 5 { // in less, it would count time in which there was nothing to schedule
		t["scheduled_max_5s"] = results.Figure{Value: stats.MaxRate(scheduled, 5), Unit: "pods/s", N: n,
			Text: "pods scheduled a second in the best window of 5 s"}
	}
	if n > 0 {
		t["scheduled_max_1s"] = results.Figure{Value: stats.MaxRate(scheduled, 1), Unit: "pods/s", N: n,
			Text: "most pods scheduled in any window of 1 s"}
	}
	if m := len(running); m > 0 {
		t["created_to_last_running"] = results.Figure{Value: seconds(running[m-1] - created[0]), Unit: "s", N: int64(m),
			Text: "from the first pod created to the last pod observed running"}
	}
	return t
}
