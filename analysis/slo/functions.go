package slo

import "slices"

// Function is a function of the language.
type Function struct {
	Name      string
	Signature string
	Kinds     []Kind // of metrics that it takes
	Unit      Unit   // of its value; empty: the metric's
	Text      string
}

// Functions are all functions, in the order of the manual.
func Functions() []Function {
	values := []Kind{Samples, Gauge}
	counted := []Kind{Samples, Events, Histogram}
	return []Function{
		{Name: "quantile", Signature: "quantile(q, metric)", Kinds: []Kind{Samples, Gauge, Histogram},
			Text: "the q-quantile, 0 < q < 1, by nearest rank, with its 95 % interval; of a histogram the bucket that it lies in"},
		{Name: "within", Signature: "within(metric, limit)", Kinds: []Kind{Samples, Gauge, Histogram}, Unit: Fraction,
			Text: "the part of the values that is at most the limit, with its 95 % interval; of a histogram the limit must be an edge of a bucket"},
		{Name: "mean", Signature: "mean(metric)", Kinds: values, Text: "the arithmetic mean"},
		{Name: "max", Signature: "max(metric)", Kinds: values, Text: "the largest value"},
		{Name: "min", Signature: "min(metric)", Kinds: values, Text: "the smallest value"},
		{Name: "count", Signature: "count(metric)", Kinds: counted, Unit: Number, Text: "how many there were"},
		{Name: "rate", Signature: "rate(metric)", Kinds: append(counted[:len(counted):len(counted)], Counter), Unit: PerSecond,
			Text: "how many there were a second, over the measured phases that the matchers of phase leave, and of a group by phase over its own; of a counter its rise a second"},
		{Name: "max_rate", Signature: "max_rate(metric, window)", Kinds: []Kind{Samples, Events}, Unit: PerSecond,
			Text: "the most in any window of that length, a second; no data where no measured phase is so long"},
		{Name: "increase", Signature: "increase(metric)", Kinds: []Kind{Counter}, Text: "how much a counter rose"},
		{Name: "ratio", Signature: "ratio(metric, metric)", Kinds: counted, Unit: Fraction,
			Text: "the number of the first by the number of the second; of errors and requests with its 95 % interval"},
		{Name: "good", Signature: "good(window, comparison)", Kinds: nil, Unit: Fraction,
			Text: "the part of the windows of that length, laid end to end from the begin of each measured phase, in which the comparison holds; windows without enough data do not count, but no events are 0 for `count`, `rate` and `max_rate`, and requests without answers are bad for `request_latency`"},
	}
}

func functionNames() []string {
	var names []string
	for _, f := range Functions() {
		names = append(names, f.Name)
	}
	return names
}

func functionNamed(name string) (Function, bool) {
	all := Functions()
	i := slices.IndexFunc(all, func(f Function) bool { return f.Name == name })
	if i < 0 {
		return Function{}, false
	}
	return all[i], true
}

// functionsOf are the names of the functions that take a kind of metric.
func functionsOf(k Kind) []string {
	var names []string
	for _, f := range Functions() {
		if slices.Contains(f.Kinds, k) {
			names = append(names, f.Name)
		}
	}
	return names
}
