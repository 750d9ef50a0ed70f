package nodes

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"windtunnel/hollow"
	"windtunnel/profiles"
)

// plenty is a machine without limits.
func plenty() machine {
	return machine{memory: math.MaxInt64, files: math.MaxInt32, inotify: math.MaxInt32, ports: math.MaxInt32}
}

func TestRefusalsShowTheirArithmetic(t *testing.T) {
	d := demand{nodes: 2000, pods: 6000, perProcess: 250, proxy: true}
	if err := d.check(plenty()); err != nil {
		t.Fatal(err)
	}
	check := func(what string, m machine, want ...string) {
		t.Helper()
		err := d.check(m)
		var limit *LimitError
		if !errors.As(err, &limit) || limit.Nodes != 2000 || limit.Fit >= 2000 {
			t.Fatalf("%s: %v", what, err)
		}
		for _, w := range append(want, "2 000 hollow nodes do not fit") {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%s: %q is not in: %v", what, w, err)
			}
		}
		// The number that is said to fit does, and one more does not.
		if limit.Fit > 0 {
			if err := d.of(limit.Fit).check(m); err != nil {
				t.Errorf("%s: %d nodes fit, but: %v", what, limit.Fit, err)
			}
		}
		if err := d.of(limit.Fit + 1).check(m); err == nil {
			t.Errorf("%s: %d nodes fit as well", what, limit.Fit+1)
		}
	}
	m := plenty()
	m.memory = 5_100_000_000
	check("memory", m, "memory: they need ", " in 8 hollow processes with 6 000 pods, ", "5.1 GB are free", "at most ")
	m = plenty()
	m.files = 1024
	check("files", m, "a process with 250 of them needs ", "its limit is 1 024", "the API server needs 4 200")
	m = plenty()
	m.inotify = 5
	check("inotify", m, "8 processes need 8, 5 are left", "max_user_instances", "at most 1 250 nodes fit")
	m = plenty()
	m.ports = 3000
	check("ports", m, "5 000 outgoing connections, there are 3 000 ports", "at most 1 000 nodes fit")
	m = plenty()
	m.memory = 1 << 20
	check("nothing", m, "not one node fits")
	m.files = 10
	check("two limits", m, "memory: ", "open files: ")
	d.nodes = 70_000
	if err := d.check(plenty()); err == nil || !strings.Contains(err.Error(), "65 536") {
		t.Errorf("more nodes than pod networks: %v", err)
	}
}

func TestWhatFitsFits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := demand{
			nodes: rapid.IntRange(1, 5000).Draw(t, "nodes"), pods: rapid.IntRange(0, 50_000).Draw(t, "pods"),
			perProcess: rapid.IntRange(1, 1000).Draw(t, "perProcess"), proxy: rapid.Bool().Draw(t, "proxy"),
		}
		m := machine{
			memory: rapid.Int64Range(0, 1<<34).Draw(t, "memory"), files: rapid.IntRange(0, 20_000).Draw(t, "files"),
			inotify: rapid.IntRange(0, 128).Draw(t, "inotify"), ports: rapid.IntRange(0, 30_000).Draw(t, "ports"),
		}
		var limit *LimitError
		if err := d.check(m); errors.As(err, &limit) && limit.Fit > 0 {
			if err := d.of(limit.Fit).check(m); err != nil {
				t.Fatalf("%d nodes are said to fit: %v", limit.Fit, err)
			}
		}
	})
}

func TestMemoryCountsEveryProcess(t *testing.T) {
	d := demand{nodes: 500, pods: 1000, perProcess: 250}
	one, _ := hollow.Need(hollow.Size{Nodes: 250, Pods: 500})
	if got, want := d.memory(), 2*one+d.controlPlane(); got != want {
		t.Errorf("%d, want %d", got, want)
	}
	if got := (demand{perProcess: 250}).memory(); got != 0 {
		t.Errorf("no node needs %d bytes", got)
	}
}

func TestSpread(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		nodes, per := rapid.IntRange(1, 3000).Draw(t, "nodes"), rapid.IntRange(1, 400).Draw(t, "per")
		sum, least, most := 0, nodes, 0
		for _, n := range spread(nodes, divideUp(nodes, per)) {
			sum, least, most = sum+n, min(least, n), max(most, n)
		}
		if sum != nodes || most > per || most-least > 1 {
			t.Fatalf("%d nodes by %d: sum %d, from %d to %d", nodes, per, sum, least, most)
		}
	})
}

func TestThousandsAndBytes(t *testing.T) {
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1 000", 1234567: "1 234 567", -1000: "-1 000"} {
		if got := thousands(n); got != want {
			t.Errorf("%d is written %q", n, got)
		}
	}
	for n, want := range map[int64]string{3_600_000_000: "3.6 GB", 240_000_000: "240 MB"} {
		if got := bytesText(n); got != want {
			t.Errorf("%d is written %q", n, got)
		}
	}
}

// tree writes files below a directory that stands for /.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range files {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func TestReadMachine(t *testing.T) {
	const meminfo = "MemTotal:       2000000 kB\nMemAvailable:    1000000 kB\n"
	base := map[string]string{
		"proc/meminfo":                            meminfo,
		"proc/sys/fs/inotify/max_user_instances":  "128\n",
		"proc/sys/net/ipv4/ip_local_port_range":   "32768\t60999\n",
		"proc/self/cgroup":                        "0::/user/job\n",
		"sys/fs/cgroup/user/job/memory.max":       "max\n",
		"sys/fs/cgroup/user/job/memory.current":   "700\n",
		"sys/fs/cgroup/user/memory.max":           "100000\n",
		"sys/fs/cgroup/user/memory.current":       "60000\n",
		"sys/fs/cgroup/user/memory.stat":          "anon 1\ninactive_file 5000\n",
		"sys/fs/cgroup/memory/memory.limit_bytes": "1\n",
	}
	m, err := readMachine(tree(t, base))
	if err != nil {
		t.Fatal(err)
	}
	if m.memory != 100000-60000+5000 || m.inotify != 128 || m.ports != 28232 || m.files <= 0 {
		t.Errorf("%+v", m)
	}
	base["proc/self/cgroup"] = "9:cpu:/x\n4:memory:/elsewhere/job\n"
	base["sys/fs/cgroup/memory/memory.limit_in_bytes"] = "30000\n"
	base["sys/fs/cgroup/memory/memory.usage_in_bytes"] = "10000\n"
	base["sys/fs/cgroup/memory/memory.stat"] = "total_inactive_file 7\n"
	if m, err = readMachine(tree(t, base)); err != nil || m.memory != 20007 {
		t.Errorf("version 1 of control groups: %+v, %v", m, err)
	}
	delete(base, "proc/self/cgroup")
	root := tree(t, base)
	for fd, target := range map[string]string{"3": "anon_inode:inotify", "4": "anon_inode:[eventpoll]", "5": "anon_inode:inotify"} {
		dir := filepath.Join(root, "proc/17/fd")
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(target, filepath.Join(dir, fd)); err != nil {
			t.Fatal(err)
		}
	}
	if m, err = readMachine(root); err != nil || m.memory != 1000000<<10 || m.inotify != 126 {
		t.Errorf("without control groups: %+v, %v", m, err)
	}
	if _, err := readMachine(t.TempDir()); err == nil {
		t.Error("a machine without /proc/meminfo")
	}
}

func TestCheckRefusesWhatNoMachineCarries(t *testing.T) {
	var limit *LimitError
	if err := Check(profiles.HollowNodes{Count: 60_000}, 0); !errors.As(err, &limit) {
		t.Errorf("%v", err)
	}
	if err := Check(profiles.HollowNodes{Count: 1}, 1); err != nil {
		t.Error(err)
	}
}
