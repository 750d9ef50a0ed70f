// Package supervise keeps a run from leaving anything behind. One small process, the supervisor, owns every child
// and two temporary directories; the harness talks to it over its standard input and output. End of file on its
// input, which the kernel delivers however the harness died, makes it stop all children in reverse order, remove
// the directories and exit. When the supervisor itself is killed, the kernel kills its children (PR_SET_PDEATHSIG)
// and the directories, which it held locked, are swept by the next supervisor that starts.
//
// Children write their logs straight to their files: no pipe can fill up and block them, and a full disk costs
// log lines and nothing else. Logs are not rotated; components at their default verbosity write modestly and a log
// lives as long as its run directory.
package supervise

import (
	"fmt"
	"strings"
	"syscall"
	"time"
)

// SupervisorName is the Name of the Exit that reports the end of the supervisor itself when nobody asked for it.
const SupervisorName = "supervisor"

// DefaultGrace is how long a child has between SIGTERM and SIGKILL when its Spec does not say.
const DefaultGrace = 5 * time.Second

// Options say how the supervisor is started.
type Options struct {
	// Executable is the program that calls Serve, windtunnel itself.
	Executable string
	// Args make it do so. Default: the hidden subcommand supervise.
	Args []string
	// Env is added to the environment, which the children inherit.
	Env []string
	// Log is the file for what the supervisor writes to its standard error (only a crash does). Default: nowhere.
	Log string
}

// Dirs are the directories of one supervisor, which live as long as it does.
type Dirs struct {
	// Disk lies on the disk of os.TempDir: for the store.
	Disk string `json:"disk"`
	// Memory lies on tmpfs where the machine has a usable /dev/shm, under Disk otherwise: for keys, sockets and
	// the hollow nodes' volumes.
	Memory string `json:"memory"`
}

// Spec describes a child process.
type Spec struct {
	// Name identifies the child; only one child of a name runs at a time.
	Name string `json:"name"`
	// Argv is the program and its arguments.
	Argv []string `json:"argv"`
	// Env is added to the supervisor's environment.
	Env []string `json:"env,omitempty"`
	// Log is the file to which standard output and error are appended. Default: nowhere.
	Log string `json:"log,omitempty"`
	// Grace is how long the child has between SIGTERM and SIGKILL. Default DefaultGrace.
	Grace time.Duration `json:"grace,omitempty"`
	// DeathSignal is what the child gets when the supervisor itself is killed. Default SIGKILL; SIGTERM is for a child that owns
	// what no process tree ends, and that removes it and goes.
	DeathSignal syscall.Signal `json:"deathSignal,omitempty"`
	// Group lets neighbours in the order of launching that share it be stopped at the same time. Default: alone.
	Group string `json:"group,omitempty"`
}

// Process is a child that was started.
type Process struct {
	Name string `json:"name"`
	PID  int    `json:"pid"`
}

// Exit is the end of a child.
type Exit struct {
	Name string `json:"name"`
	PID  int    `json:"pid"`
	// Code is the exit status, -1 when a signal ended it.
	Code int `json:"code"`
	// Signal is the name of the signal that ended it, such as "killed", or "".
	Signal string `json:"signal,omitempty"`
	// Log is the log file's path, "" when there is none.
	Log string `json:"log,omitempty"`
	// Tail are the last lines that this life of the child wrote to its log.
	Tail []string `json:"tail,omitempty"`
	// Asked is whether we ended it: by Stop, by a Signal that ends processes, or on the way down.
	Asked bool `json:"asked,omitempty"`
}

// String says how the child ended, without its name.
func (e Exit) String() string {
	if e.Signal != "" {
		return "ended by signal: " + e.Signal
	}
	return fmt.Sprintf("exit status %d", e.Code)
}

// ComponentError is the failure of a component: it died, or it never became ready.
type ComponentError struct {
	// Name is the component's name.
	Name string
	// Log is the path of its log, "" when it has none.
	Log string
	// Tail are the last lines of the log.
	Tail []string
	// Err is what went wrong.
	Err error
}

// Error names the component, what happened, the last lines it wrote and where the rest is.
func (e *ComponentError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %v", e.Name, e.Err)
	for _, line := range e.Tail {
		b.WriteString("\n    " + line)
	}
	if e.Log != "" {
		fmt.Fprintf(&b, "\n  log: %s", e.Log)
	}
	return b.String()
}

// Unwrap returns Err.
func (e *ComponentError) Unwrap() error { return e.Err }

// Failure is the ComponentError of a child that ended although it should not have.
func (e Exit) Failure() *ComponentError {
	return &ComponentError{Name: e.Name, Log: e.Log, Tail: e.Tail, Err: exitError(e.String())}
}

// exitError is how a process ended, as an error.
type exitError string

func (e exitError) Error() string { return string(e) }

// ends reports whether a signal is sent to end a process.
func ends(sig syscall.Signal) bool {
	switch sig {
	case syscall.SIGTERM, syscall.SIGKILL, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGHUP, syscall.SIGABRT:
		return true
	}
	return false
}
