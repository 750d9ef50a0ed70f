package results

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// ErrInUse says that a directory is still being written by the process that created or claimed it.
var ErrInUse = errors.New("the run is still going on")

// lock takes a lock on a directory itself, so that no file is needed for it and the kernel lets go of it however its
// holder dies. Children do not inherit it. A file system without such locks gives none, which is no error: a run there
// counts as in use by its run.json alone. With LOCK_NB a directory that is taken is ErrInUse; without, lock waits.
func lock(path string, how int) (*os.File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("lock run directory: %w", err)
	}
	for err = unix.EINTR; err == unix.EINTR; {
		err = unix.Flock(int(f.Fd()), how)
	}
	switch {
	case errors.Is(err, unix.EWOULDBLOCK):
		f.Close()
		return nil, fmt.Errorf("%s: %w", path, ErrInUse)
	case err != nil:
		f.Close()
		return nil, nil
	}
	return f, nil
}

// Claim takes a directory, of a run or of anything else that one process at a time may write to, until this process ends or
// calls Release. One that is taken is ErrInUse.
func Claim(path string) (*Dir, error) {
	f, err := lock(path, unix.LOCK_EX|unix.LOCK_NB)
	if err != nil {
		return nil, err
	}
	return &Dir{path: path, claim: f}, nil
}

// Release ends this process' claim on a directory that it made with Create or took with Claim: from then on it is not in use.
// A directory that was opened has no claim.
func (d *Dir) Release() {
	if d.claim != nil {
		d.claim.Close()
		d.claim = nil
	}
}

// Discard removes a directory that this process made with Create and in which nothing came to be worth keeping.
func (d *Dir) Discard() error {
	defer d.Release()
	if err := os.RemoveAll(d.path); err != nil {
		return fmt.Errorf("remove run directory: %w", err)
	}
	return nil
}

// InUse reports whether the process that created the directory still holds it.
func (d *Dir) InUse() bool {
	f, err := lock(d.path, unix.LOCK_SH|unix.LOCK_NB)
	if f != nil {
		f.Close()
	}
	return errors.Is(err, ErrInUse)
}
