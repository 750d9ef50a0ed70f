package cli

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"github.com/spf13/cobra"

	"windtunnel/harness/run"
	manifests "windtunnel/manifests/hollow"
	"windtunnel/manifests/image"
)

func (a *app) imageCommand() *cobra.Command {
	var output, tag string
	cmd := &cobra.Command{
		Use:   "image",
		Short: "Write the image of hollow nodes as pods, an archive for Docker, containerd and kind",
		Long: `Write the container image that the pods of manifests/hollow run: windtunnel-kube and nothing else. No container engine is needed for it, and
the same windtunnel-kube gives the same bytes. A file that is there is replaced.`,
		Example: `  windtunnel image -o hollow-node.tar
  kind load image-archive hollow-node.tar
  kubectl apply -k manifests/hollow`,
		Args: usage(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			options, err := a.options("")
			if err != nil {
				return err
			}
			size, err := writeImage(output, image.Options{
				Tag: tag, Program: options.KubeBinary, Name: "windtunnel-kube", Architecture: runtime.GOARCH, User: manifests.User,
				Labels: map[string]string{"org.opencontainers.image.title": "windtunnel hollow nodes", "org.opencontainers.image.revision": commit},
			})
			switch {
			case errors.Is(err, image.ErrTag), errors.Is(err, os.ErrNotExist), errors.Is(err, os.ErrPermission):
				return usageError{err}
			case err != nil:
				return &run.EnvironmentError{Err: err}
			}
			fmt.Fprintf(a.out, "%s: image %s, %d MB\n", output, tag, size/1e6)
			return nil
		},
	}
	cmd.Flags().StringVarP(&output, "output", "o", "hollow-node.tar", "write `FILE`")
	cmd.Flags().StringVar(&tag, "tag", manifests.Image, "the image's `NAME:TAG`; that of the manifests by default")
	return cmd
}

// writeImage writes an archive that is there only when all of it is, and returns its size.
func writeImage(path string, o image.Options) (size int64, err error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return 0, fmt.Errorf("write image: %w", err)
	}
	defer func() {
		if err != nil {
			os.Remove(f.Name())
		}
	}()
	err = image.Write(f, o)
	if info, serr := f.Stat(); serr == nil {
		size = info.Size()
	}
	if err = errors.Join(err, f.Chmod(0o644), f.Close()); err != nil {
		return 0, err
	}
	return size, os.Rename(f.Name(), path)
}
