package kind

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"

	"golang.org/x/sync/errgroup"
	kindnodes "sigs.k8s.io/kind/pkg/cluster/nodes"
	"sigs.k8s.io/kind/pkg/cluster/nodeutils"

	manifests "windtunnel/manifests/hollow"
	"windtunnel/manifests/image"
)

// LoadHollow puts the image of hollow nodes, made of a windtunnel-kube, onto every node that has it not yet, and returns its name,
// whose tag is of the program's content: a cluster that is used again never runs another one.
func (c *Cluster) LoadHollow(ctx context.Context, program string) (name string, err error) {
	tag, err := contentTag(program)
	if err != nil {
		return "", fmt.Errorf("load the image of hollow nodes: %w", err)
	}
	repository, _, _ := strings.Cut(manifests.Image, ":")
	name = repository + ":" + tag
	loads, loading := errgroup.WithContext(ctx)
	for _, n := range c.nodes {
		known, err := output(ctx, n, "ctr", "--namespace=k8s.io", "images", "ls", "--quiet")
		if err != nil {
			return "", errors.Join(fmt.Errorf("load the image of hollow nodes: %w", err), loads.Wait())
		}
		if strings.Contains(string(known), "/"+name+"\n") {
			continue
		}
		loads.Go(func() error { return loadInto(loading, n, name, program) })
	}
	if err := loads.Wait(); err != nil {
		return "", fmt.Errorf("load the image of hollow nodes: %w", err)
	}
	return name, nil
}

// contentTag is the tag of a program's image.
func contentTag(program string) (string, error) {
	f, err := os.Open(program)
	if err != nil {
		return "", err
	}
	defer f.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return "", err
	}
	return fmt.Sprintf("%x", sum.Sum(nil)[:6]), nil
}

// loadInto streams the image into a node.
func loadInto(ctx context.Context, n kindnodes.Node, name, program string) error {
	r, w := io.Pipe()
	go func() {
		w.CloseWithError(image.Write(w, image.Options{Tag: name, Program: program, Name: "windtunnel-kube", Architecture: runtime.GOARCH, User: manifests.User}))
	}()
	// kind's loading knows no context; a reader that fails ends it.
	stop := context.AfterFunc(ctx, func() { r.CloseWithError(context.Cause(ctx)) })
	defer stop()
	err := nodeutils.LoadImageArchive(n, r)
	return errors.Join(err, r.Close())
}
