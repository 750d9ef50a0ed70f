package observe

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"sync"
	"time"

	"windtunnel/results"
)

const (
	// scrapeTimeout bounds one scrape.
	scrapeTimeout = 10 * time.Second
	// maxScrape bounds one answer; kube-apiserver's is some MB after a long run.
	maxScrape = 256 << 20
)

// Target is where a component's metrics are read.
type Target struct {
	// Component is its name in the records.
	Component string
	// URL is that of the metrics, such as https://127.0.0.1:6443/metrics.
	URL string
	// Client trusts the component and is authorised.
	Client *http.Client
}

// Scraper reads the metrics of components and keeps the answers whole.
type Scraper struct {
	targets []Target
	clock   results.Clock
	record  func(results.Scrape)
	cancel  context.CancelFunc
	running sync.WaitGroup

	mu       sync.Mutex
	failures map[string]ScrapeFailures
}

// ScrapeFailures are the scrapes of one component that brought nothing.
type ScrapeFailures struct {
	// Count is how many there were.
	Count int
	// Last is why the last one failed.
	Last error
}

// Scrapes reads every target now and then, until ctx ends or Close is called. Each target has its own pace: one that takes
// longer than the interval is read again at the next tick, and its scrapes never overlap, but for those of Mark. record is
// called from several goroutines, with an empty Phase between marks, which the caller knows. A scrape's instant is the
// one at which it was asked for; a scrape that fails is not recorded but counted, see Failures.
func Scrapes(ctx context.Context, targets []Target, every time.Duration, clock results.Clock, record func(results.Scrape)) *Scraper {
	s := &Scraper{targets: targets, clock: clock, record: record, failures: map[string]ScrapeFailures{}}
	ctx, s.cancel = context.WithCancel(ctx)
	for _, target := range targets {
		s.running.Go(func() { s.repeat(ctx, target, every) })
	}
	return s
}

func (s *Scraper) repeat(ctx context.Context, target Target, every time.Duration) {
	ticker := time.NewTicker(every) // drops the ticks that a slow scrape misses
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			s.scrape(ctx, target, results.Scrape{})
		}
	}
}

// Mark reads every target at once, at the edge ("begin" or "end") of a phase of the run, and returns when all answers are
// recorded or ctx ends.
func (s *Scraper) Mark(ctx context.Context, phase, edge string) {
	var all sync.WaitGroup
	for _, target := range s.targets {
		all.Go(func() { s.scrape(ctx, target, results.Scrape{Phase: phase, Mark: edge}) })
	}
	all.Wait()
}

// Failures are the components that could not be read, and how often.
func (s *Scraper) Failures() map[string]ScrapeFailures {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.failures)
}

// Close ends the scraping and waits until nothing more is recorded. No Mark may be under way.
func (s *Scraper) Close() {
	s.cancel()
	s.running.Wait()
}

// scrape reads one target and completes and records the scrape.
func (s *Scraper) scrape(ctx context.Context, target Target, one results.Scrape) {
	timed, cancel := context.WithTimeout(ctx, scrapeTimeout)
	defer cancel()
	one.At, one.Component = s.clock.Now(), target.Component
	var err error
	if one.Body, err = fetch(timed, target); err == nil {
		s.record(one)
		return
	}
	if ctx.Err() != nil {
		return // the run is over; that is no failure of the component
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failures[target.Component] = ScrapeFailures{Count: s.failures[target.Component].Count + 1, Last: err}
}

// fetch reads the metrics in Prometheus' text format. They are not compressed: on one machine bytes cost less than gzip.
func fetch(ctx context.Context, target Target) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, target.URL, nil)
	if err != nil {
		return nil, fmt.Errorf("scrape %s: %w", target.Component, err)
	}
	request.Header.Set("Accept", "text/plain;version=0.0.4")
	request.Header.Set("Accept-Encoding", "identity")
	response, err := target.Client.Do(request)
	if err != nil {
		return nil, fmt.Errorf("scrape %s: %w", target.Component, err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxScrape))
	if err != nil {
		return nil, fmt.Errorf("scrape %s: %w", target.Component, err)
	}
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("scrape %s: %s", target.Component, response.Status)
	}
	return body, nil
}
