package supervise

import (
	"encoding/json"
	"io"
	"sync"
	"syscall"
	"time"
)

// The operations that the harness asks for.
const (
	opLaunch = "launch"
	opStop   = "stop"
	opSignal = "signal"
	opDetach = "detach"
)

// request is one line from the harness to the supervisor.
type request struct {
	ID     int64          `json:"id"`
	Op     string         `json:"op"`
	Name   string         `json:"name,omitempty"`
	Spec   *Spec          `json:"spec,omitempty"`
	Signal syscall.Signal `json:"signal,omitempty"`
	// StateFile and Info are those of Detach.
	StateFile string            `json:"stateFile,omitempty"`
	Info      map[string]string `json:"info,omitempty"`
}

// message is one line from the supervisor to the harness: the greeting, an answer (ID > 0), the end of a child, or
// the farewell.
type message struct {
	ID      int64    `json:"id,omitempty"`
	Error   string   `json:"error,omitempty"`
	Process *Process `json:"process,omitempty"`
	Exit    *Exit    `json:"exit,omitempty"`
	Hello   *Dirs    `json:"hello,omitempty"`
	Bye     bool     `json:"bye,omitempty"`
}

// outbox writes messages without ever making its callers wait: a harness that is stopped in a debugger, or dead,
// must not keep the supervisor from its work.
type outbox struct {
	mu    sync.Mutex
	queue []message
	wake  chan struct{} // capacity 1
	done  chan struct{} // closed when the writer has ended
	shut  bool
}

func newOutbox(w io.Writer) *outbox {
	o := &outbox{wake: make(chan struct{}, 1), done: make(chan struct{})}
	go o.write(w)
	return o
}

// send queues a message.
func (o *outbox) send(m message) {
	o.mu.Lock()
	o.queue = append(o.queue, m)
	o.mu.Unlock()
	o.nudge()
}

func (o *outbox) nudge() {
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

// close lets what is queued be written, for at most the given time.
func (o *outbox) close(patience time.Duration) {
	o.mu.Lock()
	o.shut = true
	o.mu.Unlock()
	o.nudge()
	select {
	case <-o.done:
	case <-time.After(patience):
	}
}

func (o *outbox) write(w io.Writer) {
	defer close(o.done)
	enc := json.NewEncoder(w)
	dead := false
	for range o.wake {
		o.mu.Lock()
		batch, shut := o.queue, o.shut
		o.queue = nil
		o.mu.Unlock()
		for _, m := range batch {
			// After the first failure nobody reads any more; the end of file on the other pipe tells the rest.
			if !dead && enc.Encode(m) != nil {
				dead = true
			}
		}
		if shut {
			return
		}
	}
}
