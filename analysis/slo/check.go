package slo

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"windtunnel/analysis/stats"
	"windtunnel/profiles"
)

// measure is a term that was checked and can be worked out.
type measure struct {
	function  string
	unit      Unit
	q         float64 // of quantile
	limit     float64 // of within, in the metric's unit
	window    float64 // of max_rate and good, in seconds
	on, over  *choice // over: the second of ratio
	inner     *measure
	by        []string
	compare   string // <=, … ; empty: only observed
	threshold float64
}

// choice is a selector that was checked.
type choice struct {
	metric Metric
	match  []match
}

type match struct {
	label string
	not   bool
	value string         // of = and !=
	re    *regexp.Regexp // of =~ and !~
}

func (m match) holds(value string) bool {
	if m.re != nil {
		return m.re.MatchString(value) != m.not
	}
	return (value == m.value) != m.not
}

// check turns an expression into a measure and names everything that is wrong with it. Only without mistakes is the measure whole.
func check(o objective) (*measure, []mistake) {
	c := &checker{}
	m := c.objective(o)
	return m, c.found
}

type checker struct{ found []mistake }

func (c *checker) add(at span, hint, format string, args ...any) {
	c.found = append(c.found, mistake{at, fmt.Sprintf(format, args...), hint})
}

func (c *checker) objective(o objective) *measure {
	m := c.term(o.term)
	if m == nil {
		return nil
	}
	if o.comparison == "" {
		return m
	}
	m.compare = o.comparison
	limit, wrong := o.limit.in(m.unit)
	if wrong != nil {
		if m.unit != "" {
			c.found = append(c.found, *wrong)
		}
		return m
	}
	m.threshold = limit
	if m.unit == Fraction && m.function != "ratio" && (limit < 0 || limit > 1) {
		c.add(o.limit.span, "one per cent is 1% or 0.01", "%s is not between 0%% and 100%%", o.limit)
	}
	return m
}

// term checks a call; nil when its function is not known.
func (c *checker) term(t term) *measure {
	f, known := functionNamed(t.name.text)
	if !known {
		hint := profiles.Suggest(t.name.text, functionNames())
		if _, isMetric := metricNamed(t.name.text); isMetric {
			hint = "it is a metric: write a function around it, such as count(" + t.name.text + ")"
		}
		c.add(t.name.span, hint, "there is no function %q", t.name.text)
		return nil
	}
	m := &measure{function: f.Name, unit: f.Unit}
	c.arguments(f, t, m)
	for _, label := range t.by {
		c.groupBy(m, label)
	}
	return m
}

// groupBy checks a label to group by.
func (c *checker) groupBy(m *measure, label token) {
	of := m.selected()
	for _, choice := range of {
		if _, known := choice.metric.label(label.text); !known {
			c.add(label.span, profiles.Suggest(label.text, choice.metric.labelNames()), "%s has no label %q", choice.metric.Name, label.text)
			return
		}
	}
	if slices.Contains(m.by, label.text) {
		c.add(label.span, "take it away", "the label %s is there twice", label.text)
		return
	}
	m.by = append(m.by, label.text)
}

// selected are the selectors of a measure.
func (m *measure) selected() []*choice {
	if m.inner != nil {
		return m.inner.selected()
	}
	return slices.DeleteFunc([]*choice{m.on, m.over}, func(s *choice) bool { return s == nil })
}

// arguments checks the arguments against the function's signature.
func (c *checker) arguments(f Function, t term, m *measure) {
	_, list, _ := strings.Cut(strings.TrimSuffix(f.Signature, ")"), "(")
	want := strings.Split(list, ", ")
	if len(t.arguments) != len(want) {
		c.add(t.name.span, "write "+f.Signature, "%s takes %s, not %d", f.Name, argumentCount(len(want)), len(t.arguments))
		return
	}
	for i, a := range t.arguments {
		switch want[i] {
		case "q":
			c.quantile(a, m)
		case "metric":
			c.metric(f, a, m)
		case "window":
			c.window(a, m)
		case "comparison":
			c.inner(a, m)
		}
	}
	// A limit's unit is that of the metric, which is known now.
	if i := slices.Index(want, "limit"); i >= 0 && m.on != nil {
		c.limit(t.arguments[i], m)
	}
}

func argumentCount(n int) string {
	if n == 1 {
		return "one argument"
	}
	return fmt.Sprintf("%d arguments", n)
}

func (c *checker) quantile(a argument, m *measure) {
	switch {
	case a.quantity == nil:
		c.add(a.span, "write quantile(0.99, …)", "the first argument of quantile is a number between 0 and 1")
	case a.quantity.unit == "%" && a.quantity.number > 0 && a.quantity.number < 100:
		m.q = shift(a.quantity.number, 0.01)
	case a.quantity.unit != "" && a.quantity.unit != "%":
		c.add(a.span, "write it without a unit, as in 0.99", "a quantile has no unit")
	case a.quantity.number <= 0 || a.quantity.number >= 1:
		hint := "the largest and smallest values are max(…) and min(…)"
		if n := a.quantity.number; n > 1 && n < 100 {
			hint = fmt.Sprintf("write %s", plain(shift(n, 0.01)))
		}
		c.add(a.span, hint, "a quantile is between 0 and 1, not %s", *a.quantity)
	default:
		m.q = a.quantity.number
	}
}

// leastWindow is in seconds.
const leastWindow = 0.001

func (c *checker) window(a argument, m *measure) {
	if a.quantity == nil {
		c.add(a.span, "write the length of the window, such as 1m", "a duration is expected")
		return
	}
	seconds, wrong := a.quantity.in(Seconds)
	switch {
	case wrong != nil:
		c.found = append(c.found, *wrong)
	case seconds < leastWindow:
		c.add(a.span, "", "a window is at least %s, not %s", Seconds.Format(leastWindow), *a.quantity)
	default:
		m.window = seconds
	}
}

func (c *checker) limit(a argument, m *measure) {
	if a.quantity == nil {
		c.add(a.span, "write the limit, such as 1s", "a quantity is expected")
		return
	}
	var wrong *mistake
	if m.limit, wrong = a.quantity.in(m.on.metric.Unit); wrong != nil {
		c.found = append(c.found, *wrong)
	}
}

// inner checks what good looks at in each window.
func (c *checker) inner(a argument, m *measure) {
	if a.objective == nil || a.objective.comparison == "" {
		c.add(a.span, "write good(1m, quantile(0.99, request_latency) <= 1s)", "the second argument of good is a comparison")
		return
	}
	if len(a.objective.term.by) > 0 {
		c.add(a.objective.term.by[0].span, "write by (…) behind good(…)", "the groups are those of good")
		return
	}
	m.inner = c.objective(*a.objective)
	if m.inner == nil {
		return
	}
	if m.inner.function == "good" {
		c.add(a.span, "", "good cannot look at good")
	}
	for _, choice := range m.inner.selected() {
		if choice.metric.Kind == Histogram {
			c.add(a.span, "request_latency has the instant of every request", "%s is known for whole phases only, not for windows", choice.metric.Name)
		}
	}
}

// metric checks a selector and that the function takes its kind.
func (c *checker) metric(f Function, a argument, m *measure) {
	if a.selector == nil {
		c.add(a.span, "write "+f.Signature, "a metric is expected")
		return
	}
	s := c.selector(*a.selector)
	if s == nil {
		return
	}
	if !slices.Contains(f.Kinds, s.metric.Kind) {
		c.add(a.selector.span, fmt.Sprintf("functions of %s: %s", s.metric.Kind, strings.Join(functionsOf(s.metric.Kind), ", ")), "%s takes no %s, and %s is one", f.Name, kindPhrase(s.metric.Kind), s.metric.Name)
		return // its unit would only give a second mistake
	}
	if m.unit == "" {
		m.unit = s.metric.Unit
	}
	if m.on == nil {
		m.on = s
	} else {
		m.over = s
	}
}

func kindPhrase(k Kind) string {
	switch k {
	case Samples:
		return "metric of samples"
	case Events:
		return "metric of events"
	}
	return string(k)
}

func (c *checker) selector(s selector) *choice {
	metric, known := metricNamed(s.metric.text)
	if !known {
		c.add(s.metric.span, profiles.Suggest(s.metric.text, metricNames()), "there is no metric %q", s.metric.text)
		return nil
	}
	out := &choice{metric: metric}
	for _, m := range s.matchers {
		label, known := metric.label(m.label.text)
		if !known {
			c.add(m.label.span, profiles.Suggest(m.label.text, metric.labelNames()), "%s has no label %q", metric.Name, m.label.text)
			continue
		}
		if one, ok := c.matcher(label, m); ok {
			out.match = append(out.match, one)
		}
	}
	if metric.Needs != "" {
		c.needs(s, out)
	}
	return out
}

// needs checks that a metric which is many things is told which, and gives a component's metric its kind and unit.
func (c *checker) needs(s selector, out *choice) {
	i := slices.IndexFunc(s.matchers, func(m matcher) bool { return m.label.text == out.metric.Needs && m.operator.kind == "=" })
	if i < 0 {
		c.add(s.metric.span, fmt.Sprintf("write %s{%s=\"…\"}", out.metric.Name, out.metric.Needs), "%s needs the label %s", out.metric.Name, out.metric.Needs)
		return
	}
	if out.metric.Name == ComponentMetric {
		out.metric.Kind, out.metric.Unit = componentMetric(s.matchers[i].value.text)
	}
}

// componentMetric is what Prometheus' naming says of a metric.
func componentMetric(name string) (Kind, Unit) {
	kind, unit := Gauge, Number
	base := name
	for _, suffix := range []string{"_total", "_count", "_sum"} {
		if rest, ok := strings.CutSuffix(name, suffix); ok {
			kind, base = Counter, rest
		}
	}
	switch {
	case strings.HasSuffix(name, "_count"):
	case strings.HasSuffix(base, "_seconds"):
		unit = Seconds
	case strings.HasSuffix(base, "_bytes"):
		unit = Bytes
	}
	return kind, unit
}

func (c *checker) matcher(label Label, m matcher) (match, bool) {
	one := match{label: label.Name, not: m.operator.kind[0] == '!', value: m.value.text}
	if strings.HasSuffix(m.operator.kind, "~") {
		re, err := regexp.Compile("^(?:" + m.value.text + ")$")
		if err != nil {
			c.add(m.value.span, "alternatives are written GET|LIST; the whole value must match", "%q is not a regular expression: %s", m.value.text, strings.TrimPrefix(err.Error(), "error parsing regexp: "))
			return one, false
		}
		one.re = re
		if len(label.Values) > 0 && !slices.ContainsFunc(label.Values, re.MatchString) {
			c.add(m.value.span, "one of: "+strings.Join(label.Values, ", "), "%q matches no %s", m.value.text, label.Name)
			return one, false
		}
		return one, true
	}
	if len(label.Values) > 0 && !slices.Contains(label.Values, m.value.text) {
		c.add(m.value.span, profiles.Suggest(m.value.text, label.Values), "%q is no %s", m.value.text, label.Name)
		return one, false
	}
	return one, true
}

// least is how many samples an objective needs where its file says nothing. A quantile or share needs as many as would show,
// with 95 % confidence, that it is kept if none of them were beyond the limit (299 at 99 %); all else needs one.
func (m *measure) least() int {
	share := 0.0
	switch {
	case m.function == "quantile":
		share = m.q
	case m.unit == Fraction && m.compare != "":
		share = m.threshold
	default:
		return 1
	}
	if n := stats.LeastToShow(max(share, 1-share)); n > 0 {
		return n
	}
	return 1 // all or none is required: no number shows that
}
