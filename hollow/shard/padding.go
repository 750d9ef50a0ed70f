package shard

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// paddingAnnotation makes a node object as large as those of real nodes, which list dozens of images.
const paddingAnnotation = "windtunnel/padding"

// pad adds the annotation by one PATCH of the node itself. The kubelet has no option for annotations; kubemark's scripts do the
// same as an administrator, once all nodes are there (resize-node-objects in test/kubemark/start-kubemark.sh).
func pad(ctx context.Context, config *rest.Config, node string, size int) error {
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return fmt.Errorf("pad node %s: %w", node, err)
	}
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{
		"annotations": map[string]string{paddingAnnotation: strings.Repeat("x", size)},
	}})
	if err != nil {
		return fmt.Errorf("pad node %s: %w", node, err)
	}
	if _, err := client.CoreV1().Nodes().Patch(ctx, node, types.MergePatchType, patch, metav1.PatchOptions{}); err != nil {
		return fmt.Errorf("pad node %s: %w", node, err)
	}
	return nil
}
