package clusterloader

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"windtunnel/analysis/promql"
)

// A query with aggregations is answered all along the measurement, and the file has an aggregation of what each series had.

// aggregationStep is how often it is answered, in nanoseconds.
const aggregationStep = int64(30 * time.Second)

// aggregation finds how the values of a series become one; nil for a name that none has. Percentiles are Perc and a number from 0 to 100.
func aggregation(name string) func([]float64) float64 {
	sum := func(values []float64) float64 {
		total := 0.0
		for _, v := range values {
			total += v
		}
		return total
	}
	switch lower := strings.ToLower(name); lower {
	case "max":
		return slices.Max[[]float64]
	case "min":
		return slices.Min[[]float64]
	case "sum":
		return sum
	case "avg":
		return func(values []float64) float64 { return sum(values) / float64(len(values)) }
	case "count":
		return func(values []float64) float64 { return float64(len(values)) }
	case "last":
		return func(values []float64) float64 { return values[len(values)-1] }
	default:
		text, ok := strings.CutPrefix(lower, "perc")
		if p, err := strconv.ParseFloat(text, 64); ok && err == nil && p >= 0 && p <= 100 {
			return func(values []float64) float64 { return promql.Quantile(p/100, values) }
		}
	}
	return nil
}

// mistakes are those of the queries, but for those that lack what is asked or cannot be parsed.
func (g genericParams) mistakes() []Mistake {
	var all []Mistake
	for i, q := range g.Queries {
		path := fmt.Sprintf("queries[%d]", i)
		switch {
		case q.Name == "" && len(q.Aggregations) == 0:
			all = append(all, Mistake{Param: path + ".name", Message: "a query without aggregations needs a name"})
		case q.Name == "" && len(g.Queries) > 1:
			all = append(all, Mistake{Param: path + ".name", Message: "each of several queries needs a name"})
		}
		for j, name := range q.Aggregations {
			if aggregation(name) == nil {
				all = append(all, Mistake{Param: fmt.Sprintf("%s.aggregations[%d]", path, j), Message: fmt.Sprintf("there is no aggregation %q: they are Max, Min, Avg, Sum, Count, Last and Perc with a number from 0 to 100", name)})
			}
		}
		if len(q.Aggregations) > 0 && q.Threshold != nil {
			all = append(all, Mistake{Param: path + ".threshold", Message: "of a query with aggregations nobody looks at the threshold", Warning: true})
		}
	}
	return all
}

// label is what messages call a query.
func (q genericQuery) label() string {
	if q.Name == "" {
		return strings.Join(q.Aggregations, ",")
	}
	return q.Name
}

// genericAnswer is one value, under its key in the file.
type genericAnswer struct {
	key    string
	labels map[string]string
	value  float64
}

// genericAnswers are the values of a query: of each series one, or one of each aggregation.
func (e *evidence) genericAnswers(q genericQuery, w window) ([]genericAnswer, error) {
	if len(q.Aggregations) > 0 {
		return e.aggregated(q, w)
	}
	samples, err := e.ask(q.Query, w)
	var all []genericAnswer
	for _, s := range samples {
		all = append(all, genericAnswer{q.Name, s.Labels, s.Value})
	}
	return all, err
}

// aggregated leaves out values that are none, and series that have no others, as the original does.
func (e *evidence) aggregated(q genericQuery, w window) ([]genericAnswer, error) {
	asked, err := e.question(q.Query, w)
	if err != nil {
		return nil, err
	}
	series, err := asked.Over(asked.source, asked.at, asked.length, aggregationStep, asked.base)
	if err != nil {
		return nil, fmt.Errorf("query %q: %w", asked.text, err)
	}
	var all []genericAnswer
	for _, s := range series {
		var values []float64
		for _, p := range s.Points {
			if !math.IsNaN(p.Value) {
				values = append(values, p.Value)
			}
		}
		for _, name := range q.Aggregations {
			if len(values) == 0 {
				break
			}
			a := genericAnswer{name, s.Labels, aggregation(name)(values)}
			if q.Name != "" {
				a.key = q.Name + "_" + name
			}
			if math.IsInf(a.value, 0) || math.IsNaN(a.value) {
				return nil, fmt.Errorf("query %q: %s is no number", asked.text, a.key)
			}
			all = append(all, a)
		}
	}
	return all, nil
}
