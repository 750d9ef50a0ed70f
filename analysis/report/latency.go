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
// resources. What the generator asks for itself is in none; watches, whose latency is another, have their own.
func latencyCharts(s analysis.Study) []chart.Chart {
	answered := pick(s.Summary.Requests, func(r results.RequestRow) bool { return r.Answered > 0 && r.Variant != "targets" })
	rows := pick(answered, func(r results.RequestRow) bool { return !watch(r) })
	var charts []chart.Chart
	if resource := mainResource(rows); resource != "" {
		of := pick(rows, func(r results.RequestRow) bool { return r.Resource == resource && r.Subresource == "" })
		charts = append(charts, quantilePoints("latency-by-verb", "Latency of "+resource+" by verb", toTheEnd, of, func(r results.RequestRow) string { return r.Verb })...)
	}
	for _, verb := range verbs(rows) {
		of := pick(rows, func(r results.RequestRow) bool { return r.Verb == verb })
		if len(of) < 2 {
			continue
		}
		charts = append(charts, quantilePoints("latency-"+strings.ToLower(verb), "Latency of "+verb+" by resource", toTheEnd, of, path)...)
	}
	charts = append(charts, quantilePoints("latency-watch", "Time to open a watch, by resource", "to the first byte of the answer, with which a watch is open", pick(answered, watch), func(r results.RequestRow) string {
		if r.Verb == "WATCH" {
			return path(r)
		}
		return r.Verb + " " + path(r)
	})...)
	return append(charts, clientAndServer(s)...)
}

// toTheEnd is what the latency of all requests but watches reaches to.
const toTheEnd = "to the end of the answer"

func watch(r results.RequestRow) bool { return r.Verb == "WATCH" || r.Verb == "WATCHLIST" }

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

// rowsDrawn is how many rows a chart has room for; the tables of the page have all.
const rowsDrawn = 14

// beside is how far apart the quantiles of a row stand, in points.
const beside = 9

// quantilePoints draws the p50, p90 and p99 of rows with their intervals, the most frequent rows where there are too many; those
// that no row has enough answers for are left out.
func quantilePoints(name, title, until string, rows []results.RequestRow, label func(results.RequestRow) string) []chart.Chart {
	c := chart.Chart{Name: name, Title: title, Y: chart.Axis{Label: "latency", Unit: chart.Seconds, Log: true},
		Note: "From the planned instant " + until + ", of answers with a 2xx code in the measured phases. The lines are 95 % intervals; an arrow is an end that is open for want of samples. The axis is logarithmic. A quantile that there are too few answers for (2, 10 and 100 are needed) is left out."}
	rows = slices.Clone(rows)
	if len(rows) > rowsDrawn {
		slices.SortStableFunc(rows, func(a, b results.RequestRow) int { return cmp.Compare(b.N, a.N) })
		c.Note += fmt.Sprintf(" The %d most frequent of %d request types are drawn.", rowsDrawn, len(rows))
		rows = rows[:rowsDrawn]
	}
	quantiles := make([]chart.Points, 3)
	for i, name := range []string{"p50", "p90", "p99"} {
		quantiles[i] = chart.Points{Series: chart.Series{Name: name, Slot: i + 1}, Beside: float64(i-1) * beside}
	}
	for i, r := range rows {
		c.X.Categories = append(c.X.Categories, fmt.Sprintf("%s\nn %d", qualified(r, rows, label), r.Answered))
		for j, b := range []*results.Bounds{r.P50, r.P90, r.P99} {
			addQuantile(&quantiles[j], i, b)
		}
	}
	for _, q := range quantiles {
		if len(q.Points) > 0 {
			c.Layers = append(c.Layers, q)
		}
	}
	if len(c.Layers) == 0 {
		return nil
	}
	return []chart.Chart{c}
}

// addQuantile adds a quantile with its interval in a category, nothing where it is not known.
func addQuantile(ps *chart.Points, category int, b *results.Bounds) {
	if b == nil || b.Least > 0 {
		return
	}
	ps.Points = append(ps.Points, chart.Point{X: float64(category), Y: b.Value})
	ps.Low, ps.High = append(ps.Low, bound(b.Low)), append(ps.High, bound(b.High))
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
// that both have. The client's is of all variants of a call, as the server's is.
func clientAndServer(s analysis.Study) []chart.Chart {
	c := chart.Chart{Name: "client-and-server", Title: "p99 as the client saw it, and as the API server says",
		Note: "The client's p99 with its 95 % interval counts from the planned instant, over all variants of a call. The server's own is known only to lie in the bucket of its histogram that the box spans; the first ends at 50 ms. It counts the callers that are not the client, too, and leaves out the time in its queues and in webhooks. n: answers to the client / counted by the server.",
		Y:    chart.Axis{Label: "p99 latency", Unit: chart.Seconds, Log: true}}
	client := chart.Points{Series: chart.Series{Name: "client"}, Beside: -beside / 2}
	server := chart.Ranges{Series: chart.Series{Name: "bucket of the API server's own"}, Beside: beside / 2}
	rows := slices.Clone(s.Summary.Server)
	slices.SortStableFunc(rows, func(a, b results.ServerRow) int { return cmp.Compare(b.N, a.N) })
	for _, r := range rows {
		own, ok := clientRow(s, r)
		if !ok || r.P99 == nil || r.P99.Least > 0 || r.P99.Low == nil || len(c.X.Categories) >= rowsDrawn {
			continue
		}
		i := len(c.X.Categories)
		c.X.Categories = append(c.X.Categories, fmt.Sprintf("%s %s\n%s\nn %d / %d", r.Verb, path(own), r.Scope, own.Answered, r.N))
		addQuantile(&client, i, own.P99)
		high := math.Inf(1)
		if r.P99.High != nil {
			high = *r.P99.High
		}
		server.X, server.Low, server.High = append(server.X, float64(i)), append(server.Low, *r.P99.Low), append(server.High, high)
	}
	if len(c.X.Categories) == 0 {
		return nil
	}
	c.Layers = []chart.Layer{server, client}
	return []chart.Chart{c}
}

// clientRow is the client's figures of a call of the server, of all its variants together, where there are enough for a p99.
func clientRow(s analysis.Study, of results.ServerRow) (results.RequestRow, bool) {
	for _, rows := range [][]results.RequestRow{s.Pooled, s.Summary.Requests} { // a call that is not pooled has one row
		for _, r := range rows {
			if r.Verb == of.Verb && r.Group == of.Group && r.Resource == of.Resource && r.Subresource == of.Subresource && r.Scope == of.Scope {
				return r, r.P99 != nil && r.P99.Least == 0
			}
		}
	}
	return results.RequestRow{}, false
}
