package supervise

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// State is the state file of a supervisor that was detached: what is needed to find it again and to end it.
type State struct {
	// PID and Start (clock ticks since boot) name the supervisor; a process that came by the same pid later has
	// another start time.
	PID   int    `json:"pid"`
	Start uint64 `json:"start"`
	// Dirs are its directories.
	Dirs Dirs `json:"dirs"`
	// Processes are its children, rewritten when one ends.
	Processes []ProcessState `json:"processes"`
	// Info is what the caller of Detach wanted kept, such as the server's URL and the path of the kubeconfig.
	Info map[string]string `json:"info,omitempty"`
}

// ProcessState is one child in the state file.
type ProcessState struct {
	Name string `json:"name"`
	PID  int    `json:"pid"`
	Log  string `json:"log,omitempty"`
	Exit string `json:"exit,omitempty"` // how it ended; absent while it runs
}

// ReadState reads a state file.
func ReadState(file string) (State, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return State{}, fmt.Errorf("read state file: %w", err)
	}
	var st State
	if err := json.Unmarshal(b, &st); err != nil {
		return State{}, fmt.Errorf("read state file %s: %w", file, err)
	}
	if st.PID <= 1 || st.Start == 0 {
		return State{}, fmt.Errorf("read state file %s: it names no process", file)
	}
	return st, nil
}

// Alive reports whether the supervisor is still running.
func (st State) Alive() bool { return alive(st.PID, st.Start) }

// write writes the state file so that a reader never sees half of it.
func (st State) write(file string) error {
	b, err := json.MarshalIndent(st, "", "  ")
	if err != nil {
		return err
	}
	tmp, err := os.CreateTemp(filepath.Dir(file), "."+filepath.Base(file)+"-*")
	if err != nil {
		return err
	}
	_, err = tmp.Write(append(b, '\n'))
	if err = errors.Join(err, tmp.Close()); err == nil {
		err = os.Rename(tmp.Name(), file)
	}
	if err != nil {
		return errors.Join(err, os.Remove(tmp.Name()))
	}
	return nil
}

// detach makes the supervisor outlive the harness.
func (s *server) detach(file string, info map[string]string) error {
	if old, err := ReadState(file); err == nil && old.Alive() {
		return fmt.Errorf("state file %s belongs to process %d, which is running", file, old.PID)
	}
	start, err := startTime(os.Getpid())
	if err != nil {
		return fmt.Errorf("read own start time: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.down {
		return errors.New("shutting down")
	}
	st := &State{PID: os.Getpid(), Start: start, Dirs: s.dirs.Dirs, Processes: s.processes(), Info: info}
	if err := st.write(file); err != nil {
		return fmt.Errorf("write state file: %w", err)
	}
	s.state, s.file = st, file
	return nil
}

func (s *server) detached() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state != nil
}

// processes lists the children for the state file.
func (s *server) processes() []ProcessState {
	list := make([]ProcessState, 0, len(s.children))
	for _, c := range s.children {
		p := ProcessState{Name: c.spec.Name, PID: c.cmd.Process.Pid, Log: c.spec.Log}
		if ended(c) {
			p.Exit = c.exit.String()
		}
		list = append(list, p)
	}
	return list
}

// Down ends a detached supervisor with everything it owns and returns when its process is gone and its directories
// and the state file are removed. When the supervisor is dead already, only what it left is removed. When the
// deadline of the context passes, it is killed, and its children with it; when the context is cancelled it goes
// down by itself and Down only stops watching.
func Down(ctx context.Context, stateFile string) error {
	st, err := ReadState(stateFile)
	if err != nil {
		return err
	}
	if err := st.end(ctx); err != nil {
		return fmt.Errorf("stop supervisor: %w", err)
	}
	clean, cancel := context.WithTimeout(context.WithoutCancel(ctx), removeTime)
	defer cancel()
	return errors.Join(removeDirs(clean, st.Dirs), removeFile(stateFile))
}

// end ends the supervisor's process and waits until it is gone.
func (st State) end(ctx context.Context) error {
	// FindProcess opens a handle on the process; that it still is ours is looked at after that, so that the signal
	// can hit no other.
	p, err := os.FindProcess(st.PID)
	if err != nil {
		return err
	}
	defer p.Release()
	if !st.Alive() {
		return nil
	}
	if err := p.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	err = st.gone(ctx)
	if !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	if err := p.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	kill, cancel := context.WithTimeout(context.WithoutCancel(ctx), killTime)
	defer cancel()
	return st.gone(kill)
}

// gone waits until the process has ended.
func (st State) gone(ctx context.Context) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for st.Alive() {
		select {
		case <-ctx.Done():
			return fmt.Errorf("process %d is still running: %w", st.PID, ctx.Err())
		case <-tick.C:
		}
	}
	return nil
}

// removeDirs removes what is left of a supervisor's directories. It touches only what a supervisor of this user made.
func removeDirs(ctx context.Context, d Dirs) error {
	var errs []error
	for _, dir := range []string{d.Disk, d.Memory} {
		if _, _, ok := parseDirName(filepath.Base(dir)); ok && ownDir(dir) {
			errs = append(errs, removeAll(ctx, dir))
		}
	}
	return errors.Join(errs...)
}

// removeFile removes a file that may be gone already.
func removeFile(file string) error {
	if err := os.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove state file: %w", err)
	}
	return nil
}
