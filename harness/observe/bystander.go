package observe

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"k8s.io/client-go/rest"

	"windtunnel/results"
)

const (
	// bystandEvery is the interval of a bystander's requests.
	bystandEvery = time.Second
	// bystandTimeout bounds one of them.
	bystandTimeout = 30 * time.Second
)

// Bystander is somebody who uses a cluster a little while others load it: one small GET after the other, whatever became of those before.
type Bystander struct {
	polling Polling
	client  *http.Client
	url     string
	clock   results.Clock
	record  func(results.Request)
	cancel  context.CancelFunc
	asking  sync.WaitGroup
}

// Polling is what a Bystander asks for.
type Polling struct {
	Path    string // with its query
	Every   time.Duration
	Timeout time.Duration   // of one request
	As      results.Request // what the records say beside instants and the answer
}

// Bystand begins to ask for what is at the path, one request a second, until ctx ends or Close is called. record gets every
// request, with an empty Phase, from many goroutines. What is planned is sent when its time has come; latency counts from the planned
// instant.
func Bystand(ctx context.Context, config *rest.Config, path string, clock results.Clock, record func(results.Request)) (*Bystander, error) {
	return Poll(ctx, config, Polling{
		Path: path, Every: bystandEvery, Timeout: bystandTimeout,
		As: results.Request{Track: "bystander", Verb: "GET", Version: "v1", Resource: "configmaps", Scope: "resource"},
	}, clock, record)
}

// Poll is Bystand for whatever path and interval.
func Poll(ctx context.Context, config *rest.Config, p Polling, clock results.Clock, record func(results.Request)) (*Bystander, error) {
	client, err := rest.HTTPClientFor(config)
	if err != nil {
		return nil, fmt.Errorf("make the client that asks for %s: %w", p.Path, err)
	}
	b := &Bystander{polling: p, client: client, url: config.Host + p.Path, clock: clock, record: record}
	ctx, b.cancel = context.WithCancel(ctx)
	b.asking.Go(func() { b.run(ctx) })
	return b, nil
}

// Close ends the requests and waits until nothing more is recorded.
func (b *Bystander) Close() {
	b.cancel()
	b.asking.Wait()
	b.client.CloseIdleConnections()
}

func (b *Bystander) run(ctx context.Context) {
	begin := b.clock.Now()
	for i := range results.Instant(1 << 40) {
		planned := begin + i*results.Instant(b.polling.Every)
		if !sleep(ctx, time.Duration(planned-b.clock.Now())) {
			return
		}
		b.asking.Go(func() { b.ask(ctx, planned) })
	}
}

// ask sends one request. One that is under way when the bystander leaves is not recorded.
func (b *Bystander) ask(ctx context.Context, planned results.Instant) {
	timed, cancel := context.WithTimeout(ctx, b.polling.Timeout)
	defer cancel()
	one := b.polling.As
	one.Planned, one.Sent, one.Attempt = planned, b.clock.Now(), 1
	err := b.send(timed, &one)
	one.Done = b.clock.Now()
	switch {
	case ctx.Err() != nil:
		return
	case timed.Err() != nil:
		one.Error = "timeout"
	case err != nil:
		one.Error = "connection"
	case one.Code != http.StatusOK:
		one.Error = fmt.Sprintf("http_%d", one.Code)
	}
	b.record(one)
}

func (b *Bystander) send(ctx context.Context, one *results.Request) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, b.url, nil)
	if err != nil {
		return err
	}
	request.Header.Set("Accept", "application/json")
	answer, err := b.client.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	one.FirstByte, one.Code = b.clock.Now(), int32(answer.StatusCode)
	one.FlowSchema, one.PriorityLevel = answer.Header.Get("X-Kubernetes-Pf-Flowschema-Uid"), answer.Header.Get("X-Kubernetes-Pf-Prioritylevel-Uid")
	one.BytesIn, err = io.Copy(io.Discard, answer.Body)
	return err
}
