package analysis

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"windtunnel/profiles"
	"windtunnel/results"
)

// wholeHistory is a run with records of every kind: a restarted API server, nodes that come and go, watches, and everything
// that sums of floating-point numbers are made of.
func wholeHistory() *history {
	h := newHistory()
	h.pods, h.hollow, h.requests = h.pods[:3*40], h.hollow[:40], h.requests[:60]
	h.profile.Phases = []profiles.Phase{{Name: "workload", Tracks: []profiles.Track{{Name: "watchers", Steps: []profiles.Step{{Watch: &profiles.Watch{}}}}}}}
	h.watches = []results.WatchEvent{}
	for i := range int64(30) {
		at := 21*sec + i*700*ms
		h.requests = append(h.requests, results.Request{Planned: at, Sent: at + i*ms/3, FirstByte: at + 5*ms + i*i*1000, Done: at + 7*ms + i*i*1001, Phase: "workload", Track: "writers",
			Verb: "PATCH", Version: "v1", Resource: "pods", Subresource: "status", Scope: "resource", Code: 200, Attempt: 1, ResourceVersion: 100 + i, BytesIn: i},
			results.Request{Planned: at, Phase: "workload", Verb: "GET", Resource: "pods", Scope: "resource", Error: []string{"dropped", "no_target", "canceled"}[i%3]})
		for w := range int32(2) {
			h.watches = append(h.watches, results.WatchEvent{At: at + 9*ms + i*12345, ResourceVersion: 100 + i, Phase: "workload", Track: "watchers", Watcher: w, Resource: "pods", Type: "MODIFIED", Bytes: 10 + i})
		}
		h.metrics = append(h.metrics, lookAt(at, "etcd", float64(1+i/20), map[string]float64{
			"etcd_disk_wal_fsync_duration_seconds_count": float64(7 * (i%20 + 1)), "etcd_disk_wal_fsync_duration_seconds_sum": float64(i%20+1) / 7, "etcd_mvcc_db_total_size_in_bytes": 1e6 + float64(i*i%11)})...)
		h.metrics = append(h.metrics, lookAt(at+ms, scheduler, 1, map[string]float64{
			`workqueue_depth{name="a"}`: float64(i % 5), `workqueue_adds_total{name="a"}`: float64(i) * 1.1, `workqueue_adds_total{name="b"}`: float64(i) * 2.3,
			`scheduler_pending_pods{queue="active"}`: float64(i % 7)})...)
	}
	for i := range int64(20) { // five processes of one component: their seconds do not add up the same in every order
		for p := range int32(5) {
			h.samples = append(h.samples, results.ProcessSample{At: 20*sec + i*sec + int64(p), Component: "hollow-0", PID: 10 + p, CPUSeconds: math.Sqrt(float64(i)) * math.Exp(float64(3*p)), RSS: 1 << 20, PSS: i * 1000})
		}
	}
	h.nodes = append(h.nodes, results.NodeEvent{At: 30 * sec, Name: "hollow-1", Event: "notready"}, results.NodeEvent{At: 35 * sec, Name: "hollow-1", Event: "ready"},
		results.NodeEvent{At: 40 * sec, Name: "hollow-0", Event: "deleted"})
	second := exposition(1030, sli("PATCH", "pods", "status", "resource", 50, 60, 60), sli("GET", "pods", "", "resource", 5, 6, 7))
	h.scrapes = []results.Scrape{
		{At: 12 * sec, Component: "kube-apiserver", Phase: "warm-up", Body: exposition(1000, sli("PATCH", "pods", "status", "resource", 1, 1, 1))},
		{At: 20 * sec, Component: "kube-apiserver", Phase: "workload", Mark: "begin", Body: exposition(1000, sli("PATCH", "pods", "status", "resource", 10, 10, 10))},
		{At: 25 * sec, Component: "kube-apiserver", Phase: "workload", Body: exposition(1000, sli("PATCH", "pods", "status", "resource", 110, 310, 312))},
		{At: 25 * sec, Component: "etcd", Phase: "workload", Body: []byte("x 1\n")},
		{At: 36 * sec, Component: "kube-apiserver", Phase: "workload", Body: exposition(1030, sli("PATCH", "pods", "status", "resource", 5, 6, 6))},
		{At: 50 * sec, Component: "kube-apiserver", Phase: "workload", Mark: "end", Body: second},
		{At: 55 * sec, Component: "kube-apiserver", Phase: "cleanup", Body: second},
	}
	return h
}

// chunked writes records as a stream of up to four batches of any sizes: each batch is written as a stream of its own, and
// their batches are put behind one schema.
func chunked[T results.Record](t *rapid.T, d *results.Dir, file string, rs []T) {
	var joined, end []byte
	for chunks := rapid.IntRange(1, 4).Draw(t, "chunks"); chunks > 0; chunks-- {
		n := len(rs)
		if chunks > 1 {
			n = rapid.IntRange(0, len(rs)).Draw(t, "chunk")
		}
		part := d.Path(file + ".part")
		w, err := results.NewWriter[T](part)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range rs[:n] {
			w.Append(r)
		}
		rs = rs[n:]
		data := taken(t, w.Close(), part)
		// 4 bytes of continuation, 4 of the schema's length, the schema; then the batches; then 8 bytes of the end.
		schema := 8 + int(binary.LittleEndian.Uint32(data[4:]))
		if joined == nil {
			joined = append(joined, data[:schema]...)
		}
		joined, end = append(joined, data[schema:len(data)-8]...), data[len(data)-8:]
	}
	if err := os.WriteFile(d.Path(file), append(joined, end...), 0o644); err != nil {
		t.Fatal(err)
	}
}

// taken returns a file's content and removes it.
func taken(t *rapid.T, err error, file string) []byte {
	data, rerr := os.ReadFile(file)
	if err := errors.Join(err, rerr, os.Remove(file)); err != nil {
		t.Fatal(err)
	}
	return data
}

// TestOrderChunksAndMergesChangeNothing: the records of a run in any order, cut into any batches, and the pods' records spread
// over any number of files, give the same summary, byte for byte.
func TestOrderChunksAndMergesChangeNothing(t *testing.T) {
	h := wholeHistory()
	first := h.summarize(t)
	if len(first.Damage) > 0 || len(first.Server) != 2 || len(first.Watches) != 1 || first.Watches[0].N < 50 || len(first.ServerSide.WorkQueues) == 0 {
		t.Fatalf("the run is not as busy as it should be: damage %v, %d server rows, watches %+v, queues %+v", first.Damage, len(first.Server), first.Watches, first.ServerSide.WorkQueues)
	}
	want := jsonOf(t, first)
	n := 0
	root := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		n++
		d, err := results.Create(filepath.Join(root, fmt.Sprint(n)), "test", time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(filepath.Dir(d.Path()))
		defer d.Release()
		if h.run.Profile, err = json.Marshal(h.profile); err != nil {
			t.Fatal(err)
		}
		if err := d.WriteRun(h.run); err != nil {
			t.Fatal(err)
		}
		chunked(t, d, results.RequestsFile, reordered(t, h.requests))
		chunked(t, d, results.WatchesFile, reordered(t, h.watches))
		chunked(t, d, results.NodesFile, reordered(t, h.nodes))
		chunked(t, d, results.ProcessesFile, reordered(t, h.samples))
		chunked(t, d, results.ScrapesFile, reordered(t, h.scrapes))
		chunked(t, d, results.MetricsFile, reordered(t, h.metrics))
		pods := reordered(t, append(append([]results.PodEvent{}, h.pods...), h.hollow...))
		for i, files := 0, rapid.IntRange(1, 4).Draw(t, "files"); i < files; i++ {
			cut := len(pods)
			if i < files-1 {
				cut = rapid.IntRange(0, len(pods)).Draw(t, "cut")
			}
			name := results.PodsFile
			if i > 0 {
				name = results.HollowFile(i - 1)
			}
			chunked(t, d, name, pods[:cut])
			pods = pods[cut:]
		}
		s, err := Summarize(d)
		if err != nil {
			t.Fatal(err)
		}
		if got := jsonOf(t, s); got != want {
			t.Fatalf("another summary: %s", firstDifference(want, got))
		}
	})
}

func jsonOf(t rapid.TB, s results.Summary) string {
	data, err := json.MarshalIndent(s, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// reordered are the records in another order.
func reordered[T any](t *rapid.T, rs []T) []T {
	out := slices.Clone(rs)
	random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "order"), 0))
	random.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out
}

func firstDifference(a, b string) string {
	as, bs := strings.Split(a, "\n"), strings.Split(b, "\n")
	for i := range min(len(as), len(bs)) {
		if as[i] != bs[i] {
			return fmt.Sprintf("line %d: %q, then %q; before it %q", i, as[i], bs[i], as[max(0, i-6):i])
		}
	}
	return "one is longer"
}
