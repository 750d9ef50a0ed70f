package supervise

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// The names of what the supervisor makes: windtunnel-<pid>-<start time>-<random> with a file that it holds locked.
const (
	dirPrefix  = "windtunnel-"
	lockName   = "lock"
	sharedMem  = "/dev/shm"
	removeTime = 5 * time.Second
	// leastMemory is how much room a tmpfs must have to be worth using, in bytes: containers often get one of 64 MB, which
	// the volumes of a few hundred pods fill.
	leastMemory = 512 << 20
)

// tempDirs are the two directories with the locks that show that they are in use.
type tempDirs struct {
	Dirs
	roots []string   // what is to be removed
	locks []*os.File // held until the process ends
}

// makeDirs makes the directories and sweeps away those that dead supervisors left.
func makeDirs() (*tempDirs, error) {
	start, err := startTime(os.Getpid())
	if err != nil {
		return nil, fmt.Errorf("read own start time: %w", err)
	}
	sweep(os.TempDir())
	d := &tempDirs{}
	if d.Disk, err = d.add(os.TempDir(), start); err != nil {
		return nil, err
	}
	if usableTmpfs(sharedMem) {
		sweep(sharedMem)
		if d.Memory, err = d.add(sharedMem, start); err == nil {
			return d, nil
		}
		// A /dev/shm that is full or not ours is not worth failing for.
	}
	d.Memory = filepath.Join(d.Disk, "memory")
	if err := os.Mkdir(d.Memory, 0o700); err != nil {
		return nil, errors.Join(fmt.Errorf("make temporary directory: %w", err), d.remove())
	}
	return d, nil
}

// add makes one locked directory in base.
func (d *tempDirs) add(base string, start uint64) (string, error) {
	dir, err := os.MkdirTemp(base, fmt.Sprintf("%s%d-%d-*", dirPrefix, os.Getpid(), start))
	if err != nil {
		return "", fmt.Errorf("make temporary directory: %w", err)
	}
	lock, err := lockFile(filepath.Join(dir, lockName), os.O_CREATE)
	if err != nil {
		return "", errors.Join(fmt.Errorf("lock temporary directory %s: %w", dir, err), os.RemoveAll(dir))
	}
	d.roots = append(d.roots, dir)
	d.locks = append(d.locks, lock)
	return dir, nil
}

// remove removes the directories. Processes that were killed a moment ago may still be writing, so it tries for a while.
func (d *tempDirs) remove() error {
	ctx, cancel := context.WithTimeout(context.Background(), removeTime)
	defer cancel()
	var errs []error
	for _, dir := range d.roots {
		errs = append(errs, removeAll(ctx, dir))
	}
	return errors.Join(errs...)
}

// removeAll removes a directory, again and again until the context ends.
func removeAll(ctx context.Context, dir string) error {
	for {
		err := os.RemoveAll(dir)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("remove temporary directory: %w", err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// usableTmpfs reports whether the directory is a tmpfs with room that we may write to.
func usableTmpfs(dir string) bool {
	var fs unix.Statfs_t
	if err := unix.Statfs(dir, &fs); err != nil || fs.Type != unix.TMPFS_MAGIC || fs.Bavail*uint64(fs.Bsize) < leastMemory {
		return false
	}
	return unix.Access(dir, unix.W_OK|unix.X_OK) == nil
}

// lockFile takes the lock of a file or fails at once when somebody holds it.
func lockFile(path string, flag int) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|flag|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// sweep removes the directories that dead supervisors of this user left in base. It is best effort: what cannot be
// removed now is still there at the next start.
func sweep(base string) {
	entries, err := os.ReadDir(base)
	if err != nil {
		return
	}
	for _, e := range entries {
		if dir := filepath.Join(base, e.Name()); abandoned(dir) {
			_ = os.RemoveAll(dir)
		}
	}
}

// abandoned reports whether a directory was made by a supervisor of this user that is gone. Both signs are needed: the
// process is gone, which is not enough as it may live in another pid namespace that shares the directory, and its lock
// is free, which is not enough as it may be about to take it.
func abandoned(dir string) bool {
	pid, start, ok := parseDirName(filepath.Base(dir))
	if !ok || !ownDir(dir) || alive(pid, start) {
		return false
	}
	lock, err := lockFile(filepath.Join(dir, lockName), 0)
	if errors.Is(err, os.ErrNotExist) {
		// Killed between making the directory and its lock, or half removed. Leave it a minute for the sake of other
		// namespaces.
		info, err := os.Lstat(dir)
		return err == nil && time.Since(info.ModTime()) > time.Minute
	}
	if err != nil {
		return false
	}
	_ = lock.Close()
	return true
}

// ownDir reports whether the path is a directory of this user and no link to one.
func ownDir(dir string) bool {
	info, err := os.Lstat(dir)
	if err != nil || !info.IsDir() {
		return false
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(st.Uid) == os.Geteuid()
}

// parseDirName reads pid and start time back from a directory's name.
func parseDirName(name string) (pid int, start uint64, ok bool) {
	rest, ok := strings.CutPrefix(name, dirPrefix)
	if !ok {
		return 0, 0, false
	}
	parts := strings.Split(rest, "-")
	if len(parts) != 3 {
		return 0, 0, false
	}
	pid, err := strconv.Atoi(parts[0])
	if err != nil {
		return 0, 0, false
	}
	start, err = strconv.ParseUint(parts[1], 10, 64)
	return pid, start, err == nil
}
