package analysis

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"windtunnel/results"
)

// TestTruncatedAnywhere cuts every record file of a run at many places: the summary always says so by name, is invalid, and
// counts as many records as the damage says were read.
func TestTruncatedAnywhere(t *testing.T) {
	h := wholeHistory()
	d := h.write(t)
	whole, err := Summarize(d)
	if err != nil || len(whole.Damage) > 0 {
		t.Fatal(err, whole.Damage)
	}
	read := regexp.MustCompile(`(\d+) records read`)
	for _, file := range d.StreamFiles() {
		data, err := os.ReadFile(d.Path(file))
		if err != nil {
			t.Fatal(err)
		}
		last := int64(-1)
		for _, size := range cuts(len(data)) {
			if err := os.WriteFile(d.Path(file), data[:size], 0o644); err != nil {
				t.Fatal(err)
			}
			s, err := Summarize(d)
			if err != nil {
				t.Fatalf("%s cut to %d bytes: %v", file, size, err)
			}
			if s.Verdict != results.Invalid || len(s.Damage) != 1 || !strings.HasPrefix(s.Damage[0], file+": ") {
				t.Fatalf("%s cut to %d of %d bytes: verdict %s, damage %q", file, size, len(data), s.Verdict, s.Damage)
			}
			m := read.FindStringSubmatch(s.Damage[0])
			if m == nil {
				t.Fatalf("%s cut to %d bytes: %q does not say how much was read", file, size, s.Damage)
			}
			n, _ := strconv.ParseInt(m[1], 10, 64)
			if n < last {
				t.Fatalf("%s cut to %d bytes: %d records, but %d of fewer bytes", file, size, n, last)
			}
			last = n
			if got := counted(s, file); got >= 0 && got != n {
				t.Fatalf("%s cut to %d bytes: %d records in the summary, but %q", file, size, got, s.Damage)
			}
		}
		if err := os.WriteFile(d.Path(file), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// cuts are sizes that a file is cut to: the first and last bytes, and some between.
func cuts(size int) []int {
	var all []int
	for i := 0; i < size; i++ {
		if i < 12 || i >= size-12 || i%(1+size/12) == 0 {
			all = append(all, i)
		}
	}
	return all
}

// counted is how many records of a file the summary's rows are made of; -1 where they do not say.
func counted(s results.Summary, file string) int64 {
	n := int64(0)
	switch file {
	case results.RequestsFile: // all are in the measured phase
		for _, r := range s.Requests {
			n += r.N
		}
	case results.WatchesFile:
		for _, r := range s.Watches {
			n += r.Events
		}
	case results.ProcessesFile:
		for _, c := range s.Components {
			n += c.Samples
		}
	default:
		return -1
	}
	return n
}

// TestMuseumIsSummedUp: a run of every old format still gives an answer.
func TestMuseumIsSummedUp(t *testing.T) {
	found, err := filepath.Glob("../results/testdata/museum/*/*/" + results.RunFile)
	if err != nil || len(found) < results.FormatVersion {
		t.Fatalf("%d runs, %v", len(found), err)
	}
	for _, file := range found {
		d, err := results.Open(filepath.Dir(file))
		if err != nil {
			t.Fatal(err)
		}
		s, err := Summarize(d)
		if err != nil || len(s.Damage) > 0 || len(s.Requests) == 0 || len(s.Components) == 0 {
			t.Errorf("%s: %v, damage %v, %d requests", file, err, s.Damage, len(s.Requests))
		}
	}
}

// TestNumbersThatAreNone: what a component shows as NaN or Inf is left out and counted, and the summary can be written.
func TestNumbersThatAreNone(t *testing.T) {
	h := wholeHistory()
	for i, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		h.metrics = append(h.metrics, results.Metric{At: 30*sec + int64(i), Component: "etcd", Name: "etcd_mvcc_db_total_size_in_bytes", Value: v},
			results.Metric{At: 30*sec + int64(i), Component: scheduler, Name: "workqueue_adds_total", Labels: `{name="a"}`, Value: v})
	}
	s := h.summarize(t)
	if _, err := json.Marshal(s); err != nil {
		t.Error(err)
	}
	if notes := strings.Join(s.Notes, "\n"); !strings.Contains(notes, "series/metrics.arrows: 6 values that are no numbers") {
		t.Errorf("notes %q", notes)
	}
}

// FuzzAudit gives the reader of the audit log anything: every line is an event or counted as bad.
func FuzzAudit(f *testing.F) {
	const event = `{"stage":"ResponseComplete","requestURI":"/api/v1/namespaces/a/pods/b","verb":"get","user":{"username":"windtunnel:user-0"},` +
		`"objectRef":{"resource":"pods","namespace":"a","name":"b"},"responseStatus":{"code":200},"requestReceivedTimestamp":"2026-01-02T03:04:30Z","stageTimestamp":"2026-01-02T03:04:31Z"}`
	f.Add([]byte(event + "\n" + event))
	f.Add([]byte(event[:len(event)/2]))
	f.Add([]byte("{}\nnull\n[]\n\x00\n" + strings.Replace(event, "objectRef", "x", 1)))
	f.Add([]byte(strings.Replace(event, `"code":200`, `"code":-1`, 1)))
	f.Fuzz(func(t *testing.T, data []byte) {
		base := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
		a := &auditLog{phases: window{{Name: "workload", Begin: 0, End: 60 * sec, Measured: true}}, base: base, kinds: map[auditKind]*auditSample{}}
		a.read(strings.NewReader(string(data)))
		lines := int64(strings.Count(string(data), "\n"))
		if len(data) > 0 && data[len(data)-1] != '\n' {
			lines++
		}
		rows := a.rows()
		n := a.streams + a.log.Bad
		for _, r := range rows {
			n += r.N
			if r.Errors > r.N || r.P99 != nil && r.P99.Value < 0 {
				t.Fatalf("%+v", r)
			}
		}
		if a.log.Lines != lines || n > lines || a.err != nil {
			t.Fatalf("%d lines, %d counted, %d read, error %v", lines, n, a.log.Lines, a.err)
		}
		if notes := fmt.Sprint(a.notes(true)); a.log.Bad > 0 && !strings.Contains(notes, fmt.Sprintf("%d of %d lines", a.log.Bad, lines)) {
			t.Fatalf("the notes do not name what is bad: %s", notes)
		}
	})
}

// FuzzLabelValue: a value that is found stands in the text, and nothing crashes.
func FuzzLabelValue(f *testing.F) {
	f.Add(`{code="200",verb="GET"}`, "verb")
	f.Add(`{a="x,b=\"y\"",b="z\\",c="line\nend"}`, "b")
	f.Add(`{a=`, "a")
	f.Fuzz(func(t *testing.T, labels, name string) {
		if v := labelValue(labels, name); v != "" && !strings.Contains(labels, name+"=") {
			t.Fatalf("%q in %q is %q", name, labels, v)
		}
	})
}

// FuzzScrape gives the reader of the API server's metrics anything: no crash, and no count below zero.
func FuzzScrape(f *testing.F) {
	f.Add([]byte(exposition(1000, sli("PATCH", "pods", "status", "resource", 10, 20, 30))))
	f.Add([]byte(sliMetric + `_bucket{le="NaN"} 1e400` + "\n"))
	f.Add([]byte("# TYPE " + sliMetric + " histogram\n" + sliMetric + `_bucket{resource="a",le="1"} -5` + "\n" + sliMetric + `_count{resource="a"} +Inf`))
	f.Fuzz(func(t *testing.T, body []byte) {
		s := newScrapes(window{{Name: "workload", Begin: 0, End: 60 * sec, Measured: true}})
		s.add(results.Scrape{At: 1, Component: apiServer, Phase: "workload", Mark: "begin", Body: body})
		s.add(results.Scrape{At: 2, Component: apiServer, Phase: "workload", Mark: "end", Body: append([]byte(sli("GET", "pods", "", "resource", 1, 2, 3)), body...)})
		cs, _ := s.calls()
		rows := serverRows(cs)
		for _, r := range rows {
			if r.N < 0 {
				t.Fatalf("%+v", r)
			}
		}
		if _, err := json.Marshal(rows); err != nil { // as of a number that is none
			t.Fatalf("%v: %+v", err, rows)
		}
	})
}

// TestIncredibleInstants: an instant that only damage can make is named, makes the run invalid and breaks nothing.
func TestIncredibleInstants(t *testing.T) {
	for _, at := range []results.Instant{math.MaxInt64, math.MaxInt64 - 1, math.MinInt64, math.MinInt64 + 1, 1 << 62, 400 * 86400 * 1e9} {
		for file, change := range map[string]func(h *history){
			results.RunFile:       func(h *history) { h.run.Phases[1].End = at },
			results.PodsFile:      func(h *history) { h.pods[0].At = at },
			results.NodesFile:     func(h *history) { h.nodes[0].At = at },
			results.ProcessesFile: func(h *history) { h.samples[0].At = at },
			results.RequestsFile:  func(h *history) { h.requests[0].Done = at },
		} {
			h := wholeHistory()
			change(h)
			s, err := Summarize(h.write(t))
			if err != nil {
				t.Fatal(err)
			}
			if s.Verdict != results.Invalid || len(s.Damage) == 0 || !strings.HasPrefix(s.Damage[0], file+": ") {
				t.Errorf("%s with an instant of %d: %s, damage %q", file, at, s.Verdict, s.Damage)
			}
		}
	}
}
