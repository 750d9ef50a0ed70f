package image

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

func write(t *testing.T, o Options) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, o); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestImageHoldsTheProgramAlone(t *testing.T) {
	program := filepath.Join(t.TempDir(), "hollow")
	if err := os.WriteFile(program, []byte("a program"), 0o700); err != nil {
		t.Fatal(err)
	}
	o := Options{Tag: "windtunnel/hollow-node:test", Program: program, Architecture: "arm64", User: "65532:65532", Labels: map[string]string{"a": "b"}}
	archive := write(t, o)
	if again := write(t, o); !bytes.Equal(archive, again) {
		t.Error("the same program gives different bytes")
	}

	tag, _ := name.NewTag(o.Tag)
	img, err := tarball.Image(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(archive)), nil }, &tag)
	if err != nil {
		t.Fatal(err)
	}
	config, err := img.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	if c := config.Config; config.Architecture != "arm64" || config.OS != "linux" || c.User != o.User || len(c.Entrypoint) != 1 || c.Entrypoint[0] != "/hollow" || c.Labels["a"] != "b" {
		t.Errorf("configuration %+v", config)
	}
	files := map[string]string{}
	r := tar.NewReader(mutate.Extract(img))
	for {
		h, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(r)
		files[h.Name] = h.FileInfo().Mode().String() + " " + string(text)
	}
	if len(files) != 3 || files["hollow"] != "-rwxr-xr-x a program" || files["tmp"] != "dtrwxrwxrwx " {
		t.Errorf("files %q", files)
	}
}

func TestWriteRefuses(t *testing.T) {
	if err := Write(io.Discard, Options{Tag: "Not A Tag", Program: os.Args[0]}); !errors.Is(err, ErrTag) {
		t.Errorf("a tag that is none: %v", err)
	}
	if shell, err := filepath.EvalSymlinks("/bin/sh"); err == nil { // dynamic wherever a distribution has one
		if err := Write(io.Discard, Options{Tag: "wt/hollow:b", Program: shell}); err == nil || !strings.Contains(err.Error(), "CGO_ENABLED=0") {
			t.Errorf("a program that needs libraries: %v", err)
		}
	}
	if err := Write(io.Discard, Options{Tag: "a:b", Program: "/nonexistent"}); err == nil {
		t.Error("a program that is not there was taken")
	}
}
