package existing

import (
	"context"
	"fmt"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"windtunnel/harness/cluster"
	"windtunnel/manifests/hollow"
	"windtunnel/profiles"
)

// UpPrefix begins the id of an up that has put hollow nodes on a cluster of somebody else's.
const UpPrefix = "up-"

// AllowNodes tells whether there may be that many hollow nodes now: a *cluster.RefusedError when not. A consent that is there binds whoever
// asks; where there is none, only nodes that their owner made without an up may become more.
func (t *Target) AllowNodes(ctx context.Context, count int) error {
	c, found, err := t.Consent(ctx)
	switch {
	case err != nil:
	case found:
		err = c.allowsNow(time.Now())
		if err == nil && c.MaxNodes > 0 && count > c.MaxNodes {
			err = fmt.Errorf("the cluster's owner allows %d hollow nodes, not %d (%s)", c.MaxNodes, count, keyMaxNodes)
		}
	default:
		set, e := t.client.AppsV1().StatefulSets(Namespace).Get(ctx, hollow.Name, metav1.GetOptions{})
		if e != nil && !apierrors.IsNotFound(e) {
			return fmt.Errorf("see who made the hollow nodes: %w", e)
		}
		if e == nil && strings.HasPrefix(set.Labels[profiles.LabelRun], UpPrefix) {
			err = errNoConsent
		}
	}
	if err != nil {
		return &cluster.RefusedError{Err: err}
	}
	return nil
}
