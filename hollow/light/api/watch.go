package api

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"windtunnel/hollow/light/h2"
	"windtunnel/hollow/light/loop"
	"windtunnel/hollow/light/wire"
)

// What client-go's reflectors do (tools/cache/reflector.go).
const (
	// minWatch is the least time after which the server ends a watch; the most is twice that.
	minWatch = 5 * time.Minute
	// firstBackoff doubles up to mostBackoff, and each is lengthened by as much again at random.
	firstBackoff = 800 * time.Millisecond
	mostBackoff  = 30 * time.Second
	// backoffReset is how long a watch must have gone well for its back-off to begin anew.
	backoffReset = 2 * time.Minute
)

// Watch keeps one watch open, as a reflector does: it begins with what there is, goes on from the last version when the server ends
// it, and begins anew when that is too old. Its fields are set before Start and not changed.
type Watch struct {
	Client Client
	Loop   *loop.Loop
	// Path is the resource's, such as /api/v1/pods.
	Path string
	// Fields and Labels are the selectors; empty for none.
	Fields, Labels string
	// Plain leaves out the parameter timeout, as requests of a bare REST client do.
	Plain bool
	// MinTime is the least time after which the server is to end it; 0 for that of reflectors, 5 minutes. The most is twice that.
	MinTime time.Duration
	// Event is told of every event but bookmarks, on the connection's goroutine; the bytes are valid during the call. nil: nobody
	// is, and no more than versions is read of events.
	Event func(wire.Event)
	// Begin is called on the loop when objects that are there are to come anew from the first one on, Synced on the connection's goroutine
	// when all have come. nil: nobody is told.
	Begin, Synced func()

	// Of the connection's goroutine while a request is under way, else of the loop.
	version string
	initial bool
	frames  wire.Frames
	expired bool

	// Of the loop.
	request *h2.Request
	timer   *loop.Timer
	began   time.Time
	backoff time.Duration
	waits   int // as long as the server asks for, one after another
	stopped bool
}

// Start begins to watch. It must be called on the loop.
func (w *Watch) Start() {
	if w.stopped {
		return
	}
	if w.version == "" && w.Begin != nil {
		w.Begin()
	}
	w.initial, w.expired, w.frames = w.version == "", false, wire.Frames{}
	w.began = time.Now()
	request := &h2.Request{Method: http.MethodGet, Path: w.url(), Accept: wire.ProtobufWatch + "," + wire.Protobuf, Data: w.data}
	w.request = request
	request.Done = func(response h2.Response, err error) {
		response.Body = nil
		w.Loop.Post(func() {
			if w.request == request {
				w.ended(response, err)
			}
		})
	}
	w.Client.Do(request)
}

// Stop ends the watch for good. It must be called on the loop.
func (w *Watch) Stop() {
	w.stopped = true
	w.Loop.Stop(w.timer)
	if r := w.request; r != nil {
		w.request = nil
		r.Cancel()
	}
}

// url is the request's, with the parameters in client-go's order, which is the alphabet's.
func (w *Watch) url() string {
	least := w.MinTime
	if least == 0 {
		least = minWatch
	}
	seconds := int64(least.Seconds() * (1 + rand.Float64()))
	q := url.Values{"allowWatchBookmarks": {"true"}, "watch": {"true"}, "timeoutSeconds": {strconv.FormatInt(seconds, 10)}}
	if !w.Plain {
		q.Set("timeout", (time.Duration(seconds) * time.Second).String())
	}
	if w.Fields != "" {
		q.Set("fieldSelector", w.Fields)
	}
	if w.Labels != "" {
		q.Set("labelSelector", w.Labels)
	}
	if w.version == "" {
		q.Set("sendInitialEvents", "true")
		q.Set("resourceVersionMatch", "NotOlderThan")
	} else {
		q.Set("resourceVersion", w.version)
	}
	return w.Path + "?" + q.Encode()
}

func (w *Watch) data(piece []byte) error {
	return w.frames.Write(piece, func(frame []byte) error {
		e, err := wire.ReadEvent(frame)
		if err != nil {
			return err
		}
		switch e.Type {
		case wire.Failed:
			code, reason, message := wire.StatusOf(e.Object)
			w.expired = code == http.StatusGone
			return fmt.Errorf("%s: %s", reason, message)
		case wire.Bookmark:
			if w.initial && wire.EndOfInitial(e.Object) {
				w.initial = false
				if w.Synced != nil {
					w.Synced()
				}
			}
		default:
			if w.Event != nil {
				w.Event(e)
			}
		}
		// What has come so far is not all that was there until the bookmark says so.
		if version := wire.At(e.Object, 1, 6); !w.initial && string(version) != w.version {
			w.version = string(version)
		}
		return nil
	})
}

// ended starts the watch again, after a while when it did not go well.
func (w *Watch) ended(response h2.Response, err error) {
	w.request = nil
	if w.stopped {
		return
	}
	if w.waits++; AsksToWait(response) && w.waits <= retries {
		w.timer = w.Loop.After(Wait(response), w.Start)
		return
	}
	w.waits = 0
	code := response.Status
	if w.expired || code == http.StatusGone {
		w.version = ""
	}
	if code == http.StatusOK && err == nil {
		w.Start()
		return
	}
	if code != http.StatusOK && code != 0 && w.version == "" && !w.expired {
		w.list()
		return
	}
	w.later()
}

// list is what a reflector falls back to when a watch that begins with what is there is refused: a LIST, and a watch from its version
// on.
func (w *Watch) list() {
	if w.Begin != nil {
		w.Begin()
	}
	q := url.Values{"limit": {"500"}, "resourceVersion": {"0"}}
	if w.Fields != "" {
		q.Set("fieldSelector", w.Fields)
	}
	if w.Labels != "" {
		q.Set("labelSelector", w.Labels)
	}
	Send(w.Loop, w.Client, Call{Method: http.MethodGet, Path: w.Path + "?" + q.Encode(), Accept: wire.Protobuf, Read: w.listed, Again: w.again, Done: func(r h2.Response, err error) {
		switch {
		case w.stopped:
		case err == nil && r.Status == http.StatusOK && w.version != "":
			w.Start()
		default:
			w.later()
		}
	}})
}

// again sends a list again after as long as the server asks for.
func (w *Watch) again(r h2.Response, send func()) {
	w.timer = w.Loop.After(Wait(r), send)
}

// listed reads a list: metadata = 1 {resourceVersion = 2}, items = 2. A server gives all of it in one piece from its cache.
func (w *Watch) listed(r h2.Response) {
	object, err := wire.Object(r.Body)
	if r.Status != http.StatusOK || err != nil {
		return
	}
	_ = wire.Each(object, func(f wire.Number, item []byte, _ uint64) bool {
		if f == 2 && w.Event != nil {
			w.Event(wire.Event{Type: wire.Added, Object: item})
		}
		return true
	})
	if w.Synced != nil {
		w.Synced()
	}
	w.version = string(wire.At(object, 1, 2))
}

// later starts the watch again after its back-off.
func (w *Watch) later() {
	if time.Since(w.began) > backoffReset || w.backoff == 0 {
		w.backoff = firstBackoff
	} else {
		w.backoff = min(2*w.backoff, mostBackoff)
	}
	w.timer = w.Loop.After(Jitter(w.backoff, 1), w.Start)
}

// Jitter lengthens d by up to factor times as much again, as wait.Jitter does.
func Jitter(d time.Duration, factor float64) time.Duration {
	return d + time.Duration(rand.Float64()*factor*float64(d))
}
