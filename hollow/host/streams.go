package host

import (
	"errors"
	"net/http"
	"strconv"
	"sync"
	"time"

	"windtunnel/hollow"
	"windtunnel/results"
)

const (
	// mostStreams is how many may listen at one time: everybody who reaches a pod can ask.
	mostStreams = 4
	// streamBacklog is how many events wait for a listener that is slow. One that falls further behind is cut off, for it must not
	// slow down what is measured.
	streamBacklog = 1 << 16
)

// happening is what a container runtime saw, before it is known from when its instant counts.
type happening struct {
	at    time.Time
	event results.PodEvent
}

// streams hands what the container runtimes see to those who listen.
type streams struct {
	mu    sync.Mutex
	open  map[*stream]struct{}
	ended bool
}

// stream is one listener.
type stream struct {
	events chan happening
	over   chan struct{} // closed when no event follows: the shard ends, or behind
	behind bool          // it was cut off; set before over is closed
}

func newStreams() *streams { return &streams{open: make(map[*stream]struct{})} }

// publish hands an event to everybody who listens. It does not block.
func (s *streams) publish(h happening) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for one := range s.open {
		select {
		case one.events <- h:
		default:
			one.behind = true
			s.close(one)
		}
	}
}

// close ends a stream once. Callers hold the lock.
func (s *streams) close(one *stream) {
	if _, open := s.open[one]; open {
		delete(s.open, one)
		close(one.over)
	}
}

// end ends all streams when they have sent what they have, and lets nobody join.
func (s *streams) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = true
	for one := range s.open {
		s.close(one)
	}
}

var errStreams = errors.New("too many listen already, or the nodes have ended")

func (s *streams) join() (*stream, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended || len(s.open) >= mostStreams {
		return nil, errStreams
	}
	one := &stream{events: make(chan happening, streamBacklog), over: make(chan struct{})}
	s.open[one] = struct{}{}
	return one, nil
}

func (s *streams) leave(one *stream) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.close(one)
}

// serve answers a request for PathSamples.
func (s *streams) serve(w http.ResponseWriter, r *http.Request) {
	base, err := strconv.ParseInt(r.FormValue(hollow.QueryBase), 10, 64)
	if err != nil {
		http.Error(w, "base is not a clock's base: "+err.Error(), http.StatusBadRequest)
		return
	}
	if boot := hollow.BootID(); boot == "" || r.FormValue(hollow.QueryBoot) != boot {
		http.Error(w, "the nodes run on another kernel than the one that asks, and so with another clock", http.StatusPreconditionFailed)
		return
	}
	one, err := s.join()
	if err != nil {
		http.Error(w, err.Error(), http.StatusTooManyRequests)
		return
	}
	defer s.leave(one)
	clock := results.ClockAt(base)
	w.Header().Set("Content-Type", "application/vnd.apache.arrow.stream")
	w.Header().Set(hollow.HeaderInstant, strconv.FormatInt(clock.Now(), 10))
	one.send(w, r, clock)
}

// send writes the events until the stream is over or its listener has gone.
func (one *stream) send(w http.ResponseWriter, r *http.Request, clock results.Clock) {
	out := &response{w: w, control: http.NewResponseController(w)}
	writer, err := results.NewStreamWriter[results.PodEvent]("samples", out, results.WithClock(clock))
	if err != nil {
		return
	}
	// Without the mark the listener knows that it has not got everything; cut also frees an Append that waits.
	whole := one.pump(writer, r, clock, out.cut)
	if !whole {
		out.cut()
	}
	writer.Close() // its error is the listener's hanging up
}

// pump hands events to the writer and says whether all were. cut is called while it may be waiting.
func (one *stream) pump(writer *results.Writer[results.PodEvent], r *http.Request, clock results.Clock, cut func()) bool {
	pumped := make(chan struct{})
	defer close(pumped)
	go func() {
		select {
		case <-one.over:
			if one.behind {
				cut()
			}
		case <-pumped:
		}
	}()
	put := func(h happening) {
		h.event.At = clock.At(h.at)
		writer.Append(h.event)
	}
	for {
		select {
		case h := <-one.events:
			put(h)
		case <-one.over:
			for { // what was published before the end
				select {
				case h := <-one.events:
					put(h)
				default:
					return !one.behind
				}
			}
		case <-writer.Failed():
			return false
		case <-r.Context().Done():
			return false
		}
	}
}

// response is an answer's body that is sent as it is written, until it is cut.
type response struct {
	w       http.ResponseWriter
	control *http.ResponseController

	mu   sync.Mutex
	gone bool
}

var errCut = errors.New("the stream was cut off")

// Write implements io.Writer.
func (r *response) Write(p []byte) (int, error) {
	r.mu.Lock()
	gone := r.gone
	r.mu.Unlock()
	if gone {
		return 0, errCut
	}
	n, err := r.w.Write(p)
	if err == nil {
		err = r.control.Flush()
	}
	return n, err
}

// cut makes a Write that waits fail, and all that follow.
func (r *response) cut() {
	r.mu.Lock()
	r.gone = true
	r.mu.Unlock()
	// Fails only where the connection knows no deadline; then its listener's end of it is what a Write waits for.
	_ = r.control.SetWriteDeadline(time.Now())
}
