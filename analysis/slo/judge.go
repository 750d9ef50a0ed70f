package slo

import (
	"fmt"
	"math"
	"slices"

	"windtunnel/results"
)

// Report is a run judged by a file.
type Report struct {
	Run      string          `json:"run"`
	SLO      string          `json:"slo"` // the file's name field
	Verdict  results.Verdict `json:"verdict"`
	Validity results.Verdict `json:"validity"` // of the run: what is not valid is not judged
	Results  []Result        `json:"objectives"`
	// NotMeasured are what the file says cannot be measured here.
	NotMeasured []NotMeasured `json:"notMeasured,omitempty"`
	Notes       []string      `json:"notes,omitempty"` // what a reader of the figures must know, such as restarts
}

// Result is one objective.
type Result struct {
	Name       string          `json:"name"`
	Expression string          `json:"expression"`
	Unit       Unit            `json:"unit"`                 // of everything measured
	Comparison string          `json:"comparison,omitempty"` // <=, >= and so on; empty: only observed
	Threshold  *float64        `json:"threshold,omitempty"`
	Interval   string          `json:"interval,omitempty"` // what low and high are: a confidence interval of 95 %, or the bucket of a histogram
	By         []string        `json:"by,omitempty"`       // the labels that it is divided by
	MinSamples int64           `json:"minSamples"`
	Required   bool            `json:"required"` // it decides
	Verdict    results.Verdict `json:"verdict"`
	Rows       []Row           `json:"rows"`
	Note       string          `json:"note,omitempty"`
}

// Row is one group of an objective; one that is not divided has one row.
type Row struct {
	Group    map[string]string `json:"group,omitempty"`
	Measured *float64          `json:"measured"` // null without data, and where it is beyond any number
	Low      *float64          `json:"low"`      // 95 % interval where there is one; of a histogram's quantile the bucket
	High     *float64          `json:"high"`
	Margin   *float64          `json:"margin"` // from the limit to what was measured, positive inside
	N        int64             `json:"n"`
	// Effective is how many independent samples would tell as much, where that is known.
	Effective float64 `json:"effective,omitempty"`
	// Shown is whether the whole interval is on the side of the verdict, so that it is more than measured; null without an interval.
	Shown    *bool           `json:"shown"`
	Verdict  results.Verdict `json:"verdict"`
	Required bool            `json:"required"`          // it decides
	IfValid  results.Verdict `json:"ifValid,omitempty"` // of a run that is not valid: what the verdict would be
	Note     string          `json:"note,omitempty"`

	excused bool // it has too few samples, and the objective lets such groups be
}

// Judge judges a run. A verdict is by the definition of the objective, which is about the point estimate; Shown says whether the
// interval bears it out.
func Judge(f *File, d Data) Report {
	r := Report{Run: d.Run, SLO: f.Name, Validity: d.Validity, NotMeasured: f.NotMeasured, Notes: d.Notes}
	for _, o := range f.Objectives {
		r.Results = append(r.Results, o.judge(d))
	}
	r.Verdict = overall(d.Validity, r.Results)
	return r
}

func (o Objective) judge(d Data) Result {
	m := o.measure
	r := Result{Name: o.Name, Expression: o.Expression, Unit: m.unit, Comparison: m.compare, By: m.by, MinSamples: o.least(), Required: !o.Observe, Verdict: results.NotJudged}
	r.Interval = "95 % interval"
	if m.bucketed() {
		r.Interval = "bucket"
	}
	if m.compare != "" {
		r.Threshold = number(m.threshold)
	}
	for _, g := range d.groups(m) {
		row := o.row(d, g)
		if d.Validity != results.Pass && row.Verdict != results.NotJudged {
			row.IfValid, row.Verdict = row.Verdict, results.Invalid
		}
		r.Rows = append(r.Rows, row)
	}
	switch {
	case len(r.Rows) == 0:
		r.Note = d.nothing(m.selected()[0])
		r.Verdict = results.NoData
	case m.compare != "" && d.Validity != results.Pass:
		r.Verdict = results.Invalid
	case m.compare != "":
		r.Verdict = o.decide(r.Rows)
	}
	if r.Verdict == results.NoData && m.compare == "" {
		r.Verdict = results.NotJudged
	}
	return r
}

// decide is the verdict over the groups: one that fails, fails it, and one without data leaves it open. With fewSamples: observe
// groups that have too little data are shown only, as long as there is one that has enough.
func (o Objective) decide(rows []Row) results.Verdict {
	has := func(v results.Verdict) bool {
		return slices.ContainsFunc(rows, func(r Row) bool { return r.Verdict == v })
	}
	switch {
	case has(results.Fail):
		return results.Fail
	case !has(results.Pass), slices.ContainsFunc(rows, func(r Row) bool { return r.Verdict == results.NoData && !r.excused }):
		return results.NoData
	}
	return results.Pass
}

// row judges one group.
func (o Objective) row(d Data, g group) Row {
	m := o.measure
	f := d.evaluate(m, g)
	row := Row{Group: g.labels, Measured: f.value, Low: f.low, High: f.high, N: f.n, Effective: f.effective, Note: f.note, Required: !o.Observe, Verdict: results.NotJudged}
	if m.compare == "" {
		return row
	}
	row.Verdict = results.NoData
	switch {
	case f.value == nil && !f.endless:
	case f.n < o.least():
		row.Note = fmt.Sprintf("%d samples, %d are needed", f.n, o.least())
	case m.bucketed() && !m.decided(f):
		row.Note = fmt.Sprintf("undecided: the limit %s lies in the bucket of the quantile", m.unit.Format(m.threshold))
	case m.holds(f):
		row.Verdict = results.Pass
	default:
		row.Verdict = results.Fail
	}
	switch {
	case f.endless && m.bucketed():
		row.Note = "it lies beyond the last edge of the histogram"
	case f.endless:
		row.Note = "it lies among the pods that never ran"
	}
	if row.Verdict == results.NoData && o.FewSamples == Observe && (f.few || f.n < o.least()) {
		row.excused, row.Required = true, false
	}
	if f.value != nil {
		row.Margin = m.margin(*f.value)
	}
	row.Shown = m.shown(f, row.Verdict)
	return row
}

// bucketed tells that a value is known only as the bucket that it lies in.
func (m *measure) bucketed() bool {
	return m.function == "quantile" && m.on.metric.Kind == Histogram
}

// decided tells whether all values of a bucket, which are above its lower edge and at most its upper one, are on one side of the limit.
func (m *measure) decided(f found) bool {
	high := math.Inf(1)
	if f.high != nil {
		high = *f.high
	}
	if m.compare == "<=" || m.compare == ">" {
		return high <= m.threshold || *f.low >= m.threshold
	}
	return high < m.threshold || *f.low >= m.threshold
}

// margin is how far inside of the limit a value is; nil for == and !=, which have no inside.
func (m *measure) margin(v float64) *float64 {
	switch m.compare {
	case "<=", "<":
		return number(m.threshold - v)
	case ">=", ">":
		return number(v - m.threshold)
	}
	return nil
}

// shown tells whether the interval is wholly on the side of the verdict. A bound that the sample could not give is open: on that
// side nothing is shown.
func (m *measure) shown(f found, v results.Verdict) *bool {
	if f.low == nil && f.high == nil || m.margin(0) == nil || v != results.Pass && v != results.Fail {
		return nil
	}
	if m.bucketed() {
		certain := true // or there were no verdict
		return &certain
	}
	below := m.compare == "<=" || m.compare == "<"
	far := f.low // the bound that is nearer to the other side
	if below == (v == results.Pass) {
		far = f.high
	}
	shown := far != nil && m.inside(*far) == (v == results.Pass)
	return &shown
}

// overall is the verdict over all required objectives.
func overall(validity results.Verdict, all []Result) results.Verdict {
	required := slices.DeleteFunc(slices.Clone(all), func(r Result) bool { return !r.Required })
	has := func(v results.Verdict) bool {
		return slices.ContainsFunc(required, func(r Result) bool { return r.Verdict == v })
	}
	switch {
	case validity != results.Pass:
		return results.Invalid
	case len(required) == 0:
		return results.NotJudged
	case has(results.Fail):
		return results.Fail
	case has(results.NoData):
		return results.NoData
	}
	return results.Pass
}
