package nodes

import (
	"bufio"
	"bytes"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// machine is what is free on this machine.
type machine struct {
	memory  int64 // bytes that can be had without swapping
	files   int   // most open files of one process
	inotify int   // inotify instances that this user may still make
	ports   int   // ports for outgoing connections to one address
}

// readMachine asks /proc, /sys (found under root, "/" but in tests) and the process's limits.
func readMachine(root string) (machine, error) {
	var m machine
	free, err := memAvailable(filepath.Join(root, "proc/meminfo"))
	if err != nil {
		return m, fmt.Errorf("read how much memory is free: %w", err)
	}
	m.memory = min(free, cgroupFree(root))
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return m, fmt.Errorf("read the limit of open files: %w", err)
	}
	// The supervisor raises the soft limit to the hard one for its children.
	m.files = int(min(limit.Max, math.MaxInt32))
	m.inotify = inotifyFree(root)
	m.ports = outgoingPorts(root)
	return m, nil
}

// memAvailable reads the kernel's own estimate of what new programs can get, in bytes.
func memAvailable(meminfo string) (int64, error) {
	b, err := os.ReadFile(meminfo)
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, "MemAvailable:"); ok {
			kib, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")), 10, 64)
			return kib << 10, err
		}
	}
	return 0, fmt.Errorf("%s has no line MemAvailable", meminfo)
}

// cgroup is where a version of control groups keeps the limit of memory.
type cgroup struct{ controller, mount, limit, used, reclaimable string }

// cgroupFree is what the control groups of this process leave of their memory limits, in bytes; caches that the kernel
// would give back count as free. Without limits it is the largest number.
func cgroupFree(root string) int64 {
	free := int64(math.MaxInt64)
	b, err := os.ReadFile(filepath.Join(root, "proc/self/cgroup"))
	if err != nil {
		return free
	}
	for line := range strings.Lines(string(b)) {
		// hierarchy:controllers:path
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(parts) != 3 {
			continue
		}
		for _, g := range []cgroup{
			{"", "sys/fs/cgroup", "memory.max", "memory.current", "inactive_file"},
			{"memory", "sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"},
		} {
			if parts[1] == g.controller {
				free = min(free, g.free(filepath.Join(root, g.mount), parts[2]))
			}
		}
	}
	return free
}

// free looks at the group and all above it: each has a limit of its own. Below a container's mount the path may not be
// there, then the groups that are count.
func (g cgroup) free(mount, path string) int64 {
	free := int64(math.MaxInt64)
	for p := filepath.Clean("/" + path); ; p = filepath.Dir(p) {
		dir := filepath.Join(mount, p)
		limit, err := readNumber(filepath.Join(dir, g.limit)) // "max" is no number and no limit
		used, err2 := readNumber(filepath.Join(dir, g.used))
		if err == nil && err2 == nil {
			free = min(free, max(0, limit-used+readStat(filepath.Join(dir, "memory.stat"), g.reclaimable)))
		}
		if p == "/" {
			return free
		}
	}
}

// inotifyFree is how many inotify instances this user may still make; the largest number when that is unknown.
func inotifyFree(root string) int {
	most, err := readNumber(filepath.Join(root, "proc/sys/fs/inotify/max_user_instances"))
	if err != nil {
		return math.MaxInt32
	}
	links, err := filepath.Glob(filepath.Join(root, "proc/[0-9]*/fd/[0-9]*"))
	if err != nil {
		return int(most)
	}
	used := 0
	for _, link := range links { // those of other users cannot be read, and do not count
		if target, err := os.Readlink(link); err == nil && target == "anon_inode:inotify" {
			used++
		}
	}
	return int(most) - used
}

// outgoingPorts is how many connections can be open to one address and port.
func outgoingPorts(root string) int {
	b, err := os.ReadFile(filepath.Join(root, "proc/sys/net/ipv4/ip_local_port_range"))
	if err != nil {
		return math.MaxInt32
	}
	var low, high int
	if _, err := fmt.Sscan(string(b), &low, &high); err != nil {
		return math.MaxInt32
	}
	return high - low + 1
}

func readNumber(file string) (int64, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return 0, err
	}
	return strconv.ParseInt(string(bytes.TrimSpace(b)), 10, 64)
}

// readStat reads one line "name number" of a file, 0 when it has none.
func readStat(file, name string) int64 {
	f, err := os.Open(file)
	if err != nil {
		return 0
	}
	defer f.Close()
	for sc := bufio.NewScanner(f); sc.Scan(); {
		if rest, ok := strings.CutPrefix(sc.Text(), name+" "); ok {
			if n, err := strconv.ParseInt(strings.TrimSpace(rest), 10, 64); err == nil {
				return n
			}
		}
	}
	return 0
}
