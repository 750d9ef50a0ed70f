package supervise

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
)

// Start starts a supervisor and waits until its directories are there.
func Start(ctx context.Context, opts Options) (*Supervisor, error) {
	s, err := open(opts)
	if err != nil {
		return nil, fmt.Errorf("start supervisor: %w", err)
	}
	hello := make(chan Dirs, 1)
	go s.read(hello)
	select {
	case s.dirs = <-hello:
		return s, nil
	case <-s.done:
		if s.bye != nil {
			return nil, fmt.Errorf("start supervisor: %s", s.bye.Error)
		}
		return nil, fmt.Errorf("start supervisor: %w", &ComponentError{
			Name: opts.Executable, Log: opts.Log, Tail: Tail(opts.Log, 0), Err: exitError(s.cmd.ProcessState.String())})
	case <-ctx.Done():
		// Only the supervisor knows its directories yet, so it is given the time to remove them itself.
		patient, cancel := context.WithTimeout(context.WithoutCancel(ctx), killTime)
		defer cancel()
		return nil, errors.Join(fmt.Errorf("start supervisor: %w", context.Cause(ctx)), s.Close(patient))
	}
}

// open starts the process with pipes to it.
func open(opts Options) (*Supervisor, error) {
	args := opts.Args
	if args == nil {
		args = []string{"supervise"}
	}
	cmd := exec.Command(opts.Executable, args...)
	cmd.Env = append(os.Environ(), opts.Env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // away from the terminal's Ctrl-C
	log, _, err := openLog(opts.Log)
	if err != nil {
		return nil, err
	}
	if log != nil {
		defer log.Close()
		cmd.Stderr = log
	}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil { // closes the pipes
		return nil, err
	}
	return &Supervisor{
		cmd: cmd, stdin: stdin, stdout: stdout,
		exits: make(chan Exit, exitsKept), done: make(chan struct{}),
		pending: map[int64]chan message{}, lives: map[string]*life{},
	}, nil
}
