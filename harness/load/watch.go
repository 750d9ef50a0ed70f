package load

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"sync"

	"windtunnel/profiles"
	"windtunnel/results"
)

// verbWatchList is the verb of a record of the part of a watch up to the end of its initial events, as in Kubernetes' metrics.
const verbWatchList = "WATCHLIST"

// Watch is a Watch step: a number of watches that stay open.
type Watch struct {
	// Phase and Track name the step in the records.
	Phase, Track string
	// Watch is how many watches of what.
	Watch profiles.Watch
	// Template is the object's; nil for a watch by resource.
	Template *profiles.Template
	// Record takes every event. It is called from many goroutines at once and must be quick.
	Record func(results.WatchEvent)
}

// maxEvent bounds one event. The API server's own bound of one object is about 3 MiB.
const maxEvent = 16 << 20

// errExpired says that the API server no longer has the events since a resourceVersion.
var errExpired = errors.New("the resourceVersion is too old")

// Watch opens the watches and keeps them open until ctx ends, which is no error. A watch that breaks is opened again where it
// was, after a pause that doubles from 0.1 to 2 s; each opening has a request record (verb WATCH, Attempt 2, 3, … after a break), whose
// FirstByte is when it was open and Done when it ended.
func (c *Client) Watch(ctx context.Context, w Watch) error {
	if !c.busy.CompareAndSwap(false, true) {
		return ErrBusy
	}
	defer c.busy.Store(false)
	ctx, end := c.during(ctx)
	defer end()
	var resource profiles.Resource
	if w.Template != nil {
		resource = w.Template.Resource
	} else {
		resource, _ = profiles.ResourceByName(w.Watch.Resource)
	}
	st := &step{client: c, phase: w.Phase, track: w.Track}
	var all sync.WaitGroup
	for i := range w.Watch.Watchers {
		one := st.watcher(w, resource, i)
		all.Go(func() { one.run(ctx) })
	}
	all.Wait()
	return nil
}

// watcher keeps one watch open.
type watcher struct {
	step     *step
	number   int
	watch    profiles.Watch
	resource profiles.Resource
	base     results.Request
	path     string
	variant  *Variant
	stream   eventStream
	record   func(results.WatchEvent)
	lane     *lane
	conn     *conn

	version string          // resourceVersion of the last event
	listing results.Instant // since when the initial events are awaited; 0: they are not
}

// watcher makes the watcher of that number; they go round identities, connections and namespaces in turn.
func (s *step) watcher(w Watch, resource profiles.Resource, number int) *watcher {
	lanes := s.client.lanes
	l := lanes[number%len(lanes)]
	one := &watcher{
		step: s, number: number, watch: w.Watch, resource: resource, record: w.Record,
		lane: l, conn: l.conns[number/len(lanes)%len(l.conns)],
	}
	at, scope := target{}, scopeCluster
	if w.Watch.Scope == scopeNamespace && w.Template != nil {
		at.namespace, scope = w.Template.Namespace(number), scopeNamespace
	}
	one.base = s.record(profiles.VerbWatch, resource, scope)
	one.base.Object = at.String()
	one.path = pathOf(resource, "").of(at)
	encoding := w.Watch.Encoding
	if encoding == "" && resource.HasProtobuf() {
		encoding = profiles.EncodingProtobuf
	}
	one.stream = streamOf(encoding)
	one.variant = newVariant("", one.stream.accept, "", s.client.userAgent(), true)
	return one
}

func (w *watcher) run(ctx context.Context) {
	pause := firstBackOff
	for attempt := int32(1); ctx.Err() == nil; attempt++ {
		err := w.once(ctx, attempt, func() { pause = firstBackOff })
		if errors.Is(err, errExpired) {
			w.version = ""
		}
		if !sleep(ctx, pause) {
			return
		}
		pause = min(2*pause, lastBackOff)
	}
}

// once opens the watch and records its events until it ends.
func (w *watcher) once(ctx context.Context, attempt int32, opened func()) error {
	query, err := w.query(ctx)
	if err != nil {
		return err
	}
	clock := w.step.client.options.Clock
	record := w.base
	record.Identity, record.Attempt = w.lane.identity, attempt
	record.Planned = clock.Now()
	record.Sent = record.Planned
	response, err := w.open(ctx, query)
	if err == nil {
		record.FirstByte, record.Code = clock.Now(), int32(response.StatusCode)
		record.FlowSchema = headerValue(response.Header, headerFlowSchema)
		record.PriorityLevel = headerValue(response.Header, headerPriorityLevel)
		if response.StatusCode == http.StatusOK {
			opened()
			record.BytesIn, err = w.receive(response.Body, record)
		} else {
			record.Error, err = w.refused(response)
		}
		response.Body.Close()
	}
	record.Done, w.listing = clock.Now(), 0
	switch {
	case record.Error != "" || errors.Is(err, io.EOF): // the server may end a watch when it likes
	case errors.Is(err, errExpired):
		record.Error = ClassGone
	case ctx.Err() == nil || record.Code == 0: // the end of the step is no error of a watch that is open
		record.Error = classOfError(ctx, err)
	}
	w.step.client.options.Record(record)
	return err
}

// query says from where on the watch is to be: from the last event, from the present state, or all of it first.
func (w *watcher) query(ctx context.Context) (string, error) {
	query := url.Values{"watch": {"1"}}
	if w.watch.Bookmarks == nil || *w.watch.Bookmarks {
		query.Set("allowWatchBookmarks", "true")
	}
	if w.watch.LabelSelector != "" {
		query.Set("labelSelector", w.watch.LabelSelector)
	}
	if w.watch.FieldSelector != "" {
		query.Set("fieldSelector", w.watch.FieldSelector)
	}
	switch {
	case w.version != "":
		query.Set("resourceVersion", w.version)
	case w.watch.InitialEvents:
		query.Set("sendInitialEvents", "true")
		query.Set("resourceVersionMatch", "NotOlderThan")
		w.listing = w.step.client.options.Clock.Now()
	default:
		version, err := w.present(ctx)
		if err != nil {
			return "", err
		}
		query.Set("resourceVersion", version)
	}
	return query.Encode(), nil
}

func (w *watcher) open(ctx context.Context, query string) (*http.Response, error) {
	return w.exchange(ctx).roundTrip(ctx, &Call{Method: http.MethodGet, Path: w.path, Query: query, Variant: w.variant})
}

// exchange is the watcher's hand on its connection.
func (w *watcher) exchange(ctx context.Context) *Exchange {
	return &Exchange{client: w.step.client, conn: w.conn, lane: w.lane, step: ctx, fail: func(error) {}}
}

// refused reads why the watch was not opened.
func (w *watcher) refused(response *http.Response) (class string, err error) {
	said, _ := io.ReadAll(io.LimitReader(response.Body, errorBodySize))
	class = classOfAnswer(response.StatusCode, said)
	if response.StatusCode == http.StatusGone {
		return class, errExpired
	}
	return class, fmt.Errorf("watch %s: HTTP %d", w.path, response.StatusCode)
}

// receive records the events of an open watch; it always ends with an error, io.EOF when the server ended the watch.
func (w *watcher) receive(body io.ReadCloser, opened results.Request) (total int64, err error) {
	frames := w.stream.framer.NewFrameReader(body)
	clock := w.step.client.options.Clock
	var buffer []byte
	for {
		if buffer, err = nextFrame(frames, buffer); err != nil {
			return total, err
		}
		at := clock.Now() // before anything else is done with it
		total += int64(len(buffer))
		event := w.stream.read(buffer)
		if w.listing != 0 && event.kind == "ADDED" {
			event.kind = "INITIAL" // it was there already: no write of now caused it
		}
		version, _ := strconv.ParseInt(event.version, 10, 64)
		w.record(results.WatchEvent{
			At: at, ResourceVersion: version, Phase: w.base.Phase, Track: w.base.Track, Watcher: int32(w.number),
			Group: w.base.Group, Version: w.base.Version, Resource: w.base.Resource, Type: event.kind, Bytes: int64(len(buffer)),
		})
		switch {
		case event.kind == "ERROR" && bytes.Contains(buffer, []byte("Expired")):
			return total, errExpired
		case event.kind == "ERROR":
			return total, fmt.Errorf("watch %s: %.200q", w.path, buffer)
		case event.version != "" && (w.listing == 0 || event.kind == "BOOKMARK"):
			w.version = event.version // the initial events come in the order of keys, so that none of them says how far they came
		}
		if event.kind == "BOOKMARK" && w.listing != 0 {
			w.listed(opened, at, total)
		}
	}
}

// listed records the end of the initial events. The first bookmark of such a watch is that.
func (w *watcher) listed(opened results.Request, at results.Instant, total int64) {
	record := opened
	record.Verb, record.Planned, record.Sent, record.Done, record.BytesIn = verbWatchList, w.listing, w.listing, at, total
	w.listing = 0
	w.step.client.options.Record(record)
}

// nextFrame reads one event into buffer, which grows as needed.
func nextFrame(frames io.Reader, buffer []byte) ([]byte, error) {
	if buffer == nil {
		buffer = make([]byte, 16<<10)
	}
	buffer = buffer[:cap(buffer)]
	for have := 0; ; {
		n, err := frames.Read(buffer[have:])
		have += n
		if !errors.Is(err, io.ErrShortBuffer) {
			return buffer[:have], err
		}
		if have >= maxEvent {
			return nil, fmt.Errorf("a watch event of more than %d bytes", maxEvent)
		}
		grown := make([]byte, 2*len(buffer))
		copy(grown, buffer[:have])
		buffer = grown
	}
}

// present asks for the resourceVersion of the collection as it is now.
func (w *watcher) present(ctx context.Context) (string, error) {
	record := w.base
	record.Verb, record.Variant, record.Planned = profiles.VerbList, VariantTargets, w.step.client.options.Clock.Now()
	answer := w.exchange(ctx).Send(ctx, Call{
		Record: record, Method: http.MethodGet, Path: w.path, Keep: true, Query: "limit=1",
		Variant: newVariant("", mediaNames, "", w.step.client.userAgent(), true),
	})
	if answer.Class != "" {
		return "", fmt.Errorf("find the resourceVersion of %s: %w", w.resource, answer.problem())
	}
	return resourceVersionOf(answer.Body), nil
}
