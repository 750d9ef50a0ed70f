package existing

import (
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// removeOrphans deletes the pods that the cluster's own DaemonSets had put on hollow nodes, which have gone. Kubernetes would do that
// itself, up to a minute later.
func (t *Target) removeOrphans(ctx context.Context, nodes []string) error {
	if len(nodes) == 0 {
		return nil
	}
	gone := map[string]bool{}
	for _, name := range nodes {
		gone[name] = true
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(deletesAtOnce)
	options := metav1.ListOptions{Limit: pageSize}
	for {
		pods, err := t.client.CoreV1().Pods(metav1.NamespaceAll).List(ctx, options)
		if err != nil {
			return fmt.Errorf("find pods on hollow nodes that have gone: %w", err)
		}
		for _, pod := range pods.Items {
			if !gone[pod.Spec.NodeName] {
				continue
			}
			group.Go(func() error {
				now := int64(0) // nobody is there to end it in order
				err := t.client.CoreV1().Pods(pod.Namespace).Delete(ctx, pod.Name, metav1.DeleteOptions{GracePeriodSeconds: &now, Preconditions: metav1.NewUIDPreconditions(string(pod.UID))})
				if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) {
					return fmt.Errorf("remove pod %s/%s of a hollow node that has gone: %w", pod.Namespace, pod.Name, err)
				}
				return nil
			})
		}
		if options.Continue = pods.Continue; options.Continue == "" {
			return group.Wait()
		}
	}
}
