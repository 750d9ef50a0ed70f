package nodepods

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"windtunnel/harness/cluster"
	"windtunnel/hollow/pod"
	manifests "windtunnel/manifests/hollow"
)

const (
	// heedTime is how long the pods have to follow a change of their description.
	heedTime = 10 * time.Second
	// heedEvery is how often a pod is asked whether it has.
	heedEvery = 50 * time.Millisecond
	// visits is how many pods are asked at one time.
	visits = 16
)

// setDown writes which nodes are cut off, and returns when all pods act on it.
func (a *access) setDown(ctx context.Context, described pod.Config, down map[string]bool) error {
	names := slices.Sorted(maps.Keys(down))
	if names == nil {
		names = []string{}
	}
	text, err := json.Marshal(names)
	if err != nil {
		return err
	}
	version, err := a.change(ctx, map[string]string{pod.KeyDown: string(text)})
	if err != nil {
		return err
	}
	return a.heeded(ctx, described.Pods(), version)
}

// change changes keys of the pods' description, and gives the version of it in which they are so.
func (a *access) change(ctx context.Context, data map[string]string) (version string, err error) {
	patch, err := json.Marshal(map[string]any{"data": data})
	if err != nil {
		return "", err
	}
	options := metav1.PatchOptions{FieldManager: cluster.UserAgent}
	changed, err := a.client.CoreV1().ConfigMaps(manifests.Namespace).Patch(ctx, manifests.Name, types.MergePatchType, patch, options)
	if err != nil {
		return "", fmt.Errorf("change the description of the hollow nodes: %w", err)
	}
	return changed.ResourceVersion, nil
}

// heeded returns when the first pods act on that version of their description, or a newer one.
func (a *access) heeded(ctx context.Context, pods int, version string) error {
	ctx, cancel := context.WithTimeout(ctx, heedTime)
	defer cancel()
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(visits)
	for i := range pods {
		group.Go(func() error { return a.heeds(ctx, podName(i), version) })
	}
	return group.Wait()
}

func (a *access) heeds(ctx context.Context, name, version string) error {
	tick := time.NewTicker(heedEvery)
	defer tick.Stop()
	for {
		status, err := a.status(ctx, name)
		if err == nil && !older(status.Version, version) {
			return nil
		}
		if err == nil {
			err = fmt.Errorf("pod %s has not followed the change of the description of its nodes: %s", name, status.Problem)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return err
		}
	}
}

// older compares resourceVersions of one object, which are numbers that grow (KEP 5504, and so in every Kubernetes with etcd).
func older(a, than string) bool {
	x, err := strconv.ParseUint(a, 10, 64)
	if err != nil {
		return true
	}
	y, err := strconv.ParseUint(than, 10, 64)
	return err == nil && x < y
}
