package promql

import (
	"fmt"
	"math"
	"strings"
	"testing"
)

const sec = int64(1e9)

// memory is a source made by hand.
type memory map[string][]Series

func (m memory) Select(metric string) []Series { return m[metric] }

// add adds a series with a value every 10 s from 0 s on; one that is NaN is left out.
func (m memory) add(metric string, labels map[string]string, values ...float64) {
	s := Series{Labels: map[string]string{nameLabel: metric}}
	for k, v := range labels {
		s.Labels[k] = v
	}
	for i, v := range values {
		if !math.IsNaN(v) {
			s.Points = append(s.Points, Point{At: int64(i) * 10 * sec, Value: v})
		}
	}
	m[metric] = append(m[metric], s)
}

func example() memory {
	m := memory{}
	none := math.NaN()
	m.add("requests_total", map[string]string{"verb": "GET", "code": "200"}, 0, 10, 20, 30, 40, 50, 60)
	m.add("requests_total", map[string]string{"verb": "GET", "code": "500"}, 0, 0, 0, 1, 1, 1, 1)
	m.add("requests_total", map[string]string{"verb": "POST", "code": "200"}, 5, 7, 9, 1, 3, 5, 7) // started again between 20 s and 30 s
	m.add("late_total", nil, none, none, none, 3, 3, 6, 9)
	m.add("depth", map[string]string{"queue": "a"}, 1, 5, 3, 5, 2, 2, 4)
	m.add("depth", map[string]string{"queue": "b"}, 7, 7, 7, 7, 7, 7, 7)
	m.add("size", map[string]string{"queue": "a"}, 10, 10, 10, 10, 10, 10, 10)
	m.add("gone", nil, 1, 1, 1)
	for le, n := range map[string]float64{"0.1": 50, "1": 90, "2": 99, "+Inf": 100} {
		m.add("latency_bucket", map[string]string{"le": le, "job": "x"}, 0, 0, 0, 0, 0, 0, n)
	}
	return m
}

// show is an answer as text.
func show(samples []Sample) string {
	var all []string
	for _, s := range samples {
		var labels []string
		for pair := range strings.SplitSeq(strings.TrimSuffix(key(s.Labels), "\x00"), "\x00") {
			labels = append(labels, pair)
		}
		all = append(all, fmt.Sprintf("{%s} %.6g", strings.Join(labels, " "), s.Value))
	}
	return strings.Join(all, "; ")
}

// TestAnswers has values worked out by hand, at 60 s.
func TestAnswers(t *testing.T) {
	for query, want := range map[string]string{
		`depth`:                          "{__name__ depth queue a} 4; {__name__ depth queue b} 7",
		`depth{queue="a"}`:               "{__name__ depth queue a} 4",
		`{__name__="depth", queue!="a"}`: "{__name__ depth queue b} 7",
		`depth{queue=~"a|c"} offset 30s`: "{__name__ depth queue a} 5",
		`depth{queue!~".+"}`:             "",
		`depth{other=""}`:                "{__name__ depth queue a} 4; {__name__ depth queue b} 7",
		`1 + 2 * 3 ^ 2`:                  "{} 19",
		`-2 ^ 2`:                         "{} -4",
		`2 ^ 3 ^ 2`:                      "{} 512",
		`7 % 4 - -1`:                     "{} 4",
		`3 > bool 2`:                     "{} 1",
		`time()`:                         "{} 1060",
		`0x10 + 1e2 + .5`:                "{} 116.5",
		// The last 40 s have 5 points, 40 up, from its begin to its end.
		`increase(requests_total{code="200",verb="GET"}[40s])`: "{code 200 verb GET} 40",
		`rate(requests_total{code="200",verb="GET"}[40s])`:     "{code 200 verb GET} 1",
		// 9 → 1 is a restart: 7−9 = −2, and 9 that it had before: from 9 at 20 s to 7 at 60 s it went up by 7.
		`increase(requests_total{verb="POST"}[40s])`: "{code 200 verb POST} 7",
		`resets(requests_total{verb="POST"}[1m])`:    "{code 200 verb POST} 1",
		// From 30 s it went up by 6 in 30 s. It began half of 10 s before, as it was 3 then and would have been 0 only 15 s before.
		`increase(late_total[1m])`:                          "{} 7",
		`irate(late_total[1m])`:                             "{} 0.3",
		`idelta(late_total[1m])`:                            "{} 3",
		`delta(depth{queue="a"}[20s])`:                      "{queue a} 2",
		`deriv(requests_total{code="200",verb="GET"}[30s])`: "{code 200 verb GET} 1",
		`changes(depth[1m])`:                                "{queue a} 5; {queue b} 0",
		`max_over_time(depth[1m])`:                          "{queue a} 5; {queue b} 7",
		`min_over_time(depth[20s])`:                         "{queue a} 2; {queue b} 7",
		`avg_over_time(depth[1m])`:                          "{queue a} 3.14286; {queue b} 7",
		`sum_over_time(depth[20s])`:                         "{queue a} 8; {queue b} 21",
		`count_over_time(depth[1m])`:                        "{queue a} 7; {queue b} 7",
		`last_over_time(depth[1m])`:                         "{__name__ depth queue a} 4; {__name__ depth queue b} 7",
		`stddev_over_time(depth[10s])`:                      "{queue a} 1; {queue b} 0",
		// 1 2 2 3 4 5 5: the rank 5.4 is between 5 and 5, the rank 3 is 3.
		`quantile_over_time(0.5, depth{queue="a"}[1m])`: "{queue a} 3",
		`quantile_over_time(0.9, depth{queue="a"}[1m])`: "{queue a} 5",
		`sum(depth)`:                          "{} 11",
		`sum by (queue) (requests_total)`:     "{} 68",
		`sum by (verb) (requests_total)`:      "{verb GET} 61; {verb POST} 7",
		`sum(requests_total) without (code)`:  "{verb GET} 61; {verb POST} 7",
		`max(depth) - min(depth)`:             "{} 3",
		`avg(depth)`:                          "{} 5.5",
		`count(depth) + group(depth)`:         "{} 3",
		`stddev(depth)`:                       "{} 1.5",
		`quantile(0.5, depth)`:                "{} 5.5",
		`topk(1, depth)`:                      "{__name__ depth queue b} 7",
		`bottomk(1, depth)`:                   "{__name__ depth queue a} 4",
		`depth > 5`:                           "{__name__ depth queue b} 7",
		`5 < depth`:                           "{__name__ depth queue b} 7",
		`depth > bool 5`:                      "{queue a} 0; {queue b} 1",
		`depth / size`:                        "{queue a} 0.4",
		`depth * on (queue) size`:             "{queue a} 40",
		`sum(depth) / ignoring (x) sum(size)`: "{} 1.1",
		// All labels of the many, and of the one those that are asked for, whether it has them or not.
		`requests_total / on (verb) group_left sum by (verb) (requests_total)`:                        "{code 200 verb GET} 0.983607; {code 200 verb POST} 1; {code 500 verb GET} 0.0163934",
		`requests_total{code="500"} / ignoring (code) group_left sum without (code) (requests_total)`: "{code 500 verb GET} 0.0163934",
		`sum by (verb) (requests_total) / on (verb) group_right () requests_total`:                    "{code 200 verb GET} 1.01667; {code 200 verb POST} 1; {code 500 verb GET} 61",
		`depth * on () group_left (verb, code) sum by (verb) (requests_total{verb="POST"})`:           "{queue a verb POST} 28; {queue b verb POST} 49",
		`requests_total{code="200"} * on () group_left (code) vector(2)`:                              "{verb GET} 120; {verb POST} 14",
		// A comparison keeps the left side's value and the labels of the many, with the name.
		`requests_total > on (verb) group_left sum by (verb) (requests_total) * 0.5`: "{__name__ requests_total code 200 verb GET} 60; {__name__ requests_total code 200 verb POST} 7",
		`sum by (verb) (requests_total) > on (verb) group_right requests_total`:      "{__name__ requests_total code 200 verb GET} 61; {__name__ requests_total code 500 verb GET} 61",
		`requests_total > bool on (verb) group_left sum by (verb) (requests_total)`:  "{code 200 verb GET} 0; {code 200 verb POST} 0; {code 500 verb GET} 0",
		`depth and size`:             "{__name__ depth queue a} 4",
		`depth unless size`:          "{__name__ depth queue b} 7",
		`size or depth`:              "{__name__ depth queue b} 7; {__name__ size queue a} 10",
		`scalar(size) - max(depth)`:  "{} 3",
		`scalar(depth)`:              "{} NaN",
		`vector(1)`:                  "{} 1",
		`abs(depth{queue="a"} - 10)`: "{queue a} 6",
		`clamp_max(depth, 5)`:        "{queue a} 4; {queue b} 5",
		`clamp_min(depth, 5)`:        "{queue a} 5; {queue b} 7",
		`ceil(depth{queue="b"} / 2) + floor(depth{queue="b"} / 2)`:          "{queue b} 7",
		`ln(exp(size)) + log2(size / 1.25) + log10(size) + sqrt(size * 10)`: "{queue a} 24",
		// the rank 50 of 100 is at the end of the first bucket; 95 in the middle … 5/9 of the way from 1 to 2; 99.5 beyond the last bound
		`histogram_quantile(0.5, latency_bucket)`:                             "{job x} 0.1",
		`histogram_quantile(0.25, latency_bucket)`:                            "{job x} 0.05",
		`histogram_quantile(0.95, latency_bucket)`:                            "{job x} 1.55556",
		`histogram_quantile(0.995, sum by (le) (latency_bucket))`:             "{} 2",
		`histogram_quantile(0.5, depth)`:                                      "",
		`max_over_time(sum(depth)[1m:10s])`:                                   "{} 12",
		`max_over_time(sum(depth)[1m:])`:                                      "{} 12", // at 0 s, 30 s and 60 s: 8, 12, 11
		`quantile_over_time(0.5, sum(depth)[1m:30s])`:                         "{} 11",
		`max_over_time(sum(irate(requests_total{code="200"}[1m]))[40s:5s])`:   "{} 1.2",
		`max_over_time((scalar(max(size)) - max by (queue) (depth))[1m:10s])`: "{queue a} 9; {queue b} 3",
		`sum(increase(late_total[20s] offset 10s))`:                           "{} 3", // 3 3 6 from 30 s to 50 s
		`missing`:                   "",
		`sum(missing) / sum(depth)`: "",
		"sum by (queue) # a comment\n (depth{queue='a'})": "{queue a} 4",
	} {
		q, err := Parse(query)
		if err != nil {
			t.Errorf("%s: %v", query, err)
			continue
		}
		samples, err := q.At(example(), 60*sec, 1000)
		if got := show(samples); err != nil || got != want {
			t.Errorf("%s\n got %s, %v\nwant %s", query, got, err, want)
		}
	}
}

// TestAges: a value that is older than five minutes is none, nor is one of a series that ended.
func TestAges(t *testing.T) {
	q, err := Parse("gone")
	if err != nil {
		t.Fatal(err)
	}
	m := example()
	for at, want := range map[int64]int{20: 1, 320: 1, 321: 0} {
		if got, _ := q.At(m, at*sec, 0); len(got) != want {
			t.Errorf("at %d s: %v", at, got)
		}
	}
	m["gone"][0].Points = append(m["gone"][0].Points, Point{At: 30 * sec, Stale: true})
	if got, _ := q.At(m, 40*sec, 0); len(got) != 0 {
		t.Errorf("%v", got)
	}
	q, _ = Parse("count_over_time(gone[1m])")
	if got, _ := q.At(m, 40*sec, 0); len(got) != 1 || got[0].Value != 3 {
		t.Errorf("%v", got)
	}
}

func TestMistakes(t *testing.T) {
	for query, want := range map[string]string{
		"":                              "unexpected end",
		"sum(":                          "unexpected end",
		"sum(1)":                        "takes a vector",
		"rate(a)":                       "argument 1 is a vector",
		"a[5m]":                         "which is no answer",
		`"x"`:                           "which is no answer",
		"a[5]":                          "a duration was expected",
		"(a)[5m]":                       "only a selector",
		"((a))[5m] offset 1m":           "only a selector",
		"(a) offset 5m":                 "can have an offset",
		"sum(a)[5m]":                    "only a selector",
		"a[1m][1m]":                     "only a selector",
		"1 > 2":                         "needs bool",
		"a + bool b":                    "bool belongs to comparisons",
		"a and 1":                       "two vectors",
		"a and on (x) group_left b":     "group_left belongs to no and",
		"a * on (x) group_left (x) b":   "both in on and in group_left",
		"a * group_left b":              "unexpected",
		"a * on (x) group_right (1) b":  "a label was expected",
		"predict_linear(a[5m], 1)":      "not known here",
		"quantile_over_time(a[5m])":     "takes",
		`{x="y"}`:                       "without the name of a metric",
		`a{x=~"["}`:                     "missing closing",
		`a{x="y`:                        "does not end",
		`a{x>"y"}`:                      "is no operator of a selector",
		`a{x=y}`:                        "a string was expected",
		"a b":                           `unexpected "b"`,
		"a @ 5":                         `unexpected "@"`,
		"sum(a) offset 5m":              "can have an offset",
		"a[0s]":                         "more than 0",
		"a[99999999999999999999s]":      "is no duration",
		"max_over_time(a[100y:1ms])":    "million steps",
		strings.Repeat("(", 9999) + "1": "nested too deeply",
	} {
		_, err := Parse(query)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40s: %v, want %s", query, err, want)
		}
	}
}

// TestEnclosed: what stands in parentheses can have a subquery, and that an offset.
func TestEnclosed(t *testing.T) {
	for _, query := range []string{"count_over_time((depth)[1m:10s])", "count_over_time((depth)[1m:10s] offset 10s)", "(count_over_time(depth[1m]))", "(depth offset 10s)"} {
		q, err := Parse(query)
		if err != nil {
			t.Errorf("%s: %v", query, err)
			continue
		}
		if got, err := q.At(example(), 60*sec, 0); err != nil || len(got) == 0 {
			t.Errorf("%s: %v, %v", query, got, err)
		}
	}
}

// TestAmbiguous: where more than one sample matches there is no answer, rather than one of several.
func TestAmbiguous(t *testing.T) {
	for _, query := range []string{"requests_total / on (verb) requests_total", "depth / on () size", "size / on () depth",
		"depth * on () group_left requests_total", "requests_total * on () group_right depth", "requests_total * on () group_left (code) vector(2)"} {
		q, err := Parse(query)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := q.At(example(), 60*sec, 0); err == nil {
			t.Errorf("%s: %v", query, got)
		}
	}
}

// TestOver: the instants are multiples of the step, and a series has none where it has no value.
func TestOver(t *testing.T) {
	for query, want := range map[string]string{
		"depth":                  "{__name__ depth queue a} 30=5 45=2 60=4; {__name__ depth queue b} 30=7 45=7 60=7",
		"depth{queue=\"a\"} > 3": "{__name__ depth queue a} 30=5 60=4",
		"1 + 1":                  "{} 30=2 45=2 60=2",
		"missing":                "",
	} {
		q, err := Parse(query)
		if err != nil {
			t.Fatal(err)
		}
		all, err := q.Over(example(), 60*sec, 40*sec, 15*sec, 0)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, s := range all {
			text, _, _ := strings.Cut(show([]Sample{{s.Labels, 0}}), "} ")
			text += "}"
			for _, p := range s.Points {
				text += fmt.Sprintf(" %d=%g", p.At/sec, p.Value)
			}
			got = append(got, text)
		}
		if text := strings.Join(got, "; "); text != want {
			t.Errorf("%s: %s, want %s", query, text, want)
		}
	}
}

func TestMetrics(t *testing.T) {
	q, err := Parse(`sum(rate(a[1m])) / sum(rate(b{x="y"}[1m])) > scalar(max(a))`)
	if err != nil || fmt.Sprint(q.Metrics()) != "[a b]" {
		t.Errorf("%v, %v", q, err)
	}
}

// FuzzParse: whatever is taken has an answer or an error.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{`sum by (a) (rate(b{c=~"d|e"}[5m:30s] offset 1m))`, "1 + 2 ^ -3", `histogram_quantile(0.9, x)`, "a and b or c unless d", `'\''`, "a[1m:1s]"} {
		f.Add(seed)
	}
	m := example()
	f.Fuzz(func(t *testing.T, query string) {
		q, err := Parse(query)
		if err != nil || strings.Contains(query, "[") && len(query) > 60 {
			return // subqueries of subqueries take their time
		}
		_, _ = q.At(m, 60*sec, 0)
	})
}
