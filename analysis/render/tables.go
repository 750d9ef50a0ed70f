package render

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"windtunnel/results"
)

// grid is one table: a header and rows of cells, of which the columns in left are left-aligned and all others right.
type grid struct {
	title, note string
	header      []string
	left        []int
	rows        [][]string
}

// has tells whether a cell is so.
func (g grid) has(is func(cell string) bool) bool {
	return slices.ContainsFunc(g.rows, func(row []string) bool { return slices.ContainsFunc(row, is) })
}

// grids are the tables of figures that follow the verdict and the validity, those without rows left out.
func grids(s results.Summary) []grid {
	all := append(testGrids(s), startupGrid(s), nodeFaultGrid(s), throughputGrid(s), requestGrid("Client latency (ms)", s.Requests), requestGrid("Client latency by phase (ms)", s.RequestsByPhase), watchGrid(s), serverGrid(s), auditGrid(s))
	all = slices.Concat(all, othersGrids(s), serverSideGrids(s), []grid{componentGrid(s)})
	for i, g := range all {
		if g.has(func(cell string) bool { return strings.HasPrefix(cell, fewerThan) }) {
			all[i].note += "; n<100: a quantile that needs 100 values"
		}
		if g.has(func(cell string) bool { return strings.HasSuffix(cell, openEnd) }) {
			all[i].note += "; –]: too few values for an upper end"
		}
	}
	return slices.DeleteFunc(all, func(g grid) bool { return len(g.rows) == 0 })
}

func startupGrid(s results.Summary) grid {
	g := grid{title: "Pod start-up (s)", note: "exact quantiles of the pods created in the measured phases; [95 % interval of p99]",
		header: []string{"phase", "stage", "n", "p50", "p90", "p99", "interval", "p100"}, left: []int{0, 1}}
	add := func(phase string, by map[string]results.StageQuantiles) {
		for _, stage := range stages(by) {
			if q := by[stage]; q.N > 0 {
				g.rows = append(g.rows, slices.Concat([]string{phase, stage, count(q.N)}, percentiles(&q.P50, &q.P90, &q.P99, q.N, secondsText),
					[]string{interval(&q.P99, secondsText), secondsText(&q.P100.Value)}))
			}
		}
	}
	add("", s.PodStartup)
	for _, p := range s.Phases {
		add(p.Name, s.PodStartupByPhase[p.Name])
	}
	return g
}

// nodeFaultGrid has a row for each time of each kind of fault, of how many faults or pods it came to that.
func nodeFaultGrid(s results.Summary) grid {
	g := grid{title: "Faults of nodes (s)", note: "what the controllers did; exact quantiles from the fault's begin, of Ready again from its end",
		header: []string{"fault", "until", "n", "of", "p50", "p90", "p99", "p100"}, left: []int{0, 1}}
	for _, r := range s.NodeFaults {
		for _, step := range []struct {
			time, name string
			of         int64
		}{{"to_not_ready", "node NotReady", r.Faults}, {"to_taint", "NoExecute taint", r.Faults}, {"to_first_eviction", "first eviction", r.Faults},
			{"to_last_eviction", "last eviction", r.Faults}, {"to_replacement_running", "replacement running", r.Evicted}, {"to_ready", "node Ready again", r.Times["to_not_ready"].N}} {
			q := r.Times[step.time]
			if step.of == 0 {
				continue // what cannot come to that says nothing
			}
			cells := []string{r.Kind, step.name, count(q.N), count(step.of), "", "", "", ""}
			if q.N > 0 {
				copy(cells[4:], append(percentiles(&q.P50, &q.P90, &q.P99, q.N, secondsText), secondsText(&q.P100.Value)))
			}
			g.rows = append(g.rows, cells)
		}
		g.rows = append(g.rows, []string{r.Kind, "pods evicted", count(r.Evicted), count(r.Pods), "", "", "", ""})
	}
	return g
}

// stages are the names of the stages in the order in which a pod goes through them; others follow by name.
func stages(m map[string]results.StageQuantiles) []string {
	order := []string{"create_to_schedule", "schedule_to_run", "run_to_observe", "total"}
	var names []string
	for _, name := range order {
		if _, ok := m[name]; ok {
			names = append(names, name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(m)) {
		if !slices.Contains(order, name) {
			names = append(names, name)
		}
	}
	return names
}

func throughputGrid(s results.Summary) grid {
	g := grid{title: "Throughput", header: []string{"figure", "value", "unit", "n", "what"}, left: []int{0, 2, 4}}
	for _, name := range slices.Sorted(maps.Keys(s.Throughput)) {
		f := s.Throughput[name]
		g.rows = append(g.rows, []string{name, fmt.Sprintf("%.1f", f.Value), f.Unit, count(f.N), f.Text})
	}
	return g
}

// closedNote explains the rows of a closed loop, where there are any.
const closedNote = "; closed loop: from the instant of sending, by users who wait for each answer before they ask again"

func requestGrid(title string, rows []results.RequestRow) grid {
	g := grid{title: title, note: "from the planned instant to the end of the answer, of answers with a 2xx code; [95 % interval of p99]",
		header: []string{"phase", "verb", "resource", "scope", "variant", "loop", "n", "errors", "p50", "p90", "p99", "interval", "max", "classes"}, left: []int{0, 1, 2, 3, 4, 5, 13}}
	for _, r := range rows {
		loop := ""
		if r.ClosedLoop {
			loop = "closed"
			g.note = strings.TrimSuffix(g.note, closedNote) + closedNote
		}
		g.rows = append(g.rows, slices.Concat([]string{r.Phase, r.Verb, results.ResourcePath(r.Group, r.Resource, r.Subresource), r.Scope, r.Variant, loop, count(r.N), count(r.Errors)},
			percentiles(r.P50, r.P90, r.P99, r.Answered, milliseconds), []string{interval(r.P99, milliseconds), milliseconds(r.Max), errorClasses(r.ErrorsBy)}))
	}
	return g
}

func errorClasses(by map[string]int64) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(by)) {
		parts = append(parts, fmt.Sprintf("%s %d", name, by[name]))
	}
	return strings.Join(parts, ", ")
}

func watchGrid(s results.Summary) grid {
	g := grid{title: "Watch latency (ms)", note: "from the sending of a write to the arrival of its event at a watcher; [95 % interval of p99]",
		header: []string{"track", "resource", "watchers", "reopened", "events", "MiB", "n", "p50", "p90", "p99", "interval", "max"}, left: []int{0, 1}}
	for _, r := range s.Watches {
		g.rows = append(g.rows, slices.Concat([]string{r.Track, results.ResourcePath(r.Group, r.Resource, ""), count(r.Watchers), count(r.Reopened), count(r.Events),
			mebibytes(float64(r.Bytes)), count(r.N)}, percentiles(r.P50, r.P90, r.P99, r.N, milliseconds), []string{interval(r.P99, milliseconds), milliseconds(r.Max)}))
	}
	return g
}

func serverGrid(s results.Summary) grid {
	g := grid{title: "API server's own SLI (ms)", note: "apiserver_request_sli_duration_seconds over the measured phases; p99 lies somewhere in its bucket; \"within\" is exact",
		header: []string{"verb", "resource", "scope", "n", "p50", "p90", "p99", "bucket of p99", "within", "of s"}, left: []int{0, 1, 2}}
	for _, r := range s.Server {
		g.rows = append(g.rows, slices.Concat([]string{r.Verb, results.ResourcePath(r.Group, r.Resource, r.Subresource), r.Scope, count(r.N)},
			percentiles(r.P50, r.P90, r.P99, r.N, milliseconds), []string{Bucket(r.P99), percent(&r.Within), short(r.Threshold)}))
	}
	return g
}

func componentGrid(s results.Summary) grid {
	g := grid{title: "Components", note: "CPU seconds in the measured phases and in all; memory over the whole run",
		header: []string{"component", "CPU s", "CPU s in all", "peak MiB", "mean MiB", "of", "samples"}, left: []int{0, 5}}
	for _, c := range s.Components {
		g.rows = append(g.rows, []string{c.Name, fmt.Sprintf("%.2f", c.CPUSeconds), fmt.Sprintf("%.2f", c.CPUTotal),
			mebibytes(float64(c.PeakBytes)), mebibytes(c.MeanBytes), c.Memory, count(c.Samples)})
	}
	return g
}

// conditionGrid are the SLO's preconditions.
func conditionGrid(s results.Summary) grid {
	g := grid{title: "Conditions of the SLO (shown, never deciding)", header: []string{"", "condition", "measured", "limit", "what"}, left: []int{0, 1, 4}}
	for _, c := range s.Conditions {
		sign := "✓"
		if !c.Holds {
			sign = "✗"
		}
		g.rows = append(g.rows, []string{sign, c.Name, withUnit(short(c.Measured), c.Unit), withUnit(short(c.Limit), c.Unit), c.Text})
	}
	return g
}

// Shown says whether the interval of a judged row bears its verdict out: yes, no, or "" where there is none of both.
func Shown(r results.SLOResult) string {
	if r.Measured == nil || r.Margin == nil || len(r.Interval) != 2 || r.Verdict != results.Pass && r.Verdict != results.Fail {
		return ""
	}
	const rounding = 1e-9 // the required share is worked out from the margin
	required := *r.Measured - *r.Margin
	if r.Verdict == results.Pass && r.Interval[0] >= required-rounding || r.Verdict == results.Fail && r.Interval[1] < required-rounding {
		return "yes"
	}
	return "no"
}

// Short tells the rows whose measured share is less than is required, also those with too few samples to be judged.
func Short(r results.SLOResult) bool {
	return r.Verdict == results.Fail || r.Margin != nil && *r.Margin < 0
}

// sloGrid are judged rows; sign turns a verdict into its mark.
func sloGrid(slos []results.SLOResult, sign func(results.Verdict) string) grid {
	g := grid{title: "SLOs", header: []string{"", "objective", "measured", "95 % interval", "n", "margin pp", "shown", "p99 ms", "verdict"}, left: []int{0, 1, 6, 8}}
	for _, r := range slos {
		verdict := string(r.Verdict)
		if !r.Required {
			verdict += ", not required"
		}
		g.rows = append(g.rows, []string{sign(r.Verdict), r.Expression, percent(r.Measured), percentInterval(r.Interval), count(r.N),
			points(r.Margin), Shown(r), milliseconds(value(r.Quantile)), verdict})
	}
	return g
}
