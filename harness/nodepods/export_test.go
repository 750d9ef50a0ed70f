package nodepods

import (
	"context"

	"k8s.io/client-go/rest"

	"windtunnel/hollow/pod"
	manifests "windtunnel/manifests/hollow"
)

// ApplyForTest applies the manifests and extras without the StatefulSet, with a description of the nodes.
func ApplyForTest(ctx context.Context, config *rest.Config, described string, extras ...manifests.Extra) error {
	objects, err := manifests.Objects(extras...)
	if err != nil {
		return err
	}
	a, err := connect(config)
	if err != nil {
		return err
	}
	for _, o := range objects {
		if o.GetKind() == "ConfigMap" {
			o.Object["data"] = map[string]any{pod.KeyNodes: described}
		}
	}
	return a.apply(ctx, objects[:len(objects)-1])
}
