package observe

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"k8s.io/client-go/rest"

	"windtunnel/results"
)

const (
	// pageSize is how many objects a page of a list holds.
	pageSize = "500"
	// maxFrame bounds one watch event. The API server's own bound of one object is about 3 MiB.
	maxFrame = 16 << 20
	// firstPause doubles up to lastPause while the API server cannot be reached.
	firstPause = 100 * time.Millisecond
	lastPause  = time.Second
)

// The types of a watch event.
const (
	eventAdded    = "ADDED"
	eventModified = "MODIFIED"
	eventDeleted  = "DELETED"
	eventBookmark = "BOOKMARK"
	eventError    = "ERROR"
)

// Interruption is a time in which nothing was received although the watch was to be open.
type Interruption struct {
	// From and To are when the watch broke and when the next one was open.
	From, To results.Instant
	// Missed is of how many objects something happened meanwhile that was never received: the API server no longer had
	// the events, and everything was listed again. Where it is 0, what happened was received late.
	Missed int
	// Cause is why the watch broke.
	Cause string
}

// String is the interruption as a note for people.
func (i Interruption) String() string {
	effect := "what happened meanwhile was received late"
	if i.Missed > 0 {
		effect = fmt.Sprintf("what happened to %d objects meanwhile was not seen", i.Missed)
	}
	return fmt.Sprintf("interrupted at %.1f s for %.2f s (%s): %s",
		time.Duration(i.From).Seconds(), time.Duration(i.To-i.From).Seconds(), i.Cause, effect)
}

// sink takes what a watch brings. One goroutine calls it.
type sink interface {
	// begin announces the whole of what there is, when the watch begins and after an interruption in which events were missed.
	// An item, a protobuf message, follows for each object, and listed ends it; or another begin, when the list broke off.
	// listed returns how many objects are not as they were known to be.
	begin()
	item(object []byte) error
	listed() (changed int)
	// event takes one change, received at the given instant, and returns the object's resourceVersion.
	event(kind string, object []byte, at results.Instant) (resourceVersion string, err error)
}

// watch keeps one list+watch of a collection going until its context ends.
type watch struct {
	client *http.Client
	server string
	path   string
	clock  results.Clock
	sink   sink

	resourceVersion string
	cancel          context.CancelFunc
	done            chan struct{}

	mu            sync.Mutex
	interruptions []Interruption
}

// startWatch lists the collection, gives it to the sink and then watches it in the background.
func startWatch(ctx context.Context, config *rest.Config, path string, clock results.Clock, to sink) (*watch, error) {
	config = rest.CopyConfig(config)
	config.DisableCompression = true // one machine: bytes are cheaper than unpacking
	client, err := rest.HTTPClientFor(config)
	if err != nil {
		return nil, fmt.Errorf("watch %s: %w", path, err)
	}
	server := strings.TrimSuffix(config.Host, "/")
	if !strings.Contains(server, "://") {
		server = "https://" + server
	}
	w := &watch{client: client, server: server, path: path, clock: clock, sink: to, done: make(chan struct{})}
	if _, err := w.list(ctx); err != nil {
		return nil, err
	}
	ctx, w.cancel = context.WithCancel(ctx)
	go func() {
		defer close(w.done)
		w.run(ctx)
	}()
	return w, nil
}

// Close ends the watch and waits until nothing more is recorded.
func (w *watch) Close() {
	w.cancel()
	<-w.done
	w.client.CloseIdleConnections()
}

// Interruptions are the times in which nothing was received.
func (w *watch) Interruptions() []Interruption {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]Interruption(nil), w.interruptions...)
}

// errClosed is the end of a watch between two events. An API server does that now and then, and to any watcher that it cannot serve as
// fast as events come, which it counts in apiserver_terminated_watchers_total; on an overloaded machine that is most of them.
var errClosed = errors.New("the API server closed it")

// errExpired says that the API server no longer has the events since our resourceVersion.
var errExpired = errors.New("the resourceVersion is too old")

// run watches until ctx ends, over and over.
func (w *watch) run(ctx context.Context) {
	var broken *Interruption // since when nothing has been received
	pause := firstPause
	for {
		err := w.stream(ctx, func() {
			pause = firstPause
			if broken != nil {
				w.resumed(*broken)
				broken = nil
			}
		})
		if ctx.Err() != nil {
			return
		}
		if broken == nil {
			broken = &Interruption{From: w.clock.Now(), Cause: err.Error()}
		}
		if errors.Is(err, errExpired) {
			var changed int
			if changed, err = w.list(ctx); err == nil {
				broken.Missed += changed
				continue
			}
		}
		if !sleep(ctx, pause) {
			return
		}
		pause = min(2*pause, lastPause)
	}
}

func (w *watch) resumed(i Interruption) {
	i.To = w.clock.Now()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.interruptions = append(w.interruptions, i)
}

// list reads the whole collection, page by page, as one consistent state, and returns how many objects have changed.
func (w *watch) list(ctx context.Context) (changed int, err error) {
	w.sink.begin()
	query := url.Values{"limit": {pageSize}}
	for {
		body, err := w.page(ctx, query)
		if err != nil {
			return 0, fmt.Errorf("list %s: %w", w.path, err)
		}
		page, err := decodeList(body)
		if err != nil {
			return 0, fmt.Errorf("list %s: %w", w.path, err)
		}
		for _, item := range page.items {
			if err := w.sink.item(item); err != nil {
				return 0, fmt.Errorf("list %s: %w", w.path, err)
			}
		}
		if page.next == "" {
			w.resourceVersion = page.resourceVersion
			return w.sink.listed(), nil
		}
		query.Set("continue", page.next)
	}
}

func (w *watch) page(ctx context.Context, query url.Values) ([]byte, error) {
	response, err := w.get(ctx, query, "application/vnd.kubernetes.protobuf")
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	return io.ReadAll(response.Body)
}

// get sends a GET and returns its answer when that is good.
func (w *watch) get(ctx context.Context, query url.Values, accept string) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, w.server+w.path+"?"+query.Encode(), nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Accept", accept)
	response, err := w.client.Do(request)
	if err != nil {
		return nil, err
	}
	if response.StatusCode == http.StatusOK {
		return response, nil
	}
	defer response.Body.Close()
	if response.StatusCode == http.StatusGone {
		return nil, errExpired
	}
	// Status comes as protobuf as well, but its message is readable in it.
	said, _ := io.ReadAll(io.LimitReader(response.Body, 1<<10))
	return nil, fmt.Errorf("HTTP %d: %q", response.StatusCode, said)
}

// stream opens a watch, calls opened, and gives every event to the sink until the watch ends, which is always an error.
func (w *watch) stream(ctx context.Context, opened func()) error {
	query := url.Values{"watch": {"1"}, "allowWatchBookmarks": {"true"}, "resourceVersion": {w.resourceVersion}}
	response, err := w.get(ctx, query, "application/vnd.kubernetes.protobuf;stream=watch")
	if err != nil {
		return err
	}
	defer response.Body.Close()
	opened()
	var frame []byte
	for in := bufio.NewReaderSize(response.Body, 64<<10); ; {
		if frame, err = readFrame(in, frame); err != nil {
			return err
		}
		at := w.clock.Now() // before anything else is done with it
		if err := w.take(frame, at); err != nil {
			return err
		}
	}
}

// readFrame reads one frame (its length in 4 bytes, big-endian, and its bytes) into buffer, which grows as needed.
func readFrame(in *bufio.Reader, buffer []byte) ([]byte, error) {
	var header [4]byte
	if _, err := io.ReadFull(in, header[:]); errors.Is(err, io.EOF) {
		return nil, errClosed
	} else if err != nil {
		return nil, fmt.Errorf("read a watch event: %w", err)
	}
	size := int(binary.BigEndian.Uint32(header[:]))
	if size > maxFrame {
		return nil, fmt.Errorf("a watch event of %d bytes", size)
	}
	if cap(buffer) < size {
		buffer = make([]byte, size+size/4)
	}
	buffer = buffer[:size]
	if _, err := io.ReadFull(in, buffer); err != nil {
		return nil, fmt.Errorf("read a watch event: %w", err)
	}
	return buffer, nil
}

func (w *watch) take(frame []byte, at results.Instant) error {
	kind, object, err := watchEvent(frame)
	if err != nil {
		return err
	}
	if kind == eventError {
		return errorEvent(object)
	}
	raw, err := unwrap(object)
	if err != nil {
		return err
	}
	version, err := w.sink.event(kind, raw, at)
	if err == nil && version != "" {
		w.resourceVersion = version
	}
	return err
}

// errorEvent makes an error of the Status that ends a watch. 410 says that what is asked for is too old.
func errorEvent(object []byte) error {
	raw, err := unwrap(object)
	if err != nil {
		return err
	}
	m := message{rest: raw}
	var text string
	var code uint64
	for m.next() {
		switch m.number {
		case 3:
			text = string(m.bytes)
		case 6:
			code = m.varint
		}
	}
	if code == http.StatusGone {
		return errExpired
	}
	return fmt.Errorf("the API server ended the watch: %s (%d)", text, code)
}

// sleep pauses; false when the context ended first.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
