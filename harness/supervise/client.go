package supervise

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
)

// ErrGone is the error of everything that is asked of a supervisor that has ended.
var ErrGone = errors.New("the supervisor has ended")

// Supervisor is the harness' end of the line to a supervisor process. Its methods may be called from many goroutines.
type Supervisor struct {
	cmd   *exec.Cmd
	dirs  Dirs
	exits chan Exit
	done  chan struct{} // closed when the process is gone and all its messages are read

	send  sync.Mutex // held while writing to stdin
	stdin io.WriteCloser

	mu      sync.Mutex
	next    int64
	pending map[int64]chan message
	lives   map[string]*life
	closing bool   // the end was asked for
	bye     string // the error of the farewell
}

// life is one life of a child.
type life struct {
	pid   int
	ended chan struct{} // closed when exit is set
	exit  Exit
}

// Start starts a supervisor and waits until its directories are there.
func Start(ctx context.Context, opts Options) (*Supervisor, error) {
	args := opts.Args
	if args == nil {
		args = []string{"supervise"}
	}
	cmd := exec.Command(opts.Executable, args...)
	cmd.Env = append(os.Environ(), opts.Env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // away from the terminal's Ctrl-C
	if opts.Log != "" {
		log, _, err := openLog(opts.Log)
		if err != nil {
			return nil, fmt.Errorf("start supervisor: %w", err)
		}
		defer log.Close()
		cmd.Stderr = log
	}
	s, err := attach(cmd)
	if err != nil {
		return nil, fmt.Errorf("start supervisor: %w", err)
	}
	hello := make(chan Dirs, 1)
	go s.read(hello)
	select {
	case dirs, ok := <-hello:
		if ok {
			s.dirs = dirs
			return s, nil
		}
		<-s.done
		return nil, s.startError(opts)
	case <-ctx.Done():
		return nil, errors.Join(fmt.Errorf("start supervisor: %w", context.Cause(ctx)), s.Close(ctx))
	}
}

// attach starts the process with pipes to it.
func attach(cmd *exec.Cmd) (*Supervisor, error) {
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, errors.Join(err, stdin.Close())
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return &Supervisor{
		cmd: &exec.Cmd{Process: cmd.Process, Stdout: nil}, stdin: stdin, exits: make(chan Exit), done: make(chan struct{}),
		pending: map[int64]chan message{}, lives: map[string]*life{},
	}, errors.Join(nil, keep(stdout))
}
