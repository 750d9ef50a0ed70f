package results

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
)

var packTime = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

// packOf packs runs in memory.
func packOf(t testing.TB, runs ...*Dir) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Pack(&b, runs...); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// tree are the files and folders below a folder with what is in them.
func tree(t testing.TB, root string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(root, func(path string, f fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(root, path)
		if f.IsDir() {
			files[rel+"/"] = ""
			return nil
		}
		data, err := os.ReadFile(path)
		files[rel] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func same(a, b map[string]string) bool {
	if len(a) != len(b) {
		return false
	}
	for name, data := range a {
		if other, ok := b[name]; !ok || other != data {
			return false
		}
	}
	return true
}

func TestPackAndUnpack(t *testing.T) {
	from, to := t.TempDir(), t.TempDir()
	a, b := storedRun(t, from, "density", packTime), storedRun(t, from, "load", packTime)
	if err := a.AddNote("kept with it", true, packTime); err != nil {
		t.Fatal(err)
	}
	data := packOf(t, b, a)
	runs, err := Unpack(bytes.NewReader(data), to, UnpackLimits{})
	if err != nil {
		t.Fatal(err)
	}
	if len(runs) != 2 || runs[0].ID() != a.ID() || runs[1].ID() != b.ID() {
		t.Errorf("runs %v", runs)
	}
	if !same(tree(t, from), tree(t, to)) {
		t.Errorf("packed %v\nunpacked %v", tree(t, from), tree(t, to))
	}
	if _, err := Open(runs[0].Path()); err != nil {
		t.Error(err)
	}
}

// TestPackIsDeterministic packs a copy, made later and with other modes, in another order.
func TestPackIsDeterministic(t *testing.T) {
	root, copied := t.TempDir(), t.TempDir()
	a, b := storedRun(t, root, "density", packTime), storedRun(t, root, "load", packTime)
	if err := os.CopyFS(copied, os.DirFS(root)); err != nil {
		t.Fatal(err)
	}
	a2, b2 := &Dir{path: filepath.Join(copied, a.ID())}, &Dir{path: filepath.Join(copied, b.ID())}
	if err := os.Chmod(a2.Path(RunFile), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(a2.Path(RunFile), time.Time{}, packTime); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(packOf(t, a, b), packOf(t, b2, a2)) {
		t.Error("the same runs gave other bytes")
	}
}

// TestPackOpensWithoutUs: tar and sha256sum must do.
func TestPackOpensWithoutUs(t *testing.T) {
	for _, tool := range []string{"tar", "sha256sum", "zstd"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("%s is not installed", tool)
		}
	}
	dir := t.TempDir()
	d := storedRun(t, t.TempDir(), "density", packTime)
	file := filepath.Join(dir, "run"+PackSuffix)
	if err := os.WriteFile(file, packOf(t, d), 0o644); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("sh", "-c", fmt.Sprintf("cd %q && tar --zstd -xf run.tar.zst && sha256sum -c --strict --quiet SHA256SUMS", dir)).CombinedOutput()
	if err != nil || len(out) > 0 {
		t.Fatalf("%v\n%s", err, out)
	}
	if !same(tree(t, d.Path()), tree(t, filepath.Join(dir, d.ID()))) {
		t.Error("tar made something else of it")
	}
}

func TestPackRefuses(t *testing.T) {
	root := t.TempDir()
	running, err := Create(root, "smoke", packTime)
	if err != nil {
		t.Fatal(err)
	}
	if err := Pack(&bytes.Buffer{}, running); !errors.Is(err, ErrInUse) {
		t.Errorf("a run that is going on: %v", err)
	}
	running.Release()
	d := storedRun(t, root, "density", packTime)
	if err := Pack(&bytes.Buffer{}, d, d); err == nil {
		t.Error("a run was packed twice")
	}
	if err := os.Symlink("/etc/passwd", d.Path("logs", "link")); err != nil {
		t.Fatal(err)
	}
	if err := Pack(&bytes.Buffer{}, d); err == nil || !strings.Contains(err.Error(), "link") {
		t.Errorf("a link: %v", err)
	}
}

func TestUnpackNeverOverwrites(t *testing.T) {
	from, to := t.TempDir(), t.TempDir()
	a, b := storedRun(t, from, "density", packTime), storedRun(t, from, "load", packTime)
	if err := os.Mkdir(filepath.Join(to, b.ID()), 0o755); err != nil { // even an empty one
		t.Fatal(err)
	}
	if _, err := Unpack(bytes.NewReader(packOf(t, a, b)), to, UnpackLimits{}); !errors.Is(err, fs.ErrExist) {
		t.Errorf("error %v", err)
	}
	if got := tree(t, to); len(got) != 2 { // the root and the empty folder
		t.Errorf("it left %v", got)
	}
}

func TestOpenOfAPackSaysWhatToDo(t *testing.T) {
	d := storedRun(t, t.TempDir(), "density", packTime)
	file := filepath.Join(t.TempDir(), "x")
	if err := os.WriteFile(file, packOf(t, d), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(file); err == nil || !strings.Contains(err.Error(), "windtunnel unpack "+file) {
		t.Errorf("error %v", err)
	}
	if _, err := Open(d.Path(RunFile)); err == nil || strings.Contains(err.Error(), "unpack") {
		t.Errorf("error %v", err)
	}
}

// part is one header with its content, of a pack made by hand.
type part struct {
	tar.Header
	content string
}

func reg(name, content string) part {
	return part{tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o644}, content}
}
func folder(name string) part { return part{Header: tar.Header{Typeflag: tar.TypeDir, Name: name}} }
func begin(version string) part {
	return part{Header: tar.Header{Typeflag: tar.TypeXGlobalHeader, Name: "pax_global_header", PAXRecords: map[string]string{"comment": packComment + version}}}
}

// handmade writes the parts and, unless the last of them is a list of checksums, the right one.
func handmade(t testing.TB, parts ...part) []byte {
	t.Helper()
	var b bytes.Buffer
	z, err := zstd.NewWriter(&b)
	if err != nil {
		t.Fatal(err)
	}
	w := tar.NewWriter(z)
	sums := ""
	for _, p := range parts {
		if p.Typeflag == tar.TypeReg {
			p.Size = int64(len(p.content))
			sums += fmt.Sprintf("%x  %s\n", sha256.Sum256([]byte(p.content)), p.Name)
		}
		if err := w.WriteHeader(&p.Header); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(p.content)); err != nil {
			t.Fatal(err)
		}
	}
	if parts[len(parts)-1].Name != sumsFile {
		err = w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: sumsFile, Size: int64(len(sums))})
		_, werr := w.Write([]byte(sums))
		err = errors.Join(err, werr)
	}
	if err := errors.Join(err, w.Close(), z.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestUnpackRefuses(t *testing.T) {
	link := func(kind byte, name, to string) part {
		return part{Header: tar.Header{Typeflag: kind, Name: name, Linkname: to}}
	}
	for name, c := range map[string]struct {
		parts []part
		error string
	}{
		"a way up":                 {[]part{begin("1"), folder("run/"), reg("run/../../evil", "x")}, "leads out"},
		"a way up at once":         {[]part{begin("1"), reg("../evil", "x")}, "leads out"},
		"an absolute path":         {[]part{begin("1"), reg("/tmp/evil", "x")}, "leads out"},
		"a path with detours":      {[]part{begin("1"), folder("run/"), reg("run/./a", "x")}, "leads out"},
		"a backslash":              {[]part{begin("1"), folder("run/"), reg(`run/..\a`, "x")}, "leads out"},
		"a symbolic link":          {[]part{begin("1"), folder("run/"), link(tar.TypeSymlink, "run/a", "/etc"), reg("run/a/evil", "x")}, "neither a file"},
		"a hard link":              {[]part{begin("1"), folder("run/"), link(tar.TypeLink, "run/a", "/etc/passwd")}, "neither a file"},
		"a device":                 {[]part{begin("1"), folder("run/"), {Header: tar.Header{Typeflag: tar.TypeChar, Name: "run/a"}}}, "neither a file"},
		"a pipe":                   {[]part{begin("1"), folder("run/"), {Header: tar.Header{Typeflag: tar.TypeFifo, Name: "run/a"}}}, "neither a file"},
		"a file twice":             {[]part{begin("1"), folder("run/"), reg("run/a", "x"), reg("run/a", "y")}, "exists"},
		"a file beside the runs":   {[]part{begin("1"), reg("a", "x")}, "no run"},
		"a hidden run":             {[]part{begin("1"), folder(".run/")}, "no run"},
		"a file without a folder":  {[]part{begin("1"), reg("run/a", "x")}, "no such file"},
		"no version":               {[]part{folder("run/"), reg("run/a", "x")}, "no pack of windtunnel"},
		"a newer version":          {[]part{begin("2"), folder("run/"), reg("run/a", "x")}, "newer"},
		"a version that is no one": {[]part{begin("one"), folder("run/")}, "no pack of windtunnel"},
		"no run":                   {[]part{begin("1")}, "no run"},
		"too many files":           {[]part{begin("1"), folder("run/"), reg("run/a", ""), reg("run/b", ""), reg("run/c", ""), reg("run/d", "")}, "more files"},
		"too many bytes":           {[]part{begin("1"), folder("run/"), reg("run/a", strings.Repeat("x", 20_000))}, "more bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			outer := t.TempDir()
			root := filepath.Join(outer, "runs")
			runs, err := Unpack(bytes.NewReader(handmade(t, c.parts...)), root, UnpackLimits{Bytes: 10_000, Files: 5})
			if err == nil || !strings.Contains(err.Error(), c.error) || runs != nil {
				t.Errorf("runs %v, error %v", runs, err)
			}
			if left := tree(t, outer); len(left) != 2 {
				t.Errorf("it left %v", left)
			}
		})
	}
	root := t.TempDir()
	if _, err := Unpack(bytes.NewReader(handmade(t, begin("1"), folder("run/"), reg("run/a", "x"))), root, UnpackLimits{}); err != nil {
		t.Errorf("what all of these are variants of is refused: %v", err)
	}
}

// TestUnpackWrongSums changes a file but not the list.
func TestUnpackWrongSums(t *testing.T) {
	list := func(s string) part { return reg(sumsFile, s) }
	x := fmt.Sprintf("%x  run/a\n", sha256.Sum256([]byte("x")))
	for name, c := range map[string]struct{ list, error string }{
		"another sum":    {fmt.Sprintf("%x  run/a\n", sha256.Sum256([]byte("y"))), "run/a: its checksum is wrong"},
		"a file too few": {"", "run/a: has no checksum"},
		"one too many":   {x + fmt.Sprintf("%x  run/b\n", sha256.Sum256(nil)), "run/b: missing"},
		"twice":          {x + x, "SHA256SUMS"},
		"nonsense":       {"hello\n", `"hello"`},
		"an empty list":  {"\n", "SHA256SUMS"},
	} {
		_, err := Unpack(bytes.NewReader(handmade(t, begin("1"), folder("run/"), reg("run/a", "x"), list(c.list))), t.TempDir(), UnpackLimits{})
		if err == nil || !strings.Contains(err.Error(), c.error) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestUnpackDamaged cuts a pack and flips its bits everywhere: all of it or an error, and never a rest.
func TestUnpackDamaged(t *testing.T) {
	data := packOf(t, storedRun(t, t.TempDir(), "density", packTime))
	want := ""
	try := func(name string, bad []byte) {
		root := t.TempDir()
		runs, err := Unpack(bytes.NewReader(bad), root, UnpackLimits{})
		if err != nil {
			if left := tree(t, root); len(left) != 1 {
				t.Fatalf("%s: it left %v", name, left)
			}
			return
		}
		got := fmt.Sprint(tree(t, runs[0].Path()))
		if want == "" {
			want = got
		}
		if got != want {
			t.Fatalf("%s: other files came out", name)
		}
	}
	try("whole", data)
	for size := 0; size < len(data); size += 1 + len(data)/150 {
		root := t.TempDir()
		if _, err := Unpack(bytes.NewReader(data[:size]), root, UnpackLimits{}); err == nil {
			t.Fatalf("cut to %d of %d bytes: no error", size, len(data))
		}
	}
	for i := 0; i < len(data); i += 1 + len(data)/300 {
		bad := slices.Clone(data)
		bad[i] ^= 0x10
		try(fmt.Sprintf("byte %d", i), bad)
	}
}

// FuzzUnpack gives unpack anything; whatever comes, nothing may appear outside of the run, or stay after an error.
func FuzzUnpack(f *testing.F) {
	f.Add(packOf(f, storedRun(f, f.TempDir(), "density", packTime)))
	f.Add(handmade(f, begin("1"), folder("run/"), reg("run/a", "x")))
	f.Add(handmade(f, begin("1"), reg("../evil", "x")))
	f.Add([]byte{0x28, 0xb5, 0x2f, 0xfd})
	f.Fuzz(func(t *testing.T, data []byte) {
		outer := t.TempDir()
		runs, err := Unpack(bytes.NewReader(data), filepath.Join(outer, "runs"), UnpackLimits{Bytes: 1 << 20, Files: 100})
		found, ferr := os.ReadDir(filepath.Join(outer, "runs"))
		if ferr != nil || (err != nil && len(found) > 0) || len(found) != len(runs) {
			t.Fatalf("%d runs, error %v; left %v", len(runs), err, found)
		}
		if beside, _ := os.ReadDir(outer); len(beside) != 1 {
			t.Fatalf("something came out beside the runs: %v", beside)
		}
	})
}

// TestSweep: the next unpacking removes what one that was killed left behind, and leaves one alone that is going on.
func TestSweep(t *testing.T) {
	from, to := t.TempDir(), t.TempDir()
	data := packOf(t, storedRun(t, from, "density", packTime))
	old := time.Now().Add(-time.Hour)
	for _, name := range []string{".unpack-killed", ".unpack-held", ".unpack-new"} {
		path := filepath.Join(to, name)
		if err := os.MkdirAll(filepath.Join(path, "run"), 0o755); err != nil {
			t.Fatal(err)
		}
		if name == ".unpack-new" {
			continue
		}
		if err := os.Chtimes(path, old, old); err != nil {
			t.Fatal(err)
		}
	}
	held, err := Claim(filepath.Join(to, ".unpack-held"))
	if err != nil {
		t.Fatal(err)
	}
	defer held.Release()
	if _, err := Unpack(bytes.NewReader(data), to, UnpackLimits{}); err != nil {
		t.Fatal(err)
	}
	left, err := filepath.Glob(filepath.Join(to, ".unpack-*"))
	if err != nil || len(left) != 2 || filepath.Base(left[0]) != ".unpack-held" || filepath.Base(left[1]) != ".unpack-new" {
		t.Errorf("left: %v (%v)", left, err)
	}
}
