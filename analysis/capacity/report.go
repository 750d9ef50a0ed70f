package capacity

import (
	"fmt"
	"slices"
	"strings"

	"windtunnel/analysis/stats"
	"windtunnel/results"
)

// Format is the version of capacity.json.
const Format = 1

// File is the name of a search's record in its directory.
const File = "capacity.json"

// Record is a search: what was asked, and every run so far. It is all that is needed to go on.
type Record struct {
	Format      int     `json:"format"`
	ID          string  `json:"id"` // <profile>-<axis>-<utc>-<id>, the directory's name
	Profile     string  `json:"profile"`
	Source      Source  `json:"source"`
	Axis        string  `json:"axis"`
	Unit        string  `json:"unit"`
	Description string  `json:"description,omitempty"` // of the axis
	Search      Search  `json:"search"`
	Started     string  `json:"started"` // RFC 3339, UTC
	Runs        []Point `json:"runs"`    // in order; each is a directory below runs/
	// Stopped says why the search ended, empty while it runs or was killed.
	Stopped string `json:"stopped,omitempty"`
	// Finished says that it came to its own end, and not to that of its budget or its user's patience.
	Finished bool `json:"finished"`
}

// Source is the profile as it was given.
type Source struct {
	File string   `json:"file"`
	Text string   `json:"text"`
	Sets []string `json:"sets,omitempty"`
	Seed uint64   `json:"seed"` // of the first run at each level; the second has the next one
}

// History is the runs as the search sees them.
func (r Record) History() []Outcome {
	all := make([]Outcome, len(r.Runs))
	for i, p := range r.Runs {
		all[i] = p.Outcome
	}
	return all
}

// SeedAt is the seed of the next run at a level: repeats have different ones, and all levels the same.
func (r Record) SeedAt(level float64) uint64 {
	seed := r.Source.Seed
	for _, p := range r.Runs {
		if p.Level == level {
			seed++
		}
	}
	return seed
}

// Report is a search with what follows from it: the content of capacity.json.
type Report struct {
	Record
	Answer   Answer    `json:"answer"`
	Levels   []Level   `json:"levels"`
	Law      *Law      `json:"law"`             // null when it cannot be fitted
	NoLaw    string    `json:"noLaw,omitempty"` // why not
	Findings []Finding `json:"findings"`        // what gave out first, strongest first
	// FindingsAt is the level whose runs the findings are about: Outside, or the lowest without a verdict when there is none.
	FindingsAt *float64          `json:"findingsAt"`
	Machine    results.Machine   `json:"environment"` // of the first run
	Versions   map[string]string `json:"versions"`
	Seconds    float64           `json:"seconds"` // of all runs together
}

// Level is what the runs at one level measured.
type Level struct {
	Tally
	// Trusted says that the figures are of runs that passed or failed; otherwise they are of runs that were invalid or had no
	// data, for want of better ones.
	Trusted       bool   `json:"trusted"`
	Within        Spread `json:"within"` // share of answers within the threshold, of the tightest required row
	Throughput    Spread `json:"throughput"`
	InFlight      Spread `json:"inFlight"`
	Mean          Spread `json:"mean"`
	P99           Spread `json:"p99"`
	Startup       Spread `json:"startup"` // 99th percentile of pod start-up
	PodsPerSecond Spread `json:"podsPerSecond"`
	Cores         Spread `json:"cores"`
}

// Spread is the median of some runs with the smallest and the largest; N is 0 when none has the figure.
type Spread struct {
	Median float64 `json:"median"`
	Least  float64 `json:"least"`
	Most   float64 `json:"most"`
	N      int     `json:"n"`
}

func spread(points []Point, value func(Point) (float64, bool)) Spread {
	var values []float64
	for _, p := range points {
		if v, ok := value(p); ok {
			values = append(values, v)
		}
	}
	if len(values) == 0 {
		return Spread{}
	}
	return Spread{Median: stats.Median(values).Value, Least: slices.Min(values), Most: slices.Max(values), N: len(values)}
}

// Analyse works out what a record shows. summaries are those of its runs, by id; a run without one counts by its verdict alone.
func Analyse(r Record, summaries map[string]results.Summary) Report {
	report := Report{Record: r, Answer: r.Search.Answer(r.History()), Findings: []Finding{}, Levels: []Level{}}
	for _, t := range report.Answer.Levels {
		report.Levels = append(report.Levels, levelOf(t, r.Runs))
	}
	report.Law, report.NoLaw = fitLaw(r.Runs, r.Source.Seed, r.Search.Confidence)
	at := func(level *float64) []results.Summary {
		var all []results.Summary
		for _, p := range r.Runs {
			if s, ok := summaries[p.Run]; ok && level != nil && p.Level == *level {
				all = append(all, s)
			}
		}
		return all
	}
	inside := slices.DeleteFunc(at(report.Answer.Inside), func(s results.Summary) bool { return s.Verdict != results.Pass })
	report.FindingsAt = report.Answer.Outside
	if report.FindingsAt == nil {
		report.FindingsAt = report.Answer.blank()
	}
	outside := slices.DeleteFunc(at(report.FindingsAt), func(s results.Summary) bool { return s.Verdict == results.Pass })
	if len(outside) > 0 {
		load := 1.0
		if report.Answer.Inside != nil {
			load = *report.FindingsAt / *report.Answer.Inside
		}
		report.Findings = append(report.Findings, Findings(inside, outside, load)...)
	}
	for i, p := range r.Runs {
		s := summaries[p.Run]
		report.Seconds += s.Run.Seconds
		if i == 0 {
			report.Machine, report.Versions = s.Run.Machine, s.Run.Versions
		}
	}
	return report
}

func levelOf(t Tally, runs []Point) Level {
	var decided, all []Point
	for _, p := range runs {
		if p.Level != t.Level || p.Seconds == 0 {
			continue
		}
		all = append(all, p)
		if p.Verdict == results.Pass || p.Verdict == results.Fail {
			decided = append(decided, p)
		}
	}
	l := Level{Tally: t, Trusted: len(decided) > 0}
	if !l.Trusted {
		decided = all
	}
	l.Within = spread(decided, func(p Point) (float64, bool) {
		if p.Tightest == nil {
			return 0, false
		}
		return p.Tightest.Within, true
	})
	l.Throughput = spread(decided, func(p Point) (float64, bool) { return p.Traffic.Throughput, answered(p) })
	l.InFlight = spread(decided, func(p Point) (float64, bool) { return p.Traffic.InFlight, answered(p) })
	l.Mean = spread(decided, func(p Point) (float64, bool) { return p.Traffic.Mean, answered(p) })
	l.P99 = spread(decided, func(p Point) (float64, bool) { return p.Traffic.P99, answered(p) })
	l.PodsPerSecond = spread(decided, func(p Point) (float64, bool) { return p.PodsPerSecond, p.PodsPerSecond > 0 })
	l.Cores = spread(decided, func(p Point) (float64, bool) { return p.Used(), len(p.Cores) > 0 })
	l.Startup = spread(decided, func(p Point) (float64, bool) {
		if p.Startup == nil {
			return 0, false
		}
		return p.Startup.Value, true
	})
	return l
}

// Sentences are the answer for people, the most important first.
func (r Report) Sentences() []string {
	all := []string{r.insideSentence(), r.outsideSentence()}
	if r.Law != nil {
		all = append(all, r.lawSentence())
	}
	if r.FindingsAt != nil {
		all = append(all, r.firstToGive())
	}
	return slices.DeleteFunc(all, func(s string) bool { return s == "" })
}

// level is a level with its unit.
func (r Report) level(v float64) string { return strings.TrimSpace(fmt.Sprintf("%.10g %s", v, r.Unit)) }

func (r Report) insideSentence() string {
	a := r.Answer
	switch {
	case a.Inside == nil && len(r.Runs) == 0:
		return "Nothing was run."
	case a.Inside == nil && a.Outside == nil && a.blank() != nil:
		return "No run gave a verdict, so that no level is shown to be inside or outside the SLO."
	case a.Inside == nil && len(r.Search.Levels) > 0 && !r.Finished:
		return "No level has all its runs, so that none is shown to be inside the SLO."
	case a.Inside == nil:
		return "No level was shown to be inside the SLO."
	case !a.Confirmed:
		return fmt.Sprintf("The largest %s that passed is %s; it is not confirmed (%d of %d fresh runs passed).", r.Axis, r.level(*a.Inside), a.Passed, r.Search.Repeats)
	}
	text := fmt.Sprintf("The largest %s inside the SLO is %s: %d of %s passed, so that with %g %% confidence at least %.1f %% of runs at this level pass.",
		r.Axis, r.level(*a.Inside), a.Passed, count(a.Runs, "run"), 100*a.Confidence, 100*a.Bound)
	if len(r.Search.Levels) > 0 && a.Outside == nil && *a.Inside == slices.Max(r.Search.Levels) || len(r.Search.Levels) == 0 && *a.Inside >= r.Search.Last() {
		text += " It is also the largest that was tried: the capacity may be larger."
	}
	return text
}

func (r Report) outsideSentence() string {
	a := r.Answer
	switch {
	case a.Outside == nil:
		return ""
	case a.OutsideUndecided && a.at(*a.Outside).failed():
		t := a.at(*a.Outside)
		return fmt.Sprintf("At the next level tried, %s, the harness or the machine gave out: %d of %s did not come to their measured phases.", r.level(*a.Outside), t.Failed, count(t.undecided(), "run"))
	case a.OutsideUndecided:
		return fmt.Sprintf("The next level tried, %s, gave no verdict: its runs were invalid or had no data.", r.level(*a.Outside))
	case a.OutsidePassed == 0:
		return fmt.Sprintf("The first level outside is %s: none of its %s passed; with %g %% confidence at most %.1f %% do.", r.level(*a.Outside), count(a.OutsideRuns, "run"), 100*a.Confidence, 100*a.OutsideBound)
	}
	return fmt.Sprintf("The first level not shown to be inside is %s: %d of %d runs passed; with %g %% confidence at most %.1f %% do.", r.level(*a.Outside), a.OutsidePassed, a.OutsideRuns, 100*a.Confidence, 100*a.OutsideBound)
}

func (r Report) lawSentence() string {
	l := r.Law
	ends := func(e [2]*float64) string {
		one := func(v *float64) string {
			if v == nil {
				return "∞"
			}
			return fmt.Sprintf("%.4g", *v)
		}
		return fmt.Sprintf("[%s, %s]", one(e[0]), one(e[1]))
	}
	switch {
	case l.Knee != nil:
		beyond := ""
		if *l.Knee > l.To {
			beyond = fmt.Sprintf(" This is extrapolated: no more than %.3g were measured.", l.To)
		}
		return fmt.Sprintf("The knee of the scalability law is at %.3g requests under way %s, where throughput is largest: %.4g answers/s %s (R² %.3f, %d runs).%s",
			*l.Knee, ends(l.KneeEnds), *l.Peak, ends(l.PeakEnds), l.R2, l.N, beyond)
	case l.Peak != nil:
		return fmt.Sprintf("The scalability law has no knee: throughput nears %.4g answers/s %s (R² %.3f, %d runs).", *l.Peak, ends(l.PeakEnds), l.R2, l.N)
	}
	return fmt.Sprintf("The scalability law shows no limit of throughput in the measured range (R² %.3f, %d runs).", l.R2, l.N)
}

// firstToGive names what gave out first. Where the runs outside were no measurement, that is the harness.
func (r Report) firstToGive() string {
	var violated, strongest *Finding
	for i, f := range r.Findings {
		switch {
		case f.Rank == Harness && (r.Answer.Outside == nil || r.Answer.OutsideUndecided):
			return "The harness gave out first, not the system: " + f.Text
		case f.Rank == Violated && violated == nil:
			violated = &r.Findings[i]
		case (f.Rank == GaveOut || f.Rank == Slow || f.Rank == Near) && strongest == nil:
			strongest = &r.Findings[i]
		}
	}
	text := ""
	if violated != nil {
		text = "Violated first: " + violated.Text + ". "
	}
	switch {
	case strongest == nil && violated == nil:
		return ""
	case strongest == nil:
		return text + "No component was seen at a known limit."
	case strongest.Rank == Slow:
		return text + "Slow there: " + strongest.Text + "."
	case strongest.Rank == Near:
		return text + "Nearest to its limit: " + strongest.Text + "."
	}
	return text + "At its limit: " + strongest.Text + "."
}

// count is a number of things.
func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
