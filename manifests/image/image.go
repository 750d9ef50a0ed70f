// Package image writes the container image of the hollow nodes: one static program and nothing else, as an archive that Docker,
// containerd and `kind load image-archive` read. No container engine is needed for it.
package image

import (
	"archive/tar"
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
	// Program is the path of a static executable; it lies at /<its base name> in the image and is its entry point.
	Program string
	// Architecture is that of the program as Go names it, such as amd64.
	Architecture string
	// User is who it runs as, such as 65532:65532; "" for root.
	User string
	// Labels are the image's labels.
	Labels map[string]string
}

// Write writes the archive. The same program and options give the same bytes.
func Write(w io.Writer, o Options) error {
	tag, err := name.NewTag(o.Tag)
	if err != nil {
		return fmt.Errorf("write image: %w", err)
	}
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return programLayer(o.Program) })
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
	config.Config = v1.Config{Entrypoint: []string{"/" + path.Base(o.Program)}, User: o.User, Labels: o.Labels, WorkingDir: "/"}
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
func programLayer(program string) (io.ReadCloser, error) {
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
		w.CloseWithError(writeLayer(w, file, path.Base(program), info.Size()))
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
