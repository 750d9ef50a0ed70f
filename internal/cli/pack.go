package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"windtunnel/harness/run"
	"windtunnel/results"
)

func (a *app) packCommand() *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use:   "pack RUN…",
		Short: "Pack runs into one file with checksums, to keep or to pass on",
		Example: `  windtunnel pack results/runs/RUN                  # writes RUN.tar.zst
  windtunnel pack results/runs/density-* -o densities.tar.zst`,
		Args: usage(cobra.MinimumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			var runs []*results.Dir
			var all error
			for _, path := range args {
				dir, err := results.Open(path)
				all = errors.Join(all, err)
				runs = append(runs, dir)
			}
			if all != nil {
				return usageError{all}
			}
			if output == "" && len(runs) > 1 {
				return usageError{errors.New("several runs need a name for their file: give -o FILE")}
			}
			if output == "" {
				output = runs[0].ID() + results.PackSuffix
			}
			return a.pack(cmd.Context(), output, runs)
		},
	}
	cmd.Flags().StringVarP(&output, "output", "o", "", "write `FILE`, which must not exist; - for stdout (default RUN"+results.PackSuffix+")")
	return cmd
}

func (a *app) pack(ctx context.Context, output string, runs []*results.Dir) error {
	ctx, stop := a.interrupts(ctx, "removing what was written")
	defer stop()
	if output == "-" {
		return packError(results.Pack(stoppable{ctx, nil, a.out}, runs...))
	}
	if _, err := os.Stat(filepath.Dir(output)); err != nil {
		return usageError{err}
	}
	size, err := createWhole(output, func(w io.Writer) error { return results.Pack(stoppable{ctx, nil, w}, runs...) })
	if err != nil {
		return packError(err)
	}
	fmt.Fprintf(a.out, "%s: %d of %d bytes, %d runs\n", output, size, sizeOf(runs), len(runs))
	return nil
}

// packError tells what the user can change from what the disk lacks and from what went wrong inside.
func packError(err error) error {
	switch {
	case errors.Is(err, unix.ENOSPC), errors.Is(err, unix.EDQUOT):
		return &run.EnvironmentError{Err: err}
	case errors.Is(err, results.ErrInUse), errors.Is(err, os.ErrExist), errors.Is(err, os.ErrPermission):
		return usageError{err}
	}
	return err
}

// stoppable reads and writes until its context ends, whose cause is then the error.
type stoppable struct {
	ctx context.Context
	in  io.Reader
	out io.Writer
}

func (s stoppable) Read(p []byte) (int, error) {
	if s.ctx.Err() != nil {
		return 0, context.Cause(s.ctx)
	}
	return s.in.Read(p)
}

func (s stoppable) Write(p []byte) (int, error) {
	if s.ctx.Err() != nil {
		return 0, context.Cause(s.ctx)
	}
	return s.out.Write(p)
}

func sizeOf(runs []*results.Dir) int64 {
	var sum int64
	for _, d := range runs {
		sum += d.Entry().Bytes
	}
	return sum
}

// createWhole makes a file that must not exist and is there only when all of it is, and returns its size.
func createWhole(path string, write func(io.Writer) error) (size int64, err error) {
	if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
		return 0, errors.Join(fmt.Errorf("%s: %w", path, os.ErrExist), err)
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return 0, err
	}
	defer os.Remove(f.Name()) // its second name, or what there is of it after an error
	err = write(f)
	if info, serr := f.Stat(); serr == nil {
		size = info.Size()
	}
	if err := errors.Join(err, f.Chmod(0o644), f.Close()); err != nil {
		return 0, err
	}
	// A link, unlike a rename, does not replace what appeared meanwhile; not every file system has them.
	if err := os.Link(f.Name(), path); err == nil || errors.Is(err, os.ErrExist) {
		return size, err
	}
	return size, os.Rename(f.Name(), path)
}

func (a *app) unpackCommand() *cobra.Command {
	var root string
	var limits results.UnpackLimits
	cmd := &cobra.Command{
		Use:   "unpack FILE",
		Short: "Make run directories of a pack; checks every checksum and never overwrites",
		Args:  usage(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, stop := a.interrupts(cmd.Context(), "removing what was unpacked")
			defer stop()
			in := io.Reader(a.in)
			if args[0] != "-" {
				f, err := os.Open(args[0])
				if err != nil {
					return usageError{err}
				}
				defer f.Close()
				in = f
			}
			runs, err := results.Unpack(stoppable{ctx, in, nil}, root, limits)
			switch err = packError(err); {
			case exitCode(err) == codeInternal: // the pack is at fault
				return usageError{err}
			case err != nil:
				return err
			}
			for _, d := range runs {
				fmt.Fprintln(a.out, filepath.Join(root, d.ID()))
			}
			return nil
		},
	}
	resultsFlag(cmd, &root, "make the run directories in `DIR`")
	cmd.Flags().Int64Var(&limits.Bytes, "max-bytes", 64<<30, "refuse a pack of more bytes than this")
	cmd.Flags().IntVar(&limits.Files, "max-files", 100_000, "refuse a pack of more files than this")
	return cmd
}
