package supervise

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
)

// startTime is when a process started, in clock ticks since the machine booted: together with the pid it names a
// process for good, which the pid alone, being used again, does not. It fails when there is no such process.
func startTime(pid int) (uint64, error) {
	state, start, err := procStat(pid)
	if err != nil {
		return 0, err
	}
	if state == 'Z' || state == 'X' {
		return 0, fmt.Errorf("process %d has ended", pid)
	}
	return start, nil
}

// alive reports whether the process that had this pid and start time is still running; a zombie is not.
func alive(pid int, start uint64) bool {
	now, err := startTime(pid)
	return err == nil && now == start
}

// procStat reads the state (field 3) and start time (field 22) of /proc/PID/stat.
func procStat(pid int) (state byte, start uint64, err error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, 0, err
	}
	// The second field is the command in parentheses and may hold anything, also parentheses.
	end := bytes.LastIndexByte(b, ')')
	fields := bytes.Fields(b[end+1:])
	const stateField, startField = 0, 19 // the third and the 22nd of the line
	if end < 0 || len(fields) <= startField {
		return 0, 0, fmt.Errorf("read /proc/%d/stat: unknown format", pid)
	}
	start, err = strconv.ParseUint(string(fields[startField]), 10, 64)
	if err != nil {
		return 0, 0, fmt.Errorf("read /proc/%d/stat: %w", pid, err)
	}
	return fields[stateField][0], start, nil
}
