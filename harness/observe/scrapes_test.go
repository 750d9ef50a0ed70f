package observe

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"windtunnel/results"
)

// scrapes keeps the scrapes of a test.
type scrapes struct {
	mu      sync.Mutex
	all     []results.Scrape
	metrics []results.Metric
}

func (s *scrapes) sink() Sink { return Sink{Scrape: s.record, Metrics: s.choose} }

func (s *scrapes) choose(some []results.Metric) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.metrics = append(s.metrics, some...)
}

func (s *scrapes) record(one results.Scrape) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = append(s.all, one)
}

func (s *scrapes) of(component string) (out []results.Scrape) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, one := range s.all {
		if one.Component == component {
			out = append(out, one)
		}
	}
	return out
}

func TestScrapes(t *testing.T) {
	var slow, most atomic.Int32
	mux := http.NewServeMux()
	mux.HandleFunc("/good", func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "up 1\n") })
	mux.HandleFunc("/bad", func(w http.ResponseWriter, r *http.Request) { http.Error(w, "no", http.StatusForbidden) })
	mux.HandleFunc("/slow", func(w http.ResponseWriter, r *http.Request) {
		most.Store(max(most.Load(), slow.Add(1)))
		defer slow.Add(-1)
		select {
		case <-time.After(150 * time.Millisecond):
		case <-r.Context().Done():
		}
		io.WriteString(w, strings.Repeat("x", 1<<20))
	})
	srv := httptest.NewServer(mux)
	defer srv.Close()
	defer srv.Client().CloseIdleConnections()
	var targets []Target
	for _, name := range []string{"good", "bad", "slow"} {
		targets = append(targets, Target{Component: name, URL: srv.URL + "/" + name, Client: srv.Client()})
	}
	targets = append(targets, Target{Component: "gone", URL: "http://127.0.0.1:1/", Client: srv.Client()})

	var got scrapes
	s := Scrapes(t.Context(), targets, 20*time.Millisecond, results.NewClock(), got.sink())
	time.Sleep(500 * time.Millisecond)
	if n := most.Load(); n != 1 {
		t.Errorf("%d scrapes of a slow target at the same time", n)
	}
	s.Mark(t.Context(), "workload", "begin")
	s.Close()

	good, late := got.of("good"), got.of("slow")
	if len(good) < 10 || len(late) < 3 || len(late) > 5 {
		t.Errorf("%d scrapes of a quick target, %d of a slow one", len(good), len(late))
	}
	if len(late) > 0 && len(late[0].Body) != 1<<20 {
		t.Errorf("body of %d bytes", len(late[0].Body))
	}
	for component, want := range map[string]int{"good": 1, "slow": 1, "bad": 0, "gone": 0} {
		marks := 0
		for _, one := range got.of(component) {
			if one.Mark == "begin" && one.Phase == "workload" && one.At > 0 {
				marks++
			}
		}
		if marks != want {
			t.Errorf("%d marks of %s, want %d", marks, component, want)
		}
	}
	if string(good[0].Body) != "up 1\n" || good[0].Mark != "" || good[0].Phase != "" {
		t.Errorf("scrape %+v", good[0])
	}
	failures := s.Failures()
	if len(failures) != 2 || failures["bad"].Count < 10 || !strings.Contains(failures["bad"].Last.Error(), "scrape bad: 403") || failures["gone"].Count < 10 {
		t.Errorf("failures %v", failures)
	}
}

// TestPace reads the chosen metrics often and keeps an answer whole now and then.
func TestPace(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "etcd_mvcc_db_total_size_in_bytes 5\netcd_other 6\n")
	}))
	defer srv.Close()
	defer srv.Client().CloseIdleConnections()
	target := Target{Component: "etcd", URL: srv.URL, Client: srv.Client(), Every: 10 * time.Millisecond}
	var got scrapes
	s := Scrapes(t.Context(), []Target{target}, 200*time.Millisecond, results.NewClock(), got.sink())
	for wait := time.Now(); len(got.of("etcd")) < 2 && time.Since(wait) < 10*time.Second; {
		time.Sleep(5 * time.Millisecond)
	}
	s.Close()
	whole := got.of("etcd")
	if len(whole) < 2 || len(got.metrics) < 3*len(whole) {
		t.Fatalf("%d whole answers, %d looks", len(whole), len(got.metrics))
	}
	at := map[results.Instant]bool{}
	for _, m := range got.metrics {
		at[m.At] = true
		if m.Name != "etcd_mvcc_db_total_size_in_bytes" || m.Value != 5 {
			t.Errorf("%+v", m)
		}
	}
	if len(at) != len(got.metrics) || !at[whole[0].At] || !at[whole[1].At] {
		t.Error("a whole answer must give the chosen metrics too, at its own instant")
	}
}

// TestCloseDuringAScrape: the end of a run does not wait for a target, and is not the target's failure.
func TestCloseDuringAScrape(t *testing.T) {
	entered := make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(entered)
		<-r.Context().Done()
	}))
	defer srv.Close()
	defer srv.Client().CloseIdleConnections()
	s := Scrapes(context.Background(), []Target{{Component: "slow", URL: srv.URL, Client: srv.Client()}}, time.Millisecond, results.NewClock(), Sink{
		Scrape:  func(results.Scrape) { t.Error("a scrape was recorded") },
		Metrics: func([]results.Metric) { t.Error("metrics were recorded") },
	})
	<-entered
	s.Close()
	if f := s.Failures(); len(f) != 0 {
		t.Errorf("failures %v", f)
	}
}
