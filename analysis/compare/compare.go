package compare

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"windtunnel/analysis/stats"
)

// Verdict is what a comparison says, of one figure or of all together.
type Verdict string

// The verdicts. There is none that says that nothing changed: that cannot be shown.
const (
	Regression  Verdict = "regression"  // a change for the worse was shown, and it matters
	Improvement Verdict = "improvement" // a change for the better was shown, and it matters
	Small       Verdict = "small"       // a change was shown, and it is less than what matters
	NotShown    Verdict = "not shown"   // no change was shown
	Unknown     Verdict = "cannot tell" // with so few runs no change could have been shown
)

// Format is the version of Comparison's shape in JSON.
const Format = 1

// Options are the choices of a comparison; the zero value is documented field by field.
type Options struct {
	Level         float64   // family-wise probability of showing a change where there is none; 0: 0.05
	Figures       []Pattern // those to compare, any of them; none: all
	LeastRelative *float64  // share of the base's median from which a change matters; nil: the figure's own
	Differ        []string  // paths of traits in which the sides may differ
	Force         bool      // compare unlike runs
}

// Comparison is the whole answer. Numbers are in base units: seconds, bytes, fractions.
type Comparison struct {
	Format   int     `json:"format"`
	Verdict  Verdict `json:"verdict"`  // the worst of the rows: regression, improvement, small, not shown, cannot tell
	Sentence string  `json:"sentence"` // the answer in words
	Profile  string  `json:"profile"`
	Base     Side    `json:"base"`
	New      Side    `json:"new"`
	Level    float64 `json:"level"`
	// Family is how many figures could have shown a change, and are corrected for. Needed is the least number of runs a
	// side with which one of so many figures can.
	Family      int          `json:"family"`
	Needed      int          `json:"neededRuns"`
	Differences []Difference `json:"differences"` // of the sides' traits, named or forced
	Rows        []Row        `json:"rows"`
	OnlyBase    []string     `json:"onlyBase"` // figures that only runs of the base have
	OnlyNew     []string     `json:"onlyNew"`
	Notes       []string     `json:"notes"`
	Gates       []GateResult `json:"gates,omitempty"`
}

// Side is what stands on one side.
type Side struct {
	Runs    []RunID   `json:"runs"`
	LeftOut []LeftOut `json:"leftOut"` // runs that are invalid
}

// RunID names a run.
type RunID struct {
	ID      string `json:"id"`
	Started string `json:"started"` // RFC 3339
	Seed    uint64 `json:"seed"`
}

// LeftOut is a run that was not compared, and why.
type LeftOut struct {
	ID      string   `json:"id"`
	Reasons []string `json:"reasons"`
}

// String is the run with the first of the reasons.
func (l LeftOut) String() string {
	s := l.ID + " is invalid: " + l.Reasons[0]
	if n := len(l.Reasons) - 1; n > 0 {
		s += fmt.Sprintf(" (and %d more)", n)
	}
	return s
}

// Row is one figure on both sides.
type Row struct {
	Figure
	Base   Sample `json:"base"`
	New    Sample `json:"new"`
	Change Change `json:"change"`
	// P is of the two-sided rank test of the runs' values, LeastP the smallest that they could have given, AdjustedP P after Holm's
	// correction for the family.
	P         float64 `json:"p"`
	LeastP    float64 `json:"leastP"`
	AdjustedP float64 `json:"adjustedP"`
	Method    string  `json:"method"` // of P: exact | normal
	// Delta is Cliff's: 1 when every value of new is above every one of base, −1 when below, 0 when they lie alike.
	Delta   float64 `json:"cliffsDelta"`
	Verdict Verdict `json:"verdict"`
	// Apart says that the sides do not overlap: with several runs every value of one is beyond every value of the other, with one run
	// a side their intervals within the run are. It is what to look at where the verdict cannot tell.
	Apart bool `json:"apart"`
}

// Sample is one figure in the runs of one side.
type Sample struct {
	N      int       `json:"n"` // runs that have it
	Median float64   `json:"median"`
	Low    *float64  `json:"low"` // of the median's 95 % interval; null with fewer than 6 runs
	High   *float64  `json:"high"`
	Values []float64 `json:"values"` // in the order of the runs
	// WithinRun says that N is 1 and that Low and High are the interval within that run, which knows nothing of the scatter
	// from run to run.
	WithinRun bool `json:"withinRun,omitempty"`
}

// Change is how new differs from base, by Hodges and Lehmann's estimate with its 95 % interval; null with fewer than 4 runs a side.
type Change struct {
	Kind  string   `json:"kind"`  // ratio: Value is new/base | difference: Value is new − base, in the figure's unit
	Value float64  `json:"value"` // of a ratio 1, of a difference 0 is no change
	Low   *float64 `json:"low"`
	High  *float64 `json:"high"`
	// Relative is the change as a share of the base's median, 0.05 for 5 % more; null where that median is 0.
	Relative *float64 `json:"relative"`
	absolute float64
}

// relative is the size of the change as a share of the base's median, +∞ where that is 0.
func (c Change) relative() float64 {
	if c.Relative == nil {
		return math.Inf(1)
	}
	return math.Abs(*c.Relative)
}

// ErrNoRuns says that a side has no run that proves anything.
var ErrNoRuns = errors.New("no valid run")

// Compare compares the runs of two sides. Invalid runs are left out by name; when a side has no other it is ErrNoRuns. Runs that are
// not alike are *Unlike. The order of the runs changes nothing but the order of the values.
func Compare(base, new []Run, o Options) (Comparison, error) {
	if o.Level == 0 {
		o.Level = 1 - stats.Confidence
	}
	c := Comparison{Format: Format, Level: o.Level, Differences: []Difference{}, Rows: []Row{}, OnlyBase: []string{}, OnlyNew: []string{}, Notes: []string{}}
	var err error
	if base, c.Base, err = valid("base", base); err != nil {
		return Comparison{}, err
	}
	if new, c.New, err = valid("new", new); err != nil {
		return Comparison{}, err
	}
	ds, err := alike(base, new, o)
	if err != nil {
		return Comparison{}, err
	}
	c.Differences = append(c.Differences, ds...)
	c.Profile = base[0].Profile
	c.compareRows(base, new, o)
	c.judge()
	c.notes(base, new)
	c.Sentence = sentence(c)
	return c, nil
}

// valid leaves out the runs that prove nothing.
func valid(name string, runs []Run) ([]Run, Side, error) {
	side := Side{Runs: []RunID{}, LeftOut: []LeftOut{}}
	var kept []Run
	for _, r := range runs {
		if len(r.Invalid) > 0 {
			side.LeftOut = append(side.LeftOut, LeftOut{r.ID, r.Invalid})
			continue
		}
		kept = append(kept, r)
		side.Runs = append(side.Runs, RunID{r.ID, r.Started.UTC().Format("2006-01-02T15:04:05Z"), r.Seed})
	}
	if len(kept) > 0 {
		return kept, side, nil
	}
	err := fmt.Errorf("%s: %w", name, ErrNoRuns)
	for _, l := range side.LeftOut {
		err = fmt.Errorf("%w\n  %s", err, l)
	}
	return nil, side, err
}

// compareRows works out every row but its verdict.
func (c *Comparison) compareRows(base, new []Run, o Options) {
	for _, f := range figures(slices.Concat(base, new), o.Figures) {
		x, y := sampleOf(f, base), sampleOf(f, new)
		switch {
		case x.N == 0:
			c.OnlyNew = append(c.OnlyNew, f.String())
			continue
		case y.N == 0:
			c.OnlyBase = append(c.OnlyBase, f.String())
			continue
		}
		if o.LeastRelative != nil && f.Unit != "fraction" {
			f.LeastRelative = *o.LeastRelative
		}
		test := stats.MannWhitney(x.Values, y.Values)
		c.Rows = append(c.Rows, Row{Figure: f, Base: x, New: y, Change: changeOf(f, x, y), P: test.P, LeastP: test.Least, AdjustedP: 1, Method: test.Method,
			Delta: stats.CliffsDelta(x.Values, y.Values), Apart: apart(x, y)})
	}
}

// figures are those that any run has and a pattern means, in the order in which the runs show them.
func figures(runs []Run, patterns []Pattern) []Figure {
	var all []Figure
	seen := map[Figure]bool{}
	for _, r := range runs {
		for _, reading := range r.Readings {
			f := reading.Figure
			wanted := len(patterns) == 0 || slices.ContainsFunc(patterns, func(p Pattern) bool { return p.Match(f) })
			if wanted && !seen[f] {
				all = append(all, f)
			}
			seen[f] = true
		}
	}
	return all
}

func sampleOf(f Figure, runs []Run) Sample {
	var s Sample
	var only Value
	for _, r := range runs {
		for _, reading := range r.Readings {
			if reading.Figure == f {
				only = reading.Value
				s.Values = append(s.Values, reading.Value.Value)
			}
		}
	}
	if s.N = len(s.Values); s.N == 0 {
		return s
	}
	m := stats.Median(s.Values)
	s.Median = m.Value
	switch {
	case s.N == 1:
		s.WithinRun, s.Low, s.High = true, only.Low, only.High
	case m.Bounded():
		s.Low, s.High = &m.Low, &m.High
	}
	return s
}

func changeOf(f Figure, x, y Sample) Change {
	c := Change{Kind: "ratio"}
	estimate, ok := stats.Ratio(x.Values, y.Values)
	if ok && f.Unit != "fraction" {
		relative := estimate.Value - 1
		c.Relative, c.absolute = &relative, math.Abs(relative*x.Median)
	} else {
		estimate = stats.Shift(x.Values, y.Values)
		c.Kind, c.absolute = "difference", math.Abs(estimate.Value)
		if x.Median != 0 {
			relative := estimate.Value / math.Abs(x.Median)
			c.Relative = &relative
		}
	}
	c.Value = estimate.Value
	if estimate.Bounded() {
		c.Low, c.High = &estimate.Low, &estimate.High
	}
	return c
}

func apart(x, y Sample) bool {
	if x.N > 1 || y.N > 1 {
		return slices.Max(x.Values) < slices.Min(y.Values) || slices.Max(y.Values) < slices.Min(x.Values)
	}
	clear := func(below, above Sample) bool {
		return below.High != nil && above.Low != nil && *below.High < *above.Low
	}
	return clear(x, y) || clear(y, x)
}
