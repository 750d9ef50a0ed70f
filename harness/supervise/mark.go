package supervise

import (
	"fmt"
	"strconv"
	"strings"
)

// Mark names the supervisor's process in what it leaves outside of its directories, such as the names of containers: its pid
// and start time, PID-START.
func (s *Supervisor) Mark() string {
	start, err := startTime(s.PID())
	if err != nil {
		start = 0 // it has just died, and so have its children
	}
	return fmt.Sprintf("%d-%d", s.PID(), start)
}

// MarkAlive tells whether the supervisor of a mark is running, as far as can be seen from here: in another pid namespace it
// cannot be seen.
func MarkAlive(mark string) bool {
	first, second, _ := strings.Cut(mark, "-")
	pid, err := strconv.Atoi(first)
	if err != nil {
		return false
	}
	start, err := strconv.ParseUint(second, 10, 64)
	return err == nil && alive(pid, start)
}
