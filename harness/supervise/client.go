package supervise

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
)

// ErrGone is the error of everything that is asked of a supervisor that has ended.
var ErrGone = errors.New("the supervisor has ended")

// exitsKept is how many exits wait for a reader; children are few, so it is never reached in earnest.
const exitsKept = 1024

// Supervisor is the harness' end of the line to a supervisor process. Its methods may be called from many goroutines.
type Supervisor struct {
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	stdout io.ReadCloser
	dirs   Dirs
	exits  chan Exit
	done   chan struct{} // closed when the process is gone, or detached, and all its messages are read

	send sync.Mutex // held while writing to stdin

	mu       sync.Mutex
	last     int64 // number of the last request
	pending  map[int64]chan message
	lives    map[string]*life
	asked    bool // the end was asked for
	detached bool
	bye      *message // the farewell
}

// life is one life of a child.
type life struct {
	pid   int
	ended chan struct{} // closed when exit is set
	exit  Exit
}

// read takes in all that the supervisor says until it is gone.
func (s *Supervisor) read(hello chan<- Dirs) {
	dec := json.NewDecoder(s.stdout)
	for {
		var m message
		if dec.Decode(&m) != nil {
			break
		}
		if m.Hello != nil {
			hello <- *m.Hello
			continue
		}
		s.take(m)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.detached {
		_ = s.cmd.Process.Release()
	} else {
		// Its output has ended, so it is going or gone; a process that closed it and hangs is not waited for.
		if s.bye == nil {
			_ = s.cmd.Process.Kill()
		}
		_ = s.cmd.Wait()
		if !s.asked {
			s.report(Exit{Name: SupervisorName, PID: s.cmd.Process.Pid, Code: s.cmd.ProcessState.ExitCode()})
		}
	}
	close(s.exits)
	close(s.done)
}

// take handles one message.
func (s *Supervisor) take(m message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case m.Bye:
		s.bye = &m
	case m.Exit != nil:
		if l := s.lives[m.Exit.Name]; l != nil && l.pid == m.Exit.PID {
			l.exit = *m.Exit
			close(l.ended)
		}
		s.report(*m.Exit)
	default:
		if m.Process != nil {
			s.lives[m.Process.Name] = &life{pid: m.Process.PID, ended: make(chan struct{})}
		}
		if answer := s.pending[m.ID]; answer != nil {
			delete(s.pending, m.ID)
			answer <- m
		}
	}
}

// report puts an exit where Exits finds it, if anybody cares to look.
func (s *Supervisor) report(e Exit) {
	select {
	case s.exits <- e:
	default:
	}
}

// call sends a request and waits for the answer. When the context ends first, the request may still be carried out.
func (s *Supervisor) call(ctx context.Context, r request) (message, error) {
	answer := make(chan message, 1)
	s.mu.Lock()
	s.last++
	r.ID = s.last
	s.pending[r.ID] = answer
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		delete(s.pending, r.ID)
		s.mu.Unlock()
	}()

	line, err := json.Marshal(r)
	if err != nil {
		return message{}, err
	}
	s.send.Lock()
	_, err = s.stdin.Write(append(line, '\n'))
	s.send.Unlock()
	if err != nil {
		return message{}, ErrGone
	}
	select {
	case m := <-answer:
		if m.Error != "" {
			return m, errors.New(m.Error)
		}
		return m, nil
	case <-s.done:
		return message{}, ErrGone
	case <-ctx.Done():
		return message{}, context.Cause(ctx)
	}
}

// PID is the process of the supervisor itself.
func (s *Supervisor) PID() int { return s.cmd.Process.Pid }

// Dirs are the supervisor's directories.
func (s *Supervisor) Dirs() Dirs { return s.dirs }

// Exits delivers the end of every child, asked for or not. It is closed when the supervisor has ended; when nobody
// asked it to, an Exit named SupervisorName comes last. Exits wait to be read, and need not be.
func (s *Supervisor) Exits() <-chan Exit { return s.exits }

// Launch starts a child. Relative paths are those of this process.
func (s *Supervisor) Launch(ctx context.Context, spec Spec) (Process, error) {
	if spec.Log != "" {
		abs, err := filepath.Abs(spec.Log)
		if err != nil {
			return Process{}, fmt.Errorf("start %s: %w", spec.Name, err)
		}
		spec.Log = abs
	}
	m, err := s.call(ctx, request{Op: opLaunch, Spec: &spec})
	if err != nil {
		return Process{}, fmt.Errorf("start %s: %w", spec.Name, err)
	}
	return *m.Process, nil
}

// Wait waits until the child that was last launched under the name has ended.
func (s *Supervisor) Wait(ctx context.Context, name string) (Exit, error) {
	s.mu.Lock()
	l := s.lives[name]
	s.mu.Unlock()
	if l == nil {
		return Exit{}, fmt.Errorf("wait for %s: it was never started", name)
	}
	select {
	case <-l.ended:
		return l.exit, nil
	case <-ctx.Done():
		return Exit{}, fmt.Errorf("wait for %s: %w", name, context.Cause(ctx))
	case <-s.done:
	}
	select {
	case <-l.ended: // its end was the last that was heard
		return l.exit, nil
	default:
		return Exit{}, fmt.Errorf("wait for %s: %w", name, ErrGone)
	}
}

// Exited returns the end of the child that was last launched under the name, if it has ended.
func (s *Supervisor) Exited(name string) (Exit, bool) {
	s.mu.Lock()
	l := s.lives[name]
	s.mu.Unlock()
	if l == nil {
		return Exit{}, false
	}
	select {
	case <-l.ended:
		return l.exit, true
	default:
		return Exit{}, false
	}
}

// Stop ends a child: SIGTERM, its grace, SIGKILL. It returns when the process is gone; a child that was never
// started or has ended is no error.
func (s *Supervisor) Stop(ctx context.Context, name string) error {
	if _, err := s.call(ctx, request{Op: opStop, Name: name}); err != nil {
		return fmt.Errorf("stop %s: %w", name, err)
	}
	s.mu.Lock()
	l := s.lives[name]
	s.mu.Unlock()
	if l == nil {
		return nil
	}
	select { // the word that it has ended may come after the answer
	case <-l.ended:
		return nil
	case <-s.done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("stop %s: %w", name, context.Cause(ctx))
	}
}

// Signal sends a signal to a child; SIGKILL goes to its whole process group.
func (s *Supervisor) Signal(ctx context.Context, name string, sig syscall.Signal) error {
	if _, err := s.call(ctx, request{Op: opSignal, Name: name, Signal: sig}); err != nil {
		return fmt.Errorf("signal %s: %w", name, err)
	}
	return nil
}

// Detach lets the supervisor and all its children live on when this process ends. Everything that is needed to find
// them is written to the state file with the given info; Down ends them. The Supervisor is of no use afterwards.
func (s *Supervisor) Detach(ctx context.Context, stateFile string, info map[string]string) error {
	abs, err := filepath.Abs(stateFile)
	if err != nil {
		return fmt.Errorf("detach supervisor: %w", err)
	}
	if _, err := s.call(ctx, request{Op: opDetach, StateFile: abs, Info: info}); err != nil {
		return fmt.Errorf("detach supervisor: %w", err)
	}
	s.mu.Lock()
	s.detached = true
	s.mu.Unlock()
	err = errors.Join(s.stdin.Close(), s.stdout.Close()) // the reader ends
	<-s.done
	return err
}

// Close stops every child in reverse order, removes the directories and ends the supervisor. When the context ends
// before that is done, the supervisor is killed, its children die with it, and Close removes the directories itself.
// It may be called again; after Detach it does nothing.
func (s *Supervisor) Close(ctx context.Context) error {
	s.mu.Lock()
	if s.detached {
		s.mu.Unlock()
		return nil
	}
	s.asked = true
	s.mu.Unlock()
	_ = s.stdin.Close() // the word that ends it

	var errs []error
	select {
	case <-s.done:
	case <-ctx.Done():
		errs = append(errs, fmt.Errorf("stop supervisor: %w", context.Cause(ctx)))
		_ = s.cmd.Process.Kill()
		<-s.done
	}
	if s.bye != nil {
		if s.bye.Error != "" {
			errs = append(errs, fmt.Errorf("stop supervisor: %s", s.bye.Error))
		}
		return errors.Join(errs...)
	}
	// It died without a farewell; its children are dying too.
	clean, cancel := context.WithTimeout(context.WithoutCancel(ctx), removeTime)
	defer cancel()
	return errors.Join(append(errs, removeDirs(clean, s.dirs))...)
}
