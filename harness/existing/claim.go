package existing

import (
	"context"
	"fmt"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"windtunnel/harness/cluster"
	"windtunnel/profiles"
)

// claimName is the Lease in Namespace that a run holds: two runs on one cluster at a time would measure each other.
const claimName = "windtunnel-run"

const (
	// holdEvery is how often a run renews its claim.
	holdEvery = 5 * time.Second
	// holdTime is how long a claim that is not renewed still counts.
	holdTime = 15 * time.Second
	// longGone is the age from which a claim counts for nothing, however far the clocks of two machines are apart.
	longGone = 10 * time.Minute
)

// claim takes the cluster for this run. Nothing else is made before.
func (c *Cluster) claim(ctx context.Context) error {
	leases := c.target.client.CoordinationV1().Leases(Namespace)
	seconds, now := int32(holdTime.Seconds()), metav1.NowMicro()
	lease := &coordinationv1.Lease{ObjectMeta: c.meta(Namespace, claimName),
		Spec: coordinationv1.LeaseSpec{HolderIdentity: &c.options.Run, LeaseDurationSeconds: &seconds, RenewTime: &now}}
	_, err := leases.Create(ctx, lease, metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		holder := "another run"
		if other, err := leases.Get(ctx, claimName, metav1.GetOptions{}); err == nil {
			holder = holderOf(other)
		}
		return &cluster.RefusedError{Err: fmt.Errorf("%s uses the cluster, or was killed and left its things there: windtunnel down --kubeconfig FILE removes them, unless the run is still under way", holder)}
	}
	if err != nil {
		return fmt.Errorf("take the cluster for this run: %w", err)
	}
	return nil
}

func holderOf(claim *coordinationv1.Lease) string { return "run " + claim.Labels[profiles.LabelRun] }

// hold renews the claim until the context ends, so that whoever wants to clean up sees that the run is under way. A renewal that fails
// costs only that.
func (c *Cluster) hold(ctx context.Context) {
	ticker := time.NewTicker(holdEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-ticker.C:
			patch := fmt.Appendf(nil, `{"spec":{"renewTime":%q}}`, now.UTC().Format(metav1.RFC3339Micro))
			_, _ = c.target.client.CoordinationV1().Leases(Namespace).Patch(ctx, claimName, types.MergePatchType, patch, metav1.PatchOptions{})
		}
	}
}

// unheld returns when no run is under way on the cluster: at once, or after the time in which a living one would have renewed its claim.
// One that lives is a *cluster.RefusedError.
func (t *Target) unheld(ctx context.Context, progress func(string)) error {
	first, err := t.claimed(ctx)
	if err != nil || first == nil || first.Spec.RenewTime == nil || time.Since(first.Spec.RenewTime.Time) > longGone {
		return err
	}
	progress(fmt.Sprintf("looking for %v whether %s is still under way", holdTime, holderOf(first)))
	tick, over := time.NewTicker(pollEvery), time.NewTimer(holdTime)
	defer tick.Stop()
	defer over.Stop()
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-over.C:
			return nil
		case <-tick.C:
		}
		now, err := t.claimed(ctx)
		if err != nil || now == nil {
			return err
		}
		if !now.Spec.RenewTime.Equal(first.Spec.RenewTime) {
			return &cluster.RefusedError{Err: fmt.Errorf("%s is under way on the cluster, and removes what it made when it ends or is interrupted; --force takes everything from under it", holderOf(now))}
		}
	}
}

// claimed is the claim of a run, nil where there is none.
func (t *Target) claimed(ctx context.Context) (*coordinationv1.Lease, error) {
	lease, err := t.client.CoordinationV1().Leases(Namespace).Get(ctx, claimName, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("see whether a run is under way: %w", err)
	}
	return lease, nil
}
