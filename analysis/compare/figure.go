package compare

import (
	"maps"
	"slices"
	"strings"

	"windtunnel/analysis/stats"
	"windtunnel/results"
)

// Better says which way a figure is good.
type Better string

// The ways.
const (
	Lower  Better = "lower"
	Higher Better = "higher"
)

// Figure is one thing that is compared: every run has one value of it.
type Figure struct {
	Section string `json:"section"` // client | server | watch | pod_startup | throughput | component
	Row     string `json:"row"`     // such as GET pods resource
	Name    string `json:"figure"`  // such as p99
	Unit    string `json:"unit"`    // s | bytes | fraction | pods/s | requests/s
	Better  Better `json:"better"`
	// A change matters when it is at least LeastRelative of the base's median and at least LeastAbsolute in the figure's unit.
	LeastRelative float64 `json:"leastRelative"`
	LeastAbsolute float64 `json:"leastAbsolute"`
}

// String is the figure's whole name, which patterns match.
func (f Figure) String() string { return f.Section + " " + f.Row + " " + f.Name }

// Value is what one run says of a figure, with what is known of it within that run (95 %); nil where it is not.
type Value struct {
	Value     float64
	Low, High *float64
}

// Reading is a figure of a run with its value.
type Reading struct {
	Figure
	Value
}

// What a change must be to matter, unless the user says otherwise.
const (
	leastRelative = 0.05
	leastLatency  = 0.0001 // seconds, of requests and watch events
	leastStartup  = 0.005  // seconds
	leastFraction = 0.001
	leastCPU      = 0.05    // seconds
	leastBytes    = 1 << 20 // of memory
)

// least is how many values a run needs for its q-quantile to be compared: three are to be expected beyond it. With fewer it is
// the luck of a few requests, which would only dilute what is tested.
func least(q float64) int64 { return 3 * int64(stats.LeastFor(q)) }

// Readings are the figures of a summary that its sample sizes carry, in the summary's order. The instrument's own CPU and memory are among
// them: when they change, so did the measuring.
func Readings(s results.Summary) []Reading {
	r := &readings{}
	r.clients(s)
	r.watches(s.Watches)
	r.startup(s.PodStartup)
	r.servers(s.Server)
	r.throughput(s.Throughput)
	r.components(s.Components)
	return r.all
}

type readings struct{ all []Reading }

func (r *readings) add(f Figure, v Value) { r.all = append(r.all, Reading{f, v}) }

// quantiles adds those of p50, p90 and p99 that n values carry.
func (r *readings) quantiles(section, row string, floor float64, n int64, p50, p90, p99 *results.Bounds) {
	for _, q := range []struct {
		name  string
		least int64
		b     *results.Bounds
	}{{"p50", least(0.50), p50}, {"p90", least(0.90), p90}, {"p99", least(0.99), p99}} {
		if q.b != nil && n >= q.least {
			r.add(Figure{section, row, q.name, "s", Lower, leastRelative, floor}, Value{q.b.Value, q.b.Low, q.b.High})
		}
	}
}

// share adds k of n as a fraction, of which a difference is looked at and not a ratio.
func (r *readings) share(section, row, name string, better Better, k, n int64) {
	low, high := stats.ProportionInterval(k, n)
	r.add(Figure{section, row, name, "fraction", better, 0, leastFraction}, Value{float64(k) / float64(n), &low, &high})
}

func (r *readings) clients(s results.Summary) {
	var users int64 // answers that users of closed loops had
	for _, c := range s.Requests {
		row := rowName(c.Verb, results.ResourcePath(c.Group, c.Resource, c.Subresource), c.Scope, c.Variant)
		if c.ClosedLoop {
			row += " (closed loop)"
			users += c.N - c.Errors
		}
		r.quantiles("client", row, leastLatency, c.N-c.Errors, c.P50, c.P90, c.P99)
		if n := c.N - notFailures(c.ErrorsBy); n > 0 {
			r.share("client", row, "errors", Lower, c.Errors-notFailures(c.ErrorsBy), n)
		}
	}
	if seconds := results.MeasuredSeconds(s.Phases); users > 0 && seconds > 0 {
		r.add(Figure{"throughput", "closed loops", "answers", "requests/s", Higher, leastRelative, 0}, Value{Value: float64(users) / seconds})
	}
}

// notFailures counts the classes that say nothing about the system under test: no target, canceled or dropped by the plan's end.
func notFailures(by map[string]int64) int64 { return by["no_target"] + by["canceled"] + by["dropped"] }

func (r *readings) watches(rows []results.WatchRow) {
	for _, w := range rows {
		r.quantiles("watch", rowName(w.Track, results.ResourcePath(w.Group, w.Resource, "")), leastLatency, w.N, w.P50, w.P90, w.P99)
	}
}

func (r *readings) startup(stages map[string]results.StageQuantiles) {
	for _, stage := range slices.Sorted(maps.Keys(stages)) {
		q := stages[stage]
		r.quantiles("pod_startup", stage, leastStartup, q.N, &q.P50, &q.P90, &q.P99)
	}
	// Quantiles are over the pods that ran: lost ones, often the slowest, would make them look better.
	total := stages["total"]
	if n := total.N + total.NeverRan; n >= least(0.50) {
		r.share("pod_startup", "pods", "never_ran", Lower, total.NeverRan, n)
	}
}

// servers adds the exact fraction of the server's own SLI within its threshold. Its quantiles are those of a histogram whose first
// edge is 50 ms: they say nothing that the client's do not say better.
func (r *readings) servers(rows []results.ServerRow) {
	for _, s := range rows {
		if s.N >= least(0.50) {
			r.share("server", rowName(s.Verb, results.ResourcePath(s.Group, s.Resource, s.Subresource), s.Scope), "within", Higher, int64(s.Within*float64(s.N)+0.5), s.N)
		}
	}
}

// throughput adds the scheduler's mean rate and the time until the last pod ran; the most in any window is the luck of one window.
func (r *readings) throughput(figures map[string]results.Figure) {
	if f, ok := figures["scheduled_mean"]; ok && f.N >= least(0.50) {
		r.add(Figure{"throughput", "pods", "scheduled_mean", f.Unit, Higher, leastRelative, 0}, Value{Value: f.Value})
	}
	if f, ok := figures["created_to_last_running"]; ok && f.N >= least(0.50) {
		r.add(Figure{"throughput", "pods", "created_to_last_running", f.Unit, Lower, leastRelative, leastStartup}, Value{Value: f.Value})
	}
}

func (r *readings) components(rows []results.ComponentUse) {
	for _, c := range rows {
		r.add(Figure{"component", c.Name, "cpu", "s", Lower, leastRelative, leastCPU}, Value{Value: c.CPUSeconds})
		r.add(Figure{"component", c.Name, c.Memory + "_peak", "bytes", Lower, leastRelative, leastBytes}, Value{Value: float64(c.PeakBytes)})
		r.add(Figure{"component", c.Name, c.Memory + "_mean", "bytes", Lower, leastRelative, leastBytes}, Value{Value: c.MeanBytes})
	}
}

// rowName joins what is there.
func rowName(parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(p string) bool { return p == "" }), " ")
}
