package cri

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"sync"
	"time"

	internalapi "k8s.io/cri-api/pkg/apis"
	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"
)

const (
	// ImageMountpoint is where a hollow node's only filesystem is mounted; images and containers are on it.
	ImageMountpoint = "/"
	// imageSize is the size that every image has, in bytes.
	imageSize = 10 << 20
)

// Images is one node's image store: what was pulled once is there. It is safe for concurrent use.
type Images struct {
	mu     sync.Mutex
	byID   map[string]*runtimeapi.Image
	fsInfo *runtimeapi.ImageFsInfoResponse
}

var _ internalapi.ImageManagerService = (*Images)(nil)

// NewImages returns an empty store.
func NewImages() *Images {
	usage := &runtimeapi.FilesystemUsage{
		Timestamp:  time.Now().UnixNano(),
		FsId:       &runtimeapi.FilesystemIdentifier{Mountpoint: ImageMountpoint},
		UsedBytes:  &runtimeapi.UInt64Value{},
		InodesUsed: &runtimeapi.UInt64Value{},
	}
	return &Images{
		byID: make(map[string]*runtimeapi.Image),
		fsInfo: &runtimeapi.ImageFsInfoResponse{
			ImageFilesystems:     []*runtimeapi.FilesystemUsage{usage},
			ContainerFilesystems: []*runtimeapi.FilesystemUsage{usage},
		},
	}
}

// imageID returns the identifier of an image by its name, in the form of a content digest.
func imageID(name string) string {
	sum := sha256.Sum256([]byte(name))
	return "sha256:" + hex.EncodeToString(sum[:])
}

// ListImages lists the images, or the one that the filter names.
func (i *Images) ListImages(_ context.Context, filter *runtimeapi.ImageFilter) ([]*runtimeapi.Image, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if name := filter.GetImage().GetImage(); name != "" {
		if image := i.find(name); image != nil {
			return []*runtimeapi.Image{image}, nil
		}
		return nil, nil
	}
	all := make([]*runtimeapi.Image, 0, len(i.byID))
	for _, image := range i.byID {
		all = append(all, image)
	}
	return all, nil
}

// find returns an image by its name or its identifier. Callers hold the lock.
func (i *Images) find(name string) *runtimeapi.Image {
	if image := i.byID[name]; image != nil {
		return image
	}
	return i.byID[imageID(name)]
}

// ImageStatus returns an image, or an empty answer when it was not pulled.
func (i *Images) ImageStatus(_ context.Context, spec *runtimeapi.ImageSpec, _ bool) (*runtimeapi.ImageStatusResponse, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	return &runtimeapi.ImageStatusResponse{Image: i.find(spec.GetImage())}, nil
}

// PullImage has the image at once.
func (i *Images) PullImage(_ context.Context, spec *runtimeapi.ImageSpec, _ *runtimeapi.AuthConfig, _ *runtimeapi.PodSandboxConfig) (string, error) {
	name := spec.GetImage()
	id := imageID(name)
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.byID[id] == nil {
		i.byID[id] = &runtimeapi.Image{Id: id, RepoTags: []string{name}, Size: imageSize, Spec: spec}
	}
	return id, nil
}

// RemoveImage forgets an image. Removing one that is gone does nothing.
func (i *Images) RemoveImage(_ context.Context, spec *runtimeapi.ImageSpec) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	if image := i.find(spec.GetImage()); image != nil {
		delete(i.byID, image.GetId())
	}
	return nil
}

// ImageFsInfo says that images and containers share the node's filesystem and take nothing of it. The answer is shared: it
// must not be changed.
func (i *Images) ImageFsInfo(context.Context) (*runtimeapi.ImageFsInfoResponse, error) {
	return i.fsInfo, nil
}

// Close implements internalapi.ImageManagerService; there is nothing to close.
func (i *Images) Close(context.Context) error { return nil }
