package supervise

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"sync"
	"syscall"
	"time"
)

// downTime bounds the graces of all children together when everything is stopped.
const downTime = 45 * time.Second

// server is the supervisor.
type server struct {
	dirs  *tempDirs
	out   *outbox
	spawn *spawner

	mu       sync.Mutex
	children []*child // in the order in which they were launched, one for each name
	down     bool     // nothing is launched any more
	state    *State   // set when detached
	file     string   // of state
}

// Serve is the supervisor process: it obeys what the harness writes to stdin, line by line, until stdin ends, SIGTERM
// arrives or the context ends, and then stops every child, removes the directories and returns. It changes properties
// of the whole process (signals, limits) and so belongs into one of its own, which ends when it returns.
func Serve(ctx context.Context, stdin io.Reader, stdout io.Writer) error {
	sigs := make(chan os.Signal, 4)
	// The other three would end us, which is not for a terminal or a closed pipe to do. They are caught and not ignored
	// because children inherit what is ignored.
	signal.Notify(sigs, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP, syscall.SIGPIPE)
	defer signal.Stop(sigs)
	raiseFileLimit()

	s := &server{out: newOutbox(stdout), spawn: newSpawner()}
	defer s.out.close(time.Second)
	dirs, err := makeDirs()
	if err != nil {
		s.out.send(message{Error: err.Error(), Bye: true})
		return err
	}
	s.dirs = dirs
	s.out.send(message{Hello: &dirs.Dirs})

	eof := make(chan struct{})
	go func() {
		defer close(eof)
		s.read(ctx, stdin)
	}()
	s.untilTheEnd(ctx, eof, sigs)

	hurry, cancel := context.WithTimeout(context.WithoutCancel(ctx), downTime)
	defer cancel()
	go func() { // a second SIGTERM ends the graces
		for sig := range sigs {
			if sig == syscall.SIGTERM {
				cancel()
			}
		}
	}()
	err = s.shutdown(hurry)
	bye := message{Bye: true}
	if err != nil {
		bye.Error = err.Error()
	}
	s.out.send(bye)
	return err
}

// untilTheEnd waits for a reason to shut down.
func (s *server) untilTheEnd(ctx context.Context, eof <-chan struct{}, sigs <-chan os.Signal) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-eof:
			if !s.detached() {
				return
			}
			eof = nil
		case sig := <-sigs:
			if sig == syscall.SIGTERM {
				return
			}
		}
	}
}

// read takes requests until the harness is gone. Each is served on its own, so that a slow stop delays nothing else.
func (s *server) read(ctx context.Context, stdin io.Reader) {
	dec := json.NewDecoder(stdin)
	for {
		var r request
		if dec.Decode(&r) != nil {
			return // also what is no JSON: such a harness is not to be trusted any more
		}
		if r.Op == opLaunch || r.Op == opDetach {
			s.answer(ctx, r) // in the order asked for; both are quick
			continue
		}
		go s.answer(ctx, r)
	}
}

// answer serves one request.
func (s *server) answer(ctx context.Context, r request) {
	m := message{ID: r.ID}
	var err error
	var launched *child
	switch r.Op {
	case opLaunch:
		if launched, err = s.launch(r.Spec); err == nil {
			m.Process = &Process{Name: r.Spec.Name, PID: launched.cmd.Process.Pid}
		}
	case opStop:
		err = s.stop(ctx, r.Name)
	case opSignal:
		err = s.signal(r.Name, r.Signal)
	case opDetach:
		err = s.detach(r.StateFile, r.Info)
	default:
		err = fmt.Errorf("unknown operation %q", r.Op)
	}
	if err != nil {
		m.Error = err.Error()
	}
	s.out.send(m)
	if launched != nil {
		go s.watch(launched) // only now: the harness must hear of a child before it hears of its end
	}
}

func (s *server) launch(spec *Spec) (*child, error) {
	if spec == nil || spec.Name == "" {
		return nil, errors.New("a child needs a name")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.down {
		return nil, errors.New("shutting down")
	}
	i := s.index(spec.Name)
	if i >= 0 && !ended(s.children[i]) {
		return nil, fmt.Errorf("already running as process %d", s.children[i].cmd.Process.Pid)
	}
	c, err := s.spawn.start(*spec)
	if err != nil {
		return nil, err
	}
	if i >= 0 {
		s.children[i] = c // one that is started again keeps its place in the order of stopping
	} else {
		s.children = append(s.children, c)
	}
	return c, nil
}

// watch reports the end of a child.
func (s *server) watch(c *child) {
	exit := c.wait()
	s.out.send(message{Exit: &exit})
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state != nil && !s.down {
		s.state.Processes = s.processes()
		_ = s.state.write(s.file) // only a convenience for readers; the next exit tries again
	}
}

func (s *server) stop(ctx context.Context, name string) error {
	c := s.find(name)
	if c == nil {
		return nil // what was never started is stopped
	}
	return c.stop(ctx)
}

func (s *server) signal(name string, sig syscall.Signal) error {
	c := s.find(name)
	if c == nil {
		return fmt.Errorf("%s was never started", name)
	}
	return c.signal(sig, sig == syscall.SIGKILL)
}

func (s *server) find(name string) *child {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := s.index(name); i >= 0 {
		return s.children[i]
	}
	return nil
}

func (s *server) index(name string) int {
	return slices.IndexFunc(s.children, func(c *child) bool { return c.spec.Name == name })
}

// shutdown stops all children, the last launched first and those of one group together, and removes every trace.
func (s *server) shutdown(ctx context.Context) error {
	s.mu.Lock()
	s.down = true
	children := slices.Clone(s.children)
	s.mu.Unlock()
	slices.Reverse(children)

	var errs []error
	for len(children) > 0 {
		n := 1
		for n < len(children) && children[0].spec.Group != "" && children[n].spec.Group == children[0].spec.Group {
			n++
		}
		errs = append(errs, stopAll(ctx, children[:n])...)
		children = children[n:]
	}
	errs = append(errs, s.dirs.remove())
	if s.detached() {
		errs = append(errs, removeFile(s.file))
	}
	return errors.Join(errs...)
}

// stopAll stops children at the same time.
func stopAll(ctx context.Context, children []*child) []error {
	errs := make([]error, len(children))
	var wg sync.WaitGroup
	for i, c := range children {
		wg.Go(func() { errs[i] = c.stop(ctx) })
	}
	wg.Wait()
	return errs
}

// ended reports whether a child has ended.
func ended(c *child) bool {
	select {
	case <-c.done:
		return true
	default:
		return false
	}
}

// raiseFileLimit lets this process and its children open as many files as the hard limit allows. Setting it by syscall
// also keeps the Go runtime from putting the old limit back in children.
func raiseFileLimit() {
	var lim syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &lim) != nil {
		return
	}
	lim.Cur = lim.Max
	_ = syscall.Setrlimit(syscall.RLIMIT_NOFILE, &lim) // what is refused stays as it was; the node pack checks it
}
