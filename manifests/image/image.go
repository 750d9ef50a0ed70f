// Package image writes the container image of the hollow nodes: one static program and nothing else, as an archive that Docker,
// containerd and `kind load image-archive` read. No container engine is needed for it.
package image

import (
	"archive/tar"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"os"
	"path"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// Options say what is in an image.
type Options struct {
	// Tag is the image's name, such as windtunnel/hollow-node:v1.
	Tag string
	// Program is the path of a static executable, which is the image's entry point.
	Program string
	// Name is what it is called in the image, where it lies in /. Default: as the file is called.
	Name string
	// Architecture is that of the program as Go names it, such as amd64.
	Architecture string
	// User is who it runs as, such as 65532:65532; "" for root.
	User string
	// Labels are the image's labels.
	Labels map[string]string
}

// ErrTag is an image name that is none.
var ErrTag = errors.New("that is no name of an image")

// checkStatic refuses a program that needs a loader and libraries, which the image does not have.
func checkStatic(program string) error {
	file, err := elf.Open(program)
	var format *elf.FormatError
	if errors.As(err, &format) || errors.Is(err, io.EOF) {
		return nil // a script, say: not ours to know
	}
	if err != nil {
		return err
	}
	defer file.Close()
	for _, p := range file.Progs {
		if p.Type == elf.PT_INTERP {
			return fmt.Errorf("%s is linked dynamically and would not start in an image that holds nothing else: build it with CGO_ENABLED=0", program)
		}
	}
	return nil
}

// Write writes the archive. The same program and options give the same bytes.
func Write(w io.Writer, o Options) error {
	tag, err := name.NewTag(o.Tag)
	if err != nil {
		return fmt.Errorf("write image: %w: %w", ErrTag, err)
	}
	if o.Name == "" {
		o.Name = path.Base(o.Program)
	}
	if err := checkStatic(o.Program); err != nil {
		return fmt.Errorf("write image %s: %w", o.Tag, err)
	}
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return programLayer(o.Program, o.Name) })
	if err != nil {
		return fmt.Errorf("write image %s: %w", o.Tag, err)
	}
	img, err := mutate.AppendLayers(empty.Image, layer)
	if err != nil {
		return fmt.Errorf("write image %s: %w", o.Tag, err)
	}
	config, err := img.ConfigFile()
	if err != nil {
		return fmt.Errorf("write image %s: %w", o.Tag, err)
	}
	config = config.DeepCopy()
	config.OS, config.Architecture = "linux", o.Architecture
	config.Config = v1.Config{Entrypoint: []string{"/" + o.Name}, User: o.User, Labels: o.Labels, WorkingDir: "/"}
	if img, err = mutate.ConfigFile(img, config); err != nil {
		return fmt.Errorf("write image %s: %w", o.Tag, err)
	}
	if err := tarball.Write(tag, img, w); err != nil {
		return fmt.Errorf("write image %s: %w", o.Tag, err)
	}
	return nil
}

// passwd is there because a kubelet looks for the user kubelet in it, and starts without that user but not without the file.
const passwd = "root:x:0:0:root:/:/sbin/nologin\nnobody:x:65534:65534:nobody:/:/sbin/nologin\n"

// programLayer streams a layer with the program, executable by everybody, a directory /tmp and /etc/passwd. It knows no time and no owner, so that
// it depends on the program alone.
func programLayer(program, name string) (io.ReadCloser, error) {
	file, err := os.Open(program)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err != nil {
		file.Close()
		return nil, err
	}
	r, w := io.Pipe()
	go func() {
		defer file.Close()
		w.CloseWithError(writeLayer(w, file, name, info.Size()))
	}()
	return r, nil
}

func writeLayer(w io.Writer, program io.Reader, name string, size int64) error {
	t := tar.NewWriter(w)
	if err := t.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: "tmp/", Mode: 0o1777}); err != nil {
		return err
	}
	if err := t.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: "etc/passwd", Mode: 0o644, Size: int64(len(passwd))}); err != nil {
		return err
	}
	if _, err := io.WriteString(t, passwd); err != nil {
		return err
	}
	if err := t.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o755, Size: size}); err != nil {
		return err
	}
	if _, err := io.Copy(t, program); err != nil {
		return err
	}
	return t.Close()
}
