package results

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// ErrInUse says that a run directory is still being written by the process that created it.
var ErrInUse = errors.New("the run is still going on")

// lock takes a lock on a directory itself, so that no file is needed for it and the kernel lets go of it however its
// holder dies. Children do not inherit it. A file system without such locks gives none, which is no error: a run there
// counts as in use by its run.json alone.
func lock(path string, how int) (*os.File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("lock run directory: %w", err)
	}
	switch err := unix.Flock(int(f.Fd()), how|unix.LOCK_NB); {
	case errors.Is(err, unix.EWOULDBLOCK):
		f.Close()
		return nil, fmt.Errorf("%s: %w", path, ErrInUse)
	case err != nil:
		f.Close()
		return nil, nil
	}
	return f, nil
}

// Release ends this process' claim on a directory that it made with Create: from then on it is not in use. A directory
// that was opened has no claim.
func (d *Dir) Release() {
	if d.claim != nil {
		d.claim.Close()
		d.claim = nil
	}
}

// InUse reports whether the process that created the directory still holds it.
func (d *Dir) InUse() bool {
	f, err := lock(d.path, unix.LOCK_SH)
	if f != nil {
		f.Close()
	}
	return errors.Is(err, ErrInUse)
}
