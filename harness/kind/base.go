package kind

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"go.yaml.in/yaml/v3"
	"sigs.k8s.io/kind/pkg/apis/config/v1alpha4"
)

// readBase reads the user's own kind configuration, an empty one for no file.
func readBase(file string) (v1alpha4.Cluster, error) {
	var c v1alpha4.Cluster
	if file == "" {
		return c, nil
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return c, fmt.Errorf("read controlPlane.kind.config: %w", err)
	}
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	decoder.KnownFields(true)
	if err := decoder.Decode(&c); err != nil && !errors.Is(err, io.EOF) {
		return c, fmt.Errorf("read controlPlane.kind.config %s: %w", file, err)
	}
	if c.APIVersion != "kind.x-k8s.io/v1alpha4" || c.Kind != "Cluster" {
		return c, fmt.Errorf("read controlPlane.kind.config %s: want apiVersion kind.x-k8s.io/v1alpha4 and kind Cluster, not %q and %q", file, c.APIVersion, c.Kind)
	}
	return c, nil
}
