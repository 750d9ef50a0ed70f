package results

import (
	"archive/tar"
	"bufio"
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
	"strconv"
	"strings"
	"time"

	"github.com/klauspost/compress/zstd"
)

// UnpackLimits bound what a pack may become, so that a small file cannot fill a disk.
type UnpackLimits struct {
	Bytes int64 // of all files together; 0: 64 GiB
	Files int   // files and folders; 0: 100 000
}

const (
	defaultUnpackBytes = 64 << 30
	defaultUnpackFiles = 100_000
	maxPackWindow      = 128 << 20 // of zstd, in memory
	maxSums            = 64 << 20  // of SHA256SUMS
	maxNameLength      = 512
)

// Unpack makes run directories below root of the pack in r and returns them by their ids. It is all or nothing: the files
// go to a folder of their own beside the runs, and only when every one of them was there, whole and with its checksum, are
// the runs put in their places. A run that is there already is never touched; the error then is fs.ErrExist. Names that
// lead out of the run, links, devices and packs beyond the limits are errors. What an unpacking left behind that was killed is
// removed.
func Unpack(r io.Reader, root string, limits UnpackLimits) (runs []*Dir, err error) {
	defer func() {
		if err != nil {
			runs, err = nil, fmt.Errorf("unpack: %w", err)
		}
	}()
	if err := os.MkdirAll(root, 0o755); err != nil {
		return nil, err
	}
	sweep(root, time.Now())
	temp, err := os.MkdirTemp(root, unpackPrefix+"*")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(temp)) }()
	claim, err := Claim(temp)
	if err != nil {
		return nil, err
	}
	defer claim.Release()
	u, err := newUnpacker(temp, root, limits)
	if err != nil {
		return nil, err
	}
	defer u.dir.Close()
	if err := u.read(r); err != nil {
		return nil, err
	}
	return u.place()
}

// unpackPrefix begins the names of the folders that packs are unpacked in.
const unpackPrefix = ".unpack-"

// sweep removes the folders of unpackings that were killed: those that nobody holds, and that are old enough for whoever made
// them to have taken hold. One that cannot be removed stays for the next time.
func sweep(root string, now time.Time) {
	stale, _ := filepath.Glob(filepath.Join(globQuote(root), unpackPrefix+"*")) // the pattern is well-formed
	for _, path := range stale {
		info, err := os.Lstat(path)
		if err != nil || !info.IsDir() || now.Sub(info.ModTime()) < time.Minute {
			continue
		}
		if d, err := Claim(path); err == nil && d.claim != nil { // where nobody can take hold, nobody knows
			_ = os.RemoveAll(path)
			d.Release()
		}
	}
}

// unpacker writes the files of a pack into a folder that it cannot leave.
type unpacker struct {
	temp, root string
	dir        *os.Root
	bytes      int64 // that may still come
	files      int   // the same
	begun      bool  // the comment with the version was there
	sums       map[string]string
	said       map[string]string // by SHA256SUMS; nil until it was there
	ids        []string
}

func newUnpacker(temp, root string, limits UnpackLimits) (*unpacker, error) {
	u := &unpacker{temp: temp, root: root, bytes: limits.Bytes, files: limits.Files, sums: map[string]string{}}
	if u.bytes == 0 {
		u.bytes = defaultUnpackBytes
	}
	if u.files == 0 {
		u.files = defaultUnpackFiles
	}
	var err error
	u.dir, err = os.OpenRoot(temp)
	return u, err
}

func (u *unpacker) read(r io.Reader) error {
	decompressed, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxPackWindow))
	if err != nil {
		return err
	}
	defer decompressed.Close()
	in := tar.NewReader(decompressed)
	for {
		header, err := in.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return fmt.Errorf("the pack is damaged or no pack: %w", err)
		}
		if err := u.entry(header, in); err != nil {
			return err
		}
	}
	// The tar archive ends before the compressed stream, whose own checksum comes last.
	if n, err := io.Copy(io.Discard, io.LimitReader(decompressed, 1<<20)); err != nil || n == 1<<20 {
		return errors.Join(errors.New("the pack is damaged behind its end"), err)
	}
	return u.verify()
}

// entry takes the next header with its content.
func (u *unpacker) entry(header *tar.Header, content io.Reader) error {
	if header.Typeflag == tar.TypeXGlobalHeader {
		return u.version(header.PAXRecords["comment"])
	}
	if !u.begun {
		return errors.New("this is no pack of windtunnel: it does not begin with the version of its format")
	}
	if u.said != nil {
		return fmt.Errorf("%q comes behind %s", header.Name, sumsFile)
	}
	if u.files--; u.files < 0 {
		return errors.New("more files than the limit allows")
	}
	if u.bytes -= max(header.Size, 0); u.bytes < 0 || header.Size < 0 {
		return fmt.Errorf("%q: more bytes than the limit allows", header.Name)
	}
	if header.Name == sumsFile && header.Typeflag == tar.TypeReg {
		return u.readSums(header, content)
	}
	name, err := u.name(header)
	if err != nil {
		return err
	}
	switch header.Typeflag {
	case tar.TypeDir:
		return u.dir.Mkdir(name, 0o755)
	case tar.TypeReg:
		return u.file(name, content)
	}
	return fmt.Errorf("%q is neither a file nor a folder", header.Name)
}

// version checks the comment that every pack begins with.
func (u *unpacker) version(comment string) error {
	text, ok := strings.CutPrefix(comment, packComment)
	n, err := strconv.Atoi(text)
	if !ok || err != nil || u.begun {
		return errors.New("this is no pack of windtunnel: its first comment is another")
	}
	if n > packVersion {
		return fmt.Errorf("the pack has format %d, newer than this windtunnel's %d: unpack it with the version that made it", n, packVersion)
	}
	u.begun = true
	return nil
}

// name checks where an entry is to go: into a run, by a plain path. The first of a run must be its folder.
func (u *unpacker) name(header *tar.Header) (string, error) {
	name := header.Name
	if header.Typeflag == tar.TypeDir {
		name = strings.TrimSuffix(name, "/")
	}
	if len(name) > maxNameLength || !filepath.IsLocal(name) || path.Clean(name) != name || strings.ContainsAny(name, "\\\x00\n\r") {
		return "", fmt.Errorf("the name %q leads out of the run or is no plain path", header.Name)
	}
	id, _, below := strings.Cut(name, "/")
	if below {
		return name, nil
	}
	if header.Typeflag != tar.TypeDir || strings.HasPrefix(id, ".") {
		return "", fmt.Errorf("%q is no run", header.Name)
	}
	if _, err := os.Lstat(filepath.Join(u.root, id)); !errors.Is(err, fs.ErrNotExist) {
		return "", errors.Join(fmt.Errorf("%s is there already and is left as it is: %w", id, fs.ErrExist), err)
	}
	u.ids = append(u.ids, id)
	return name, nil
}

func (u *unpacker) file(name string, content io.Reader) error {
	f, err := u.dir.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	sum := sha256.New()
	_, err = io.Copy(io.MultiWriter(f, sum), content)
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("the pack is damaged, or the disk is full: %s: %w", name, err)
	}
	u.sums[name] = hex.EncodeToString(sum.Sum(nil))
	return nil
}

// readSums reads the list of checksums as sha256sum writes it.
func (u *unpacker) readSums(header *tar.Header, content io.Reader) error {
	if header.Size > maxSums {
		return fmt.Errorf("%s has %d bytes", sumsFile, header.Size)
	}
	data, err := io.ReadAll(content)
	if err != nil {
		return fmt.Errorf("the pack is damaged: %s: %w", sumsFile, err)
	}
	u.said = map[string]string{}
	lines := bufio.NewScanner(bytes.NewReader(data))
	for lines.Scan() {
		sum, name, ok := strings.Cut(lines.Text(), "  ")
		if _, twice := u.said[name]; !ok || twice {
			return fmt.Errorf("the pack is damaged: %s: %q", sumsFile, lines.Text())
		}
		u.said[name] = sum
	}
	return lines.Err()
}

// verify holds the files to the list.
func (u *unpacker) verify() error {
	if u.said == nil {
		return fmt.Errorf("the pack is damaged: it has no %s at its end", sumsFile)
	}
	var bad []error
	for name, sum := range u.said {
		switch got, ok := u.sums[name]; {
		case !ok:
			bad = append(bad, fmt.Errorf("%s: missing", name))
		case got != sum:
			bad = append(bad, fmt.Errorf("%s: its checksum is wrong", name))
		}
	}
	for name := range u.sums {
		if _, ok := u.said[name]; !ok {
			bad = append(bad, fmt.Errorf("%s: has no checksum", name))
		}
	}
	if len(u.ids) == 0 {
		bad = append(bad, errors.New("it holds no run"))
	}
	slices.SortFunc(bad, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	if len(bad) > 0 {
		return fmt.Errorf("the pack is damaged: %w", errors.Join(bad...))
	}
	return nil
}

// place moves the runs to where they belong, all or none.
func (u *unpacker) place() ([]*Dir, error) {
	var placed []*Dir
	for _, id := range u.ids {
		target := filepath.Join(u.root, id)
		err := rename(filepath.Join(u.temp, id), target)
		if err != nil {
			for _, d := range placed { // back to where they are thrown away
				err = errors.Join(err, os.Rename(d.path, filepath.Join(u.temp, d.ID())))
			}
			return nil, err
		}
		d, err := filepath.Abs(target)
		if err != nil {
			return nil, err
		}
		placed = append(placed, &Dir{path: d})
	}
	return placed, nil
}

// rename moves a folder to a name that must not be taken.
func rename(from, to string) error {
	if _, err := os.Lstat(to); !errors.Is(err, fs.ErrNotExist) {
		return errors.Join(fmt.Errorf("%s is there already and is left as it is: %w", filepath.Base(to), fs.ErrExist), err)
	}
	return os.Rename(from, to) // which fails where something with content appeared meanwhile
}
