package results

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/klauspost/compress/zstd"
	"golang.org/x/sys/unix"
)

// A pack is one file that holds whole run directories: a tar archive compressed with zstd, which `tar --zstd -x` opens as
// well. Its first header is a comment with the version of the format, then come the runs, each file below the run's id,
// and at last SHA256SUMS, which `sha256sum -c` checks.
const (
	// PackSuffix ends the name of a pack.
	PackSuffix = ".tar.zst"

	packVersion = 1
	packComment = "windtunnel pack "
	sumsFile    = "SHA256SUMS"
)

// Pack writes the runs to w as one pack. The same runs give the same bytes, whoever packs them and whenever: names are in
// order, owners and modes are fixed and times are those of the runs' starts. A run that is in use, two runs of one id, and
// anything but files and folders in a run are errors, and so is a file that changes its size meanwhile.
func Pack(w io.Writer, runs ...*Dir) error {
	runs = slices.Clone(runs)
	slices.SortFunc(runs, func(a, b *Dir) int { return strings.Compare(a.ID(), b.ID()) })
	for i, d := range runs {
		if i > 0 && runs[i-1].ID() == d.ID() {
			return fmt.Errorf("pack: there are two runs %s", d.ID())
		}
	}
	compressed, err := zstd.NewWriter(w, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedDefault))
	if err != nil {
		return fmt.Errorf("pack: %w", err)
	}
	p := packer{tar: tar.NewWriter(compressed)}
	err = p.tar.WriteHeader(&tar.Header{Typeflag: tar.TypeXGlobalHeader, Name: "pax_global_header", Format: tar.FormatPAX,
		PAXRecords: map[string]string{"comment": fmt.Sprint(packComment, packVersion)}})
	for _, d := range runs {
		if err == nil {
			err = p.run(d)
		}
	}
	if err == nil {
		err = p.sumsAndEnd()
	}
	if err = errors.Join(err, compressed.Close()); err != nil {
		return fmt.Errorf("pack: %w", err)
	}
	return nil
}

// packer writes runs into a tar archive.
type packer struct {
	tar  *tar.Writer
	sums bytes.Buffer // in the format of sha256sum
}

func (p *packer) run(d *Dir) error {
	claim, err := lock(d.path, unix.LOCK_SH|unix.LOCK_NB) // keeps others from taking it for one that is in use, and tells us whether it is
	if err != nil {
		return err
	}
	if claim != nil {
		defer claim.Close()
	}
	at := time.Unix(0, 0)
	if run, err := d.ReadRun(); err == nil {
		if t, err := time.Parse(time.RFC3339, run.Started); err == nil {
			at = t.Truncate(time.Second)
		}
	}
	// WalkDir goes through the names in order.
	return filepath.WalkDir(d.path, func(name string, f fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(d.path, name)
		if err != nil {
			return err
		}
		header := tar.Header{Name: path.Join(d.ID(), filepath.ToSlash(rel)), ModTime: at, Format: tar.FormatPAX}
		switch {
		case f.IsDir():
			header.Typeflag, header.Name, header.Mode = tar.TypeDir, header.Name+"/", 0o755
			return p.tar.WriteHeader(&header)
		case !f.Type().IsRegular():
			return fmt.Errorf("%s is neither a file nor a folder", name)
		}
		return p.file(name, header)
	})
}

// file adds one file, of the size that it has now.
func (p *packer) file(name string, header tar.Header) error {
	if strings.ContainsAny(header.Name, "\\\n\r") {
		return fmt.Errorf("the name %q cannot be packed", header.Name)
	}
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	header.Typeflag, header.Mode, header.Size = tar.TypeReg, 0o644, info.Size()
	if err := p.tar.WriteHeader(&header); err != nil {
		return err
	}
	sum := sha256.New()
	n, err := io.Copy(io.MultiWriter(p.tar, sum), io.LimitReader(f, info.Size()))
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if after, err := f.Stat(); err != nil || n != info.Size() || after.Size() != n {
		return fmt.Errorf("%s changed while it was packed", name)
	}
	fmt.Fprintf(&p.sums, "%s  %s\n", hex.EncodeToString(sum.Sum(nil)), header.Name)
	return nil
}

func (p *packer) sumsAndEnd() error {
	err := p.tar.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: sumsFile, Mode: 0o644, Size: int64(p.sums.Len()), ModTime: time.Unix(0, 0), Format: tar.FormatPAX})
	if err == nil {
		_, err = p.tar.Write(p.sums.Bytes())
	}
	return errors.Join(err, p.tar.Close())
}

// packHint tells the user of a file that is a pack what to do with it.
func packHint(path string) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	magic := make([]byte, 4)
	if _, err := io.ReadFull(f, magic); err != nil || !bytes.Equal(magic, []byte{0x28, 0xb5, 0x2f, 0xfd}) {
		return ""
	}
	return fmt.Sprintf(": it seems to be a pack; windtunnel unpack %s makes a run directory of it", path)
}
