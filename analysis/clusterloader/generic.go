package clusterloader

import (
	"encoding/json"
	"fmt"
	"strings"
)

// genericQuery is one question of a GenericPrometheusQuery. The names of its parameters are told apart without regard to case, as are those
// of fields in Go's JSON.
type genericQuery struct {
	Name           string
	Query          string
	Aggregations   []string
	Threshold      *float64
	LowerBound     bool
	RequireSamples bool
}

type genericParams struct {
	MetricName, MetricVersion, Unit string
	Dimensions                      []string
	Queries                         []genericQuery
}

// decodeGeneric fails for values of a wrong type only.
func decodeGeneric(p params) (genericParams, error) {
	var g genericParams
	text, err := json.Marshal(p)
	if err == nil {
		err = json.Unmarshal(text, &g)
	}
	if err != nil {
		return g, fmt.Errorf("read the parameters: %w", err)
	}
	return g, nil
}

func readGeneric(p params) (genericParams, error) {
	g, err := decodeGeneric(p)
	switch {
	case err != nil:
		return g, err
	case g.MetricName == "" || g.MetricVersion == "" || g.Unit == "":
		return g, fmt.Errorf("metricName, metricVersion and unit are required")
	}
	for i, q := range g.Queries {
		if q.Query == "" {
			return g, fmt.Errorf("queries[%d]: query is required", i)
		}
	}
	for _, m := range g.mistakes() {
		if !m.Warning {
			return g, fmt.Errorf("%s: %s", m.Param, m.Message)
		}
	}
	return g, nil
}

func genericMetrics(p params) []string {
	g, err := readGeneric(p)
	if err != nil {
		return nil // also of a gather, whose parameters are not those of the start
	}
	var names []string
	for _, q := range g.Queries {
		names = append(names, queryMetrics(q.Query)...)
	}
	return names
}

// genericPrometheusQuery asks the queries of its start over the run's scrapes.
func genericPrometheusQuery(e *evidence, w window) finding {
	g, err := readGeneric(w.start.params)
	if err != nil {
		return failed(err)
	}
	enforced, err := w.gather.params.boolean("enableViolations", false)
	if err != nil {
		return failed(err)
	}
	f := finding{notEnforced: !enforced}
	data := PerfData{Version: g.MetricVersion, DataItems: []DataItem{}}
	places := map[string]int{} // of data items, by their dimensions
	for _, q := range g.Queries {
		answers, err := e.genericAnswers(q, w)
		if err != nil {
			f.errors = append(f.errors, q.label()+": "+err.Error())
			continue
		}
		if len(answers) == 0 {
			f.withoutSamples(q)
			continue
		}
		for _, a := range answers {
			labels, place := map[string]string{}, []string{}
			for _, d := range g.Dimensions {
				labels[d] = a.labels[d]
				place = append(place, a.labels[d])
			}
			key := strings.Join(place, "\x00")
			i, known := places[key]
			if !known {
				i = len(data.DataItems)
				places[key] = i
				data.DataItems = append(data.DataItems, DataItem{Data: map[string]float64{}, Unit: g.Unit, Labels: labels})
			}
			if before, twice := data.DataItems[i].Data[a.key]; twice {
				f.decides = true
				f.violate("%s: %g and %g for %v, where one value was to be", a.key, before, a.value, place)
			} else {
				data.DataItems[i].Data[a.key] = a.value
			}
			f.answer(q, strings.TrimSpace(a.key+" "+strings.Join(place, " ")), a.value, g.Unit)
		}
	}
	f.summaries = []summary{{"GenericPrometheusQuery " + g.MetricName, data}}
	return f
}

// withoutSamples is a query without an answer: a violation only where one is required. Where none is, it decides nothing.
func (f *finding) withoutSamples(q genericQuery) {
	if q.RequireSamples {
		f.decides = true
		f.violate("%s: the query has no samples, and some are required", q.label())
		return
	}
	f.note("%s: no samples, and none are required", q.label())
}

func (f *finding) answer(q genericQuery, name string, v float64, unit string) {
	if q.Threshold == nil || len(q.Aggregations) > 0 { // of which the original does not look at the threshold
		f.show(name, v, unit, 1)
		return
	}
	f.decides = true
	f.judge(name, v, unit, *q.Threshold, q.LowerBound, 1)
	switch {
	case q.LowerBound && v < *q.Threshold:
		f.violate("%s is %g, less than %g", name, v, *q.Threshold)
	case !q.LowerBound && v > *q.Threshold:
		f.violate("%s is %g, more than %g", name, v, *q.Threshold)
	}
}
