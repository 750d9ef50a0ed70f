package controlplane

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"windtunnel/harness/internal/ports"
)

// PortTakenError says that the port that the profile asks for belongs to somebody else.
type PortTakenError struct {
	Port int
	// PID is the owner's, 0 where /proc does not tell.
	PID int
	// Command is the owner's name.
	Command string
}

// Error names the port, its owner and the way out.
func (e *PortTakenError) Error() string {
	owner := ""
	if e.PID > 0 {
		owner = fmt.Sprintf(" by process %d (%s)", e.PID, e.Command)
	}
	return fmt.Sprintf("port %d on 127.0.0.1 is taken%s: set controlPlane.port to another one, or to 0 for any that is free", e.Port, owner)
}

// checkPort fails with a PortTakenError when somebody listens on the port.
func checkPort(port int) error {
	err := ports.Probe(port)
	if errors.Is(err, syscall.EADDRINUSE) {
		pid := portOwner(port)
		return &PortTakenError{Port: port, PID: pid, Command: commandName(pid)}
	}
	if err != nil {
		return fmt.Errorf("listen on port %d: %w", port, err)
	}
	return nil
}

// portOwner finds the process that listens on a TCP port, 0 when /proc does not tell.
func portOwner(port int) int {
	inodes := listeners(port)
	if len(inodes) == 0 {
		return 0
	}
	fds, err := filepath.Glob("/proc/[0-9]*/fd/[0-9]*")
	if err != nil {
		return 0
	}
	for _, fd := range fds {
		target, err := os.Readlink(fd)
		if err != nil || !inodes[target] {
			continue
		}
		if pid, err := strconv.Atoi(strings.Split(fd, "/")[2]); err == nil {
			return pid
		}
	}
	return 0
}

// listeners are the sockets, as their links under /proc/PID/fd read, that listen on a TCP port.
func listeners(port int) map[string]bool {
	found := map[string]bool{}
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		f, err := os.Open(table)
		if err != nil {
			continue
		}
		// sl local_address rem_address st tx:rx tr:tm retrnsmt uid timeout inode …
		const local, state, inode = 1, 3, 9
		const listen = "0A"
		for sc := bufio.NewScanner(f); sc.Scan(); {
			fields := strings.Fields(sc.Text())
			if len(fields) > inode && fields[state] == listen && strings.HasSuffix(fields[local], fmt.Sprintf(":%04X", port)) {
				found["socket:["+fields[inode]+"]"] = true
			}
		}
		f.Close()
	}
	return found
}

func commandName(pid int) string {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
	if err != nil {
		return "?"
	}
	return strings.TrimSpace(string(b))
}
