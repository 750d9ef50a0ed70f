package render

import (
	"fmt"

	"windtunnel/results"
)

// How many rows the tables of the server's side have at most; summary.json and CSV have all.
const (
	auditRows = 25
	queueRows = 10
)

// auditGrid are the busiest kinds of requests of the audit log.
func auditGrid(s results.Summary) grid {
	g := grid{title: "API server's audit log (ms)", note: "the server's own time from the arrival of the request to the end of its answer, exact, for every caller, of answers without an error; [95 % interval of p99]",
		header: []string{"caller", "verb", "resource", "scope", "n", "errors", "p50", "p90", "p99", "interval", "max"}, left: []int{0, 1, 2, 3}}
	shown := s.Audit[:min(len(s.Audit), auditRows)]
	if left := len(s.Audit) - len(shown); left > 0 {
		g.note += fmt.Sprintf("; the %d busiest kinds, %d more are in summary.json", len(shown), left)
	}
	for _, r := range shown {
		g.rows = append(g.rows, []string{r.Caller, r.Verb, results.ResourcePath(r.Group, r.Resource, r.Subresource), r.Scope, count(r.N), count(r.Errors),
			quantile(r.P50, 0.5, r.N-r.Errors, fine), quantile(r.P90, 0.9, r.N-r.Errors, fine), quantile(r.P99, 0.99, r.N-r.Errors, fine), interval(r.P99, fine), fine(r.Max)})
	}
	return g
}

// fine is a number of milliseconds to the microsecond, as the audit log has it.
func fine(v *float64) string { return scaled(v, 1e3, 3) }

// serverSideGrids are the components' own figures.
func serverSideGrids(s results.Summary) []grid {
	if s.ServerSide == nil {
		return nil
	}
	return []grid{figureGrid(s.ServerSide.Figures), priorityGrid(s.ServerSide.PriorityLevels), queueGrid(s.ServerSide.WorkQueues)}
}

func figureGrid(figures []results.ComponentFigure) grid {
	g := grid{title: "Components' own figures", note: "over the measured phases; what came and went between two scrapes is in no maximum",
		header: []string{"component", "figure", "value", "unit", "n", "what"}, left: []int{0, 1, 3, 5}}
	for _, f := range figures {
		amount, unit := short(f.Value), f.Unit
		switch f.Unit {
		case "s":
			amount, unit = fine(&f.Value), "ms"
		case "bytes":
			amount, unit = mebibytes(f.Value), "MiB"
		}
		g.rows = append(g.rows, []string{f.Component, f.Name, amount, unit, count(f.N), f.Text})
	}
	return g
}

func priorityGrid(levels []results.PriorityLevel) grid {
	g := grid{title: "Priority and fairness", note: "requests let through and rejected in the measured phases; most seats in use and requests queued at any scrape",
		header: []string{"priority level", "requests", "rejected", "mean wait ms", "most seats", "nominal seats", "most queued", "scrapes"}, left: []int{0}}
	for _, l := range levels {
		g.rows = append(g.rows, []string{l.Name, count(l.Requests), count(l.Rejected), fine(l.MeanWait), short(l.MostSeats), short(l.Seats), short(l.MostQueued), count(l.Looks)})
	}
	return g
}

func queueGrid(queues []results.WorkQueue) grid {
	g := grid{title: "Work queues", note: "those in which items waited longest in all",
		header: []string{"component", "queue", "adds", "taken", "mean wait ms", "deepest", "scrapes"}, left: []int{0, 1}}
	for _, q := range queues[:min(len(queues), queueRows)] {
		g.rows = append(g.rows, []string{q.Component, q.Name, count(q.Adds), count(q.N), fine(q.MeanWait), short(q.Deepest), count(q.Looks)})
	}
	return g
}

// serverSide writes the lines of the audit log and of the components' own figures.
func (t longTable) serverSide(s results.Summary) {
	for _, r := range s.Audit {
		name := rowName(r.Caller+":", r.Verb, results.ResourcePath(r.Group, r.Resource, r.Subresource), r.Scope)
		t.quantile("audit", name, "p50", r.P50, r.N-r.Errors)
		t.quantile("audit", name, "p90", r.P90, r.N-r.Errors)
		t.quantile("audit", name, "p99", r.P99, r.N-r.Errors)
		t.line("audit", name, "max", full(r.Max), "s", count(r.N-r.Errors), "", "")
		t.number("audit", name, "errors", float64(r.Errors), "requests", r.N)
	}
	if s.ServerSide == nil {
		return
	}
	for _, f := range s.ServerSide.Figures {
		t.number("component", f.Component, f.Name, f.Value, f.Unit, f.N)
	}
	for _, l := range s.ServerSide.PriorityLevels {
		t.number("priority_level", l.Name, "requests", float64(l.Requests), "requests", l.Looks)
		t.number("priority_level", l.Name, "rejected", float64(l.Rejected), "requests", l.Looks)
		t.line("priority_level", l.Name, "mean_wait", full(l.MeanWait), "s", count(l.Requests), "", "")
		t.number("priority_level", l.Name, "most_seats", l.MostSeats, "seats", l.Looks)
		t.number("priority_level", l.Name, "most_queued", l.MostQueued, "requests", l.Looks)
	}
	for _, q := range s.ServerSide.WorkQueues {
		name := q.Component + " " + q.Name
		t.number("work_queue", name, "adds", float64(q.Adds), "items", q.Looks)
		t.line("work_queue", name, "mean_wait", full(q.MeanWait), "s", count(q.N), "", "")
		t.number("work_queue", name, "deepest", q.Deepest, "items", q.Looks)
	}
}
