package promql

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// reference are series that begin late, end early, have gaps and go back, and what the engine of Prometheus 2.55.1 answered to questions about
// them (subqueries without a step at 30 s, in memory, to 12 digits).
type reference struct {
	Series []struct {
		Metric string
		Labels map[string]string
		Values map[string]float64 // by second
	}
	Answers []struct {
		Query  string
		At     float64           // seconds
		Answer map[string]string // by series, as Prometheus writes them
	}
}

// TestAsPrometheusAnswers holds the evaluator against Prometheus itself.
func TestAsPrometheusAnswers(t *testing.T) {
	data, err := os.ReadFile("testdata/reference.json")
	if err != nil {
		t.Fatal(err)
	}
	var r reference
	if err := json.Unmarshal(data, &r); err != nil {
		t.Fatal(err)
	}
	m := memory{}
	for _, s := range r.Series {
		one := Series{Labels: map[string]string{nameLabel: s.Metric}}
		maps.Copy(one.Labels, s.Labels)
		for at, v := range s.Values {
			second, err := strconv.ParseInt(at, 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			one.Points = append(one.Points, Point{At: second * sec, Value: v})
		}
		slices.SortFunc(one.Points, func(a, b Point) int { return int(a.At - b.At) })
		m[s.Metric] = append(m[s.Metric], one)
	}
	if len(r.Answers) < 400 {
		t.Errorf("only %d answers", len(r.Answers))
	}
	for _, a := range r.Answers {
		q, err := Parse(a.Query)
		if err != nil {
			t.Errorf("%s: %v", a.Query, err)
			continue
		}
		samples, err := q.At(m, int64(a.At*1e9), 0)
		if err != nil {
			t.Errorf("%s: %v", a.Query, err)
		}
		got := map[string]float64{}
		for _, s := range samples {
			got[written(s.Labels)] = s.Value
		}
		for series, text := range a.Answer {
			want, err := strconv.ParseFloat(text, 64)
			have, ok := got[series]
			if err != nil || !ok || math.IsNaN(have) != math.IsNaN(want) || !math.IsNaN(want) && have != want && math.Abs(have-want) > 1e-9*max(1, math.Abs(want)) {
				t.Errorf("%s at %g s: %s is %g, want %s", a.Query, a.At, series, have, text)
			}
		}
		if len(got) != len(a.Answer) {
			t.Errorf("%s at %g s: %d series, want %d", a.Query, a.At, len(got), len(a.Answer))
		}
	}
}

// written are labels as Prometheus writes a series.
func written(labels map[string]string) string {
	var pairs []string
	for _, k := range slices.Sorted(maps.Keys(labels)) {
		if k != nameLabel {
			pairs = append(pairs, fmt.Sprintf("%s=%q", k, labels[k]))
		}
	}
	return labels[nameLabel] + "{" + strings.Join(pairs, ", ") + "}"
}
