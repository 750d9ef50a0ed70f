package observe

import (
	"bytes"
	"cmp"
	"context"
	"errors"
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
	// Every is how often its chosen metrics are read. Default: as often as the whole answer is kept.
	Every time.Duration

	chooser *chooser
}

// Sink takes what is read. Its functions are called from several goroutines.
type Sink struct {
	// Scrape takes an answer whole, with an empty Phase between marks, which the caller knows.
	Scrape func(results.Scrape)
	// Metrics takes the chosen values of one answer.
	Metrics func([]results.Metric)
}

// Scraper reads the metrics of components: the chosen ones often, and now and then an answer that is kept whole.
type Scraper struct {
	targets []Target
	clock   results.Clock
	sink    Sink
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

// Scrapes reads every target at its own pace, until ctx ends or Close is called, and keeps the whole answer every so often. A
// target that takes longer than its interval is read again at the next tick, and its scrapes never overlap, but for those
// of Mark. A scrape's instant is the one at which it was asked for; a scrape that fails is not recorded but counted, see
// Failures.
func Scrapes(ctx context.Context, targets []Target, every time.Duration, clock results.Clock, sink Sink) *Scraper {
	s := &Scraper{clock: clock, sink: sink, failures: map[string]ScrapeFailures{}}
	ctx, s.cancel = context.WithCancel(ctx)
	for _, target := range targets {
		target.chooser = newChooser(target.Component, families(target.Component))
		s.targets = append(s.targets, target)
		s.running.Go(func() { s.repeat(ctx, target, every) })
	}
	return s
}

func (s *Scraper) repeat(ctx context.Context, target Target, every time.Duration) {
	pace := min(cmp.Or(target.Every, every), every)
	ticker := time.NewTicker(pace) // drops the ticks that a slow scrape misses
	defer ticker.Stop()
	for last := time.Now(); ; {
		select {
		case <-ctx.Done():
			return
		case now := <-ticker.C:
			whole := now.Sub(last) > every-pace/2
			if whole {
				last = now
			}
			s.scrape(ctx, target, results.Scrape{}, whole)
		}
	}
}

// Mark reads every target at once, at the edge ("begin" or "end") of a phase of the run, and returns when all answers are
// recorded or ctx ends.
func (s *Scraper) Mark(ctx context.Context, phase, edge string) {
	var all sync.WaitGroup
	for _, target := range s.targets {
		all.Go(func() { s.scrape(ctx, target, results.Scrape{Phase: phase, Mark: edge}, true) })
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

// scrape reads one target and records its chosen metrics and, if asked to, the whole answer.
func (s *Scraper) scrape(ctx context.Context, target Target, one results.Scrape, whole bool) {
	timed, cancel := context.WithTimeout(ctx, scrapeTimeout)
	defer cancel()
	one.At, one.Component = s.clock.Now(), target.Component
	metrics, err := read(timed, target, &one, whole)
	if one.Body != nil {
		s.sink.Scrape(one)
	}
	if err == nil {
		for i := range metrics {
			metrics[i].At = one.At
		}
		s.sink.Metrics(metrics)
		return
	}
	if ctx.Err() != nil {
		return // the run is over; that is no failure of the component
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failures[target.Component] = ScrapeFailures{Count: s.failures[target.Component].Count + 1, Last: err}
}

// read asks a target for its metrics and takes the chosen ones; the whole answer becomes the scrape's body if it is to. An
// answer whose chosen metrics cannot be parsed is kept all the same.
func read(ctx context.Context, target Target, one *results.Scrape, whole bool) ([]results.Metric, error) {
	body, err := open(ctx, target)
	if err != nil {
		return nil, fmt.Errorf("scrape %s: %w", target.Component, err)
	}
	defer body.Close()
	answer := io.LimitReader(body, maxScrape)
	if whole {
		all, err := io.ReadAll(answer)
		if err != nil {
			return nil, fmt.Errorf("scrape %s: %w", target.Component, err)
		}
		one.Body, answer = all, bytes.NewReader(all)
	}
	return target.chooser.choose(answer)
}

// open asks for the metrics in Prometheus' text format. They are not compressed: on one machine bytes cost less than gzip.
func open(ctx context.Context, target Target) (io.ReadCloser, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, target.URL, nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Accept", "text/plain;version=0.0.4")
	request.Header.Set("Accept-Encoding", "identity")
	response, err := target.Client.Do(request)
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		response.Body.Close()
		return nil, errors.New(response.Status)
	}
	return response.Body, nil
}
