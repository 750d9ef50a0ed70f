package kind

import (
	"context"
	"fmt"
	"strings"
)

// LocalImage is the node image that make node-image makes. It is never taken unasked.
const LocalImage = "windtunnel/node"

// noDNSLabel marks a node image that has no CoreDNS, as manifests/nodeimage makes them.
const noDNSLabel = "windtunnel.coredns"

// OfficialImage is the name of the official node image of a Kubernetes version, such as v1.36.3.
func OfficialImage(version string) string { return "kindest/node:" + version }

// ImageError says that a node image is not there.
type ImageError struct {
	Image string
	Err   error
}

// Error says how to come by an image.
func (e *ImageError) Error() string {
	remedy := "for places that reach no registry, make node-image builds one, which --node-image " + LocalImage + " uses"
	if strings.HasPrefix(e.Image, LocalImage) {
		remedy = "make node-image builds it"
	}
	return fmt.Sprintf("the node image %s is not on this machine and cannot be fetched (%v): %s", e.Image, e.Err, remedy)
}

// Unwrap gives what the engine said.
func (e *ImageError) Unwrap() error { return e.Err }

// has tells whether an image is on the machine.
func (e Engine) has(ctx context.Context, image string) bool {
	_, err := e.run(ctx, "image", "inspect", "--format", "{{.Id}}", image)
	return err == nil
}

// localName is the name under which kind finds an image that is on the machine. Podman keeps what was built or loaded here below localhost/, and
// kind takes a name without a registry for one of docker.io, where it would look for it in vain.
func (e Engine) localName(ctx context.Context, image string) string {
	if local := "localhost/" + image; e.name == "podman" && e.has(ctx, local) {
		return local
	}
	return image
}

// pullName is the name under which an image is fetched. Podman takes a name without a registry for Docker Hub's only where the machine is
// set up so, and kind always does.
func (e Engine) pullName(image string) string {
	host, _, found := strings.Cut(image, "/")
	if e.name != "podman" || found && (strings.ContainsAny(host, ".:") || host == "localhost") {
		return image
	}
	return "docker.io/" + image
}

// ensure fetches an image that is not on the machine. Our own is in no registry.
func (e Engine) ensure(ctx context.Context, image string, progress func(string)) error {
	if e.has(ctx, image) {
		return nil
	}
	if strings.HasPrefix(image, LocalImage) {
		return &ImageError{image, fmt.Errorf("%s is in no registry", image)}
	}
	progress("fetching " + image)
	if _, err := e.run(ctx, "pull", "--quiet", e.pullName(image)); err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return &ImageError{image, err}
	}
	return nil
}

// hasDNS tells whether an image has CoreDNS in it: kubeadm would wait in vain for one that is not there.
func (e Engine) hasDNS(ctx context.Context, image string) (bool, error) {
	label, err := e.run(ctx, "image", "inspect", "--format", `{{index .Config.Labels "`+noDNSLabel+`"}}`, image)
	if err != nil {
		return false, fmt.Errorf("read the labels of %s: %w", image, err)
	}
	return label != "none", nil
}
