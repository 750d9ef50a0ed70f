package render

import (
	"fmt"

	"windtunnel/results"
)

// othersTitle begins the titles of the tables about the other users of a shared cluster.
const othersTitle = "The cluster's own users"

// othersGrids are what the other users of a shared cluster saw, before the load and under it.
func othersGrids(s results.Summary) []grid {
	if s.Others == nil {
		return nil
	}
	return []grid{bystanderGrid(*s.Others), otherLevelGrid(*s.Others)}
}

func bystanderGrid(o results.Others) grid {
	g := grid{title: othersTitle + ": a bystander's GET (ms)",
		note:   "one small read a second by a user outside of the load's priority level, " + o.Level + ", from the planned instant; it judges nothing",
		header: []string{"when", "n", "errors", "p50", "p90", "p99", "max"}, left: []int{0}}
	for _, t := range []struct {
		when string
		of   results.BystanderTime
	}{{"before the load", o.Bystander.Before}, {"measured phases", o.Bystander.During}} {
		n := t.of.N - t.of.Errors
		g.rows = append(g.rows, append(append([]string{t.when, count(t.of.N), count(t.of.Errors)}, percentiles(t.of.P50, t.of.P90, t.of.P99, n, fine)...), fine(t.of.Max)))
	}
	return g
}

func otherLevelGrid(o results.Others) grid {
	g := grid{title: othersTitle + ": priority levels", note: fmt.Sprintf("all but the load's own; before: %.0f s without load, then %.0f s of measured phases", o.BeforeSeconds, o.DuringSeconds),
		header: []string{"priority level", "when", "requests a second", "rejected", "mean wait ms", "most seats", "nominal seats", "most queued", "scrapes"}, left: []int{0, 1}}
	row := func(name, when string, l *results.PriorityLevel, seconds float64) {
		if l == nil {
			l = &results.PriorityLevel{}
		}
		rate := 0.0
		if seconds > 0 {
			rate = float64(l.Requests) / seconds
		}
		g.rows = append(g.rows, []string{name, when, short(rate), count(l.Rejected), fine(l.MeanWait), short(l.MostSeats), short(l.Seats), short(l.MostQueued), count(l.Looks)})
	}
	for _, l := range o.Levels {
		row(l.Name, "before", l.Before, o.BeforeSeconds)
		row(l.Name, "measured", l.During, o.DuringSeconds)
	}
	return g
}

// others writes the lines of the cluster's own users.
func (t longTable) others(s results.Summary) {
	if s.Others == nil {
		return
	}
	for _, when := range []struct {
		name string
		of   results.BystanderTime
	}{{"before", s.Others.Bystander.Before}, {"measured", s.Others.Bystander.During}} {
		n := when.of.N - when.of.Errors
		t.quantile("bystander", when.name, "p50", when.of.P50, n)
		t.quantile("bystander", when.name, "p90", when.of.P90, n)
		t.quantile("bystander", when.name, "p99", when.of.P99, n)
		t.line("bystander", when.name, "max", full(when.of.Max), "s", count(n), "", "")
		t.number("bystander", when.name, "errors", float64(when.of.Errors), "requests", when.of.N)
	}
	for _, l := range s.Others.Levels {
		for _, when := range []struct {
			name string
			of   *results.PriorityLevel
		}{{"before", l.Before}, {"measured", l.During}} {
			if when.of == nil {
				continue
			}
			name := l.Name + " " + when.name
			t.number("other_level", name, "requests", float64(when.of.Requests), "requests", when.of.Looks)
			t.number("other_level", name, "rejected", float64(when.of.Rejected), "requests", when.of.Looks)
			t.line("other_level", name, "mean_wait", full(when.of.MeanWait), "s", count(when.of.Requests), "", "")
			t.number("other_level", name, "most_seats", when.of.MostSeats, "seats", when.of.Looks)
		}
	}
}
