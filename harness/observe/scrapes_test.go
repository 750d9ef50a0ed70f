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
	mu  sync.Mutex
	all []results.Scrape
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
	s := Scrapes(t.Context(), targets, 20*time.Millisecond, results.NewClock(), got.record)
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

// TestCloseDuringAScrape: the end of a run does not wait for a target, and is not the target's failure.
func TestCloseDuringAScrape(t *testing.T) {
	entered := make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(entered)
		<-r.Context().Done()
	}))
	defer srv.Close()
	defer srv.Client().CloseIdleConnections()
	s := Scrapes(context.Background(), []Target{{Component: "slow", URL: srv.URL, Client: srv.Client()}}, time.Millisecond, results.NewClock(), func(results.Scrape) {
		t.Error("a scrape was recorded")
	})
	<-entered
	s.Close()
	if f := s.Failures(); len(f) != 0 {
		t.Errorf("failures %v", f)
	}
}
