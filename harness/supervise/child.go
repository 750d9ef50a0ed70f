package supervise

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// killTime is how long a process may take to go after SIGKILL; longer means that it hangs in the kernel.
const killTime = 10 * time.Second

// child is a process that the supervisor started.
type child struct {
	spec  Spec
	cmd   *exec.Cmd
	from  int64 // length of the log before it started
	asked atomic.Bool
	done  chan struct{} // closed when exit is set
	exit  Exit

	mu     sync.Mutex
	reaped bool // from here on the pid may belong to somebody else
}

// spawner starts processes from one operating-system thread that never ends: the kernel sends a child its
// parent-death signal when the thread that forked it goes, not when the process does.
type spawner struct{ work chan func() }

func newSpawner() *spawner {
	s := &spawner{work: make(chan func())}
	go func() {
		runtime.LockOSThread()
		for f := range s.work {
			f()
		}
	}()
	return s
}

// start starts a child.
func (s *spawner) start(spec Spec) (*child, error) {
	if len(spec.Argv) == 0 {
		return nil, errors.New("no program given")
	}
	log, from, err := openLog(spec.Log)
	if err != nil {
		return nil, err
	}
	c := &child{spec: spec, from: from, done: make(chan struct{})}
	c.cmd = exec.Command(spec.Argv[0], spec.Argv[1:]...)
	c.cmd.Env = append(os.Environ(), spec.Env...)
	if log != nil {
		defer log.Close()
		c.cmd.Stdout, c.cmd.Stderr = log, log
	}
	// A session of its own keeps a terminal's Ctrl-C and hang-up away.
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Pdeathsig: cmp.Or(spec.DeathSignal, syscall.SIGKILL)}
	started := make(chan error)
	s.work <- func() { started <- c.cmd.Start() }
	if err := <-started; err != nil {
		return nil, err
	}
	return c, nil
}

// openLog opens a log for appending and says how long it is already.
func openLog(path string) (*os.File, int64, error) {
	if path == "" {
		return nil, 0, nil
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o644)
	if err != nil {
		return nil, 0, fmt.Errorf("open log: %w", err)
	}
	end, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		end = 0 // a log that is a device or a pipe has no length
	}
	return f, end, nil
}

// wait waits for the end of the child, ends what it left in its process group and sets exit.
func (c *child) wait() Exit {
	pid := c.cmd.Process.Pid
	// Look without reaping first: as long as the zombie holds the number, the group's signal cannot reach a stranger.
	for {
		err := unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		if !errors.Is(err, unix.EINTR) {
			break
		}
	}
	c.mu.Lock()
	_ = unix.Kill(-pid, unix.SIGKILL)
	_ = c.cmd.Wait() // the state says it all
	c.reaped = true
	c.mu.Unlock()

	c.exit = Exit{Name: c.spec.Name, PID: pid, Code: c.cmd.ProcessState.ExitCode(), Log: c.spec.Log, Asked: c.asked.Load()}
	if st, ok := c.cmd.ProcessState.Sys().(syscall.WaitStatus); ok && st.Signaled() {
		c.exit.Signal = st.Signal().String()
	}
	c.exit.Tail = Tail(c.spec.Log, c.from)
	close(c.done)
	return c.exit
}

// signal sends a signal to the process, or with group set to all of its process group.
func (c *child) signal(sig syscall.Signal, group bool) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.reaped {
		return fmt.Errorf("%s is not running", c.spec.Name)
	}
	if ends(sig) {
		c.asked.Store(true)
	}
	pid := c.cmd.Process.Pid
	if group {
		pid = -pid
	}
	return unix.Kill(pid, sig)
}

// stop ends the child: SIGTERM, then SIGKILL when the grace is over or the context ends. It fails when the process is
// still there long after that.
func (c *child) stop(ctx context.Context) error {
	c.asked.Store(true)
	if c.signal(syscall.SIGTERM, false) == nil {
		grace := c.spec.Grace
		if grace <= 0 {
			grace = DefaultGrace
		}
		select {
		case <-c.done:
			return nil
		case <-ctx.Done():
		case <-time.After(grace):
		}
		_ = c.signal(syscall.SIGKILL, true) // fails only when it has just gone
	}
	select {
	case <-c.done:
		return nil
	case <-time.After(killTime):
		return fmt.Errorf("process %d of %s is still there %v after SIGKILL", c.cmd.Process.Pid, c.spec.Name, killTime)
	}
}
