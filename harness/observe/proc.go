package observe

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
)

// userHZ is the unit of CPU times in /proc, the same on every Linux whatever its own tick is.
const userHZ = 100

// stat is what is read of /proc/PID/stat.
type stat struct {
	started    uint64  // ticks since the machine booted: with the pid it identifies a process
	cpuSeconds float64 // user + system, of the whole process
	threads    int32
	rss        int64 // bytes
}

// readStat reads /proc/PID/stat.
func readStat(pid int) (stat, error) {
	data, err := os.ReadFile(procPath(pid, "stat"))
	if err != nil {
		return stat{}, err
	}
	return parseStat(data)
}

// parseStat takes the fields by their numbers in proc(5): utime 14, stime 15, num_threads 20, starttime 22, rss (pages) 24. They
// are counted from the closing parenthesis of the name, field 2, which can hold spaces and parentheses itself.
func parseStat(data []byte) (stat, error) {
	end := bytes.LastIndexByte(data, ')')
	if end < 0 {
		return stat{}, fmt.Errorf("no process name in %q", data)
	}
	fields := bytes.Fields(data[end+1:])
	const third = 3 // the first of them is field 3
	number := func(field int) (n uint64, err error) {
		if field-third >= len(fields) {
			return 0, fmt.Errorf("field %d is missing", field)
		}
		return strconv.ParseUint(string(fields[field-third]), 10, 64)
	}
	var values [5]uint64
	for i, field := range [5]int{14, 15, 20, 22, 24} {
		n, err := number(field)
		if err != nil {
			return stat{}, fmt.Errorf("read /proc/PID/stat: %w", err)
		}
		values[i] = n
	}
	return stat{
		cpuSeconds: float64(values[0]+values[1]) / userHZ,
		threads:    int32(values[2]),
		started:    values[3],
		rss:        int64(values[4]) * int64(os.Getpagesize()),
	}, nil
}

// readPSS reads the proportional set size of a process from smaps_rollup, in bytes. The kernel walks all page tables for it
// under the lock that page faults need, so it is not done at every sample.
func readPSS(pid int) (int64, error) {
	data, err := os.ReadFile(procPath(pid, "smaps_rollup"))
	if err != nil {
		return 0, err
	}
	for line := range bytes.Lines(data) {
		if value, ok := bytes.CutPrefix(line, []byte("Pss:")); ok {
			fields := bytes.Fields(value)
			if len(fields) == 0 {
				break
			}
			kib, err := strconv.ParseInt(string(fields[0]), 10, 64)
			return kib << 10, err
		}
	}
	return 0, fmt.Errorf("no Pss in smaps_rollup of process %d", pid)
}

// countFDs counts the open file descriptors of a process. Since Linux 6.2 the directory's size is their number, which saves
// reading thousands of entries a second; before, it is 0.
func countFDs(pid int) (int32, error) {
	path := procPath(pid, "fd")
	info, err := os.Stat(path)
	if err != nil {
		return 0, err
	}
	if info.Size() > 0 {
		return int32(info.Size()), nil
	}
	dir, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	return int32(len(names)), err
}

func procPath(pid int, file string) string { return "/proc/" + strconv.Itoa(pid) + "/" + file }
