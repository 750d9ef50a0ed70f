package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"windtunnel/analysis"
	"windtunnel/analysis/chart"
	"windtunnel/results"
)

// latencyCharts are, as in the paper that this instrument goes back to, the verbs on one resource and each verb on all
// resources.
func latencyCharts(s analysis.Study) []chart.Chart {
	rows := answeredRows(s.Summary.Requests)
	var charts []chart.Chart
	if resource := mainResource(rows); resource != "" {
		of := pick(rows, func(r results.RequestRow) bool { return r.Resource == resource && r.Subresource == "" })
		charts = append(charts, quantileBars("latency-by-verb", "Latency of "+resource+" by verb", of, func(r results.RequestRow) string { return r.Verb }))
	}
	for _, verb := range verbs(rows) {
		of := pick(rows, func(r results.RequestRow) bool { return r.Verb == verb })
		if len(of) < 2 {
			continue
		}
		charts = append(charts, quantileBars("latency-"+strings.ToLower(verb), "Latency of "+verb+" by resource", of, func(r results.RequestRow) string { return path(r) }))
	}
	return append(charts, clientAndServer(s.Summary)...)
}

func answeredRows(rows []results.RequestRow) []results.RequestRow {
	return pick(rows, func(r results.RequestRow) bool { return r.Answered > 0 })
}

func pick(rows []results.RequestRow, ok func(results.RequestRow) bool) []results.RequestRow {
	return slices.DeleteFunc(slices.Clone(rows), func(r results.RequestRow) bool { return !ok(r) })
}

// mainResource is pods where any were asked for, otherwise the resource with the most verbs, by name among equals.
func mainResource(rows []results.RequestRow) string {
	n := map[string]map[string]bool{}
	for _, r := range rows {
		if n[r.Resource] == nil {
			n[r.Resource] = map[string]bool{}
		}
		n[r.Resource][r.Verb] = true
	}
	best := ""
	for name, verbs := range n {
		if best == "" || len(verbs) > len(n[best]) || len(verbs) == len(n[best]) && name < best {
			best = name
		}
	}
	if len(n["pods"]) > 0 {
		best = "pods"
	}
	return best
}

// verbs in the order of their names.
func verbs(rows []results.RequestRow) []string {
	var all []string
	for _, r := range rows {
		if !slices.Contains(all, r.Verb) {
			all = append(all, r.Verb)
		}
	}
	slices.Sort(all)
	return all
}

func path(r results.RequestRow) string {
	if r.Subresource != "" {
		return r.Resource + "/" + r.Subresource
	}
	return r.Resource
}

// barsShown is how many groups a chart has room for; the table of the page has all rows.
const barsShown = 14

// quantileBars draws the p50, p90 and p99 of rows with their intervals, the most frequent rows where there are too many.
func quantileBars(name, title string, rows []results.RequestRow, label func(results.RequestRow) string) chart.Chart {
	c := chart.Chart{Name: name, Title: title, Y: chart.Axis{Label: "latency", Unit: chart.Seconds, Log: true},
		Note: "From the planned instant to the end of the answer, of answers with a 2xx code in the measured phases. The lines on the bars are 95 % intervals; an end that is missing is open for want of samples. The axis is logarithmic: compare tops, not areas. A quantile that there are too few answers for (2, 10 and 100 are needed) is left out."}
	rows = slices.Clone(rows)
	if len(rows) > barsShown {
		slices.SortStableFunc(rows, func(a, b results.RequestRow) int { return cmp.Compare(b.N, a.N) })
		c.Note += fmt.Sprintf(" The %d most frequent of %d kinds are drawn.", barsShown, len(rows))
		rows = rows[:barsShown]
	}
	groups := make([]chart.BarSeries, 3)
	for i, name := range []string{"p50", "p90", "p99"} {
		groups[i].Name = name
	}
	for _, r := range rows {
		c.X.Categories = append(c.X.Categories, fmt.Sprintf("%s\nn %d", qualified(r, rows, label), r.Answered))
		for i, b := range []*results.Bounds{r.P50, r.P90, r.P99} {
			groups[i] = withBounds(groups[i], b)
		}
	}
	c.Layers = []chart.Layer{chart.Bars{Groups: groups}}
	return c
}

// withBounds adds a quantile with its interval to a series, nothing in its place where it is not known.
func withBounds(g chart.BarSeries, b *results.Bounds) chart.BarSeries {
	if b == nil || b.Least > 0 {
		b = &results.Bounds{Value: math.NaN()}
	}
	g.Values, g.Low, g.High = append(g.Values, b.Value), append(g.Low, bound(b.Low)), append(g.High, bound(b.High))
	return g
}

// qualified is a row's label with what tells it from others of the same label: scope, variant, loop.
func qualified(r results.RequestRow, rows []results.RequestRow, label func(results.RequestRow) string) string {
	name := label(r)
	same := pick(rows, func(o results.RequestRow) bool { return label(o) == name })
	if len(same) == 1 {
		return name
	}
	var more []string
	if slices.ContainsFunc(same, func(o results.RequestRow) bool { return o.Scope != r.Scope }) {
		more = append(more, r.Scope)
	}
	if r.Variant != "" {
		more = append(more, r.Variant)
	}
	if r.ClosedLoop {
		more = append(more, "closed")
	}
	if len(more) > 0 {
		name += "\n" + strings.Join(more, " ")
	}
	return name
}

// clientAndServer puts the client's p99 beside the bucket that the API server's own p99 lies in, for the most frequent calls
// that both have.
func clientAndServer(s results.Summary) []chart.Chart {
	c := chart.Chart{Name: "client-and-server", Title: "p99 as the client saw it, and as the API server says",
		Note: "The client's p99 with its 95 % interval counts from the planned instant, of the form of a call with the most answers, at least 100. The server's own is a histogram: its p99 lies somewhere in the bucket that the line spans, and its first bucket ends at 50 ms. The server's counts all callers, without the time in its queues and in webhooks.",
		Y:    chart.Axis{Label: "p99 latency", Unit: chart.Seconds, Log: true}}
	var client, server chart.BarSeries
	client.Name, server.Name = "client", "API server's own (bucket)"
	rows := slices.Clone(s.Server)
	slices.SortStableFunc(rows, func(a, b results.ServerRow) int { return cmp.Compare(b.N, a.N) })
	for _, r := range rows {
		own, ok := clientRow(s.Requests, r)
		if !ok || r.P99 == nil || len(c.X.Categories) >= barsShown {
			continue
		}
		c.X.Categories = append(c.X.Categories, fmt.Sprintf("%s %s\n%s", r.Verb, path(own), r.Scope))
		client = withBounds(client, own.P99)
		server = withBounds(server, r.P99)
	}
	if len(c.X.Categories) == 0 {
		return nil
	}
	c.Layers = []chart.Layer{chart.Bars{Groups: []chart.BarSeries{client, server}}}
	return []chart.Chart{c}
}

// clientRow is the client's most frequent row of a call of the server.
func clientRow(rows []results.RequestRow, of results.ServerRow) (results.RequestRow, bool) {
	var best results.RequestRow
	for _, r := range rows {
		if r.Verb == of.Verb && r.Group == of.Group && r.Resource == of.Resource && r.Subresource == of.Subresource && r.Scope == of.Scope && r.P99 != nil && r.P99.Least == 0 && r.Answered > best.Answered {
			best = r
		}
	}
	return best, best.Answered > 0
}
