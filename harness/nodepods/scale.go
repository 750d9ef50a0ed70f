package nodepods

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"

	"windtunnel/harness/cluster"
	"windtunnel/harness/observe"
	"windtunnel/hollow/pod"
	manifests "windtunnel/manifests/hollow"
)

// ErrNone is a cluster without hollow nodes as pods.
var ErrNone = errors.New("the cluster has no hollow nodes as pods")

// Scaling says how many hollow nodes there are to be and how that comes about.
type Scaling struct {
	// Count is how many nodes there are to be, 0 and up.
	Count int
	// Drain has the pods on nodes that are to go evicted first, as kubectl drain does, within what their disruption budgets allow. Without
	// it the nodes vanish, as machines do that burn, and whoever watches over the pods notices some time.
	Drain bool
	// Allow is asked before each step that makes nodes more; its error ends the scaling. Default: every step is allowed.
	Allow func(ctx context.Context) error
	// Progress is told how far it is, a sentence each. Default: nobody is.
	Progress func(string)
}

// Scale makes the hollow nodes of a cluster as many as s says, in steps that the server bears: the step grows while nodes join quickly, and
// shrinks when they do not. Nodes with the highest numbers go first, their objects and leases with them. It works on whatever made the nodes
// by the manifests, kubectl too; the error is ErrNone where nothing did. config is an administrator's. When ctx ends, what is done stays so.
func Scale(ctx context.Context, config *rest.Config, s Scaling) error {
	if s.Progress == nil {
		s.Progress = func(string) {}
	}
	a, err := connect(config)
	if err != nil {
		return fmt.Errorf("scale the hollow nodes: %w", err)
	}
	if err := a.scale(ctx, s); err != nil {
		return fmt.Errorf("scale the hollow nodes: %w", err)
	}
	return nil
}

func (a *access) scale(ctx context.Context, s Scaling) error {
	pace := pacing{step: firstStep}
	for {
		now, err := a.scaled(ctx)
		if err != nil {
			return err
		}
		if err := now.described.Check(s.Count); err != nil {
			return err
		}
		from := now.described.Count
		if from == s.Count {
			return a.settle(ctx, now.described)
		}
		to := min(s.Count, from+pace.step)
		if s.Count < from {
			to = max(s.Count, from-pace.step)
		}
		s.Progress(fmt.Sprintf("%d → %d of %d nodes", from, to, s.Count))
		begin := time.Now()
		if to > from {
			err = a.grow(ctx, now, to, s)
		} else {
			err = a.shrink(ctx, now, to, s)
		}
		if err != nil {
			return fmt.Errorf("from %d to %d nodes: %w", from, to, err)
		}
		pace.took(time.Since(begin))
	}
}

// settle finishes what a step that was interrupted may have left half done: the pods are as many as the description needs, no object of a
// node that it does not have is left, and its nodes have been Ready.
func (a *access) settle(ctx context.Context, c pod.Config) error {
	if err := a.resize(ctx, c.Pods()); err != nil {
		return err
	}
	left, err := a.nodesFrom(ctx, c, c.Count)
	if err != nil {
		return err
	}
	if len(left) > 0 {
		if err := a.awaitCut(ctx, c); err != nil {
			return err
		}
		if err := a.deleteNodes(ctx, left); err != nil {
			return err
		}
	}
	return a.awaitNodes(ctx, c, 0, c.Count)
}

// What a step is: how many nodes join or leave before it is looked how that went.
const (
	firstStep  = 50
	leastStep  = 5
	mostStep   = 1000
	quickStep  = 20 * time.Second
	slowStep   = time.Minute
	growEvery  = 200 * time.Millisecond
	drainEvery = 200 * time.Millisecond
)

// pacing is how large the next step is.
type pacing struct{ step int }

// took learns from how long a step took.
func (p *pacing) took(d time.Duration) {
	switch {
	case d < quickStep:
		p.step = min(mostStep, 2*p.step)
	case d > slowStep:
		p.step = max(leastStep, p.step/2)
	}
}

// scaled is what there is.
type scaled struct {
	described pod.Config
	text      map[string]any // as it was written, with what we do not know
	down      []string
	version   string
}

func (a *access) scaled(ctx context.Context) (s scaled, err error) {
	found, err := a.client.CoreV1().ConfigMaps(manifests.Namespace).Get(ctx, manifests.Name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return s, fmt.Errorf("%w: there is no ConfigMap %s/%s", ErrNone, manifests.Namespace, manifests.Name)
	}
	if err != nil {
		return s, err
	}
	s.version = found.ResourceVersion
	if s.described, s.down, err = pod.Parse(found.Data); err != nil {
		return s, err
	}
	return s, json.Unmarshal([]byte(found.Data[pod.KeyNodes]), &s.text)
}

// describe writes another number of nodes into the description, unless somebody else has changed it meanwhile.
func (a *access) describe(ctx context.Context, now scaled, count int) (pod.Config, error) {
	now.text["count"] = count
	text, err := json.MarshalIndent(now.text, "", "  ")
	if err != nil {
		return pod.Config{}, err
	}
	data := map[string]string{pod.KeyNodes: string(text)}
	c := now.described
	c.Count = count
	if down := slices.DeleteFunc(slices.Clone(now.down), func(name string) bool { return !c.Has(name) }); len(down) < len(now.down) {
		left, err := json.Marshal(down)
		if err != nil {
			return pod.Config{}, err
		}
		data[pod.KeyDown] = string(left)
	}
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"resourceVersion": now.version}, "data": data})
	if err != nil {
		return pod.Config{}, err
	}
	options := metav1.PatchOptions{FieldManager: cluster.UserAgent}
	if _, err := a.client.CoreV1().ConfigMaps(manifests.Namespace).Patch(ctx, manifests.Name, types.MergePatchType, patch, options); err != nil {
		return pod.Config{}, fmt.Errorf("change the description of the hollow nodes: %w", err)
	}
	return c, nil
}

// resize makes the StatefulSet have a number of pods.
func (a *access) resize(ctx context.Context, pods int) error {
	patch := fmt.Appendf(nil, `{"spec":{"replicas":%d}}`, pods)
	options := metav1.PatchOptions{FieldManager: cluster.UserAgent}
	if _, err := a.client.AppsV1().StatefulSets(manifests.Namespace).Patch(ctx, manifests.Name, types.MergePatchType, patch, options); err != nil {
		return fmt.Errorf("resize the StatefulSet: %w", err)
	}
	return nil
}

// grow adds nodes, if that is allowed, and waits until they have been Ready.
func (a *access) grow(ctx context.Context, now scaled, to int, s Scaling) error {
	if s.Allow != nil {
		if err := s.Allow(ctx); err != nil {
			return err
		}
	}
	c, err := a.describe(ctx, now, to)
	if err != nil {
		return err
	}
	if err := a.resize(ctx, c.Pods()); err != nil {
		return err
	}
	return a.awaitNodes(ctx, c, now.described.Count, to)
}

// awaitNodes waits until the pods that hold the nodes from and up to to say that all of theirs have been Ready. A pod's end or a stall make
// it fail.
func (a *access) awaitNodes(ctx context.Context, c pod.Config, from, to int) error {
	best, since := -1, time.Now()
	for {
		ready, wanted, problem := a.readiness(ctx, c, from, to)
		if problem == nil && ready >= wanted {
			return nil
		}
		if ready > best {
			best, since = ready, time.Now()
		}
		var dead *deadPod
		if errors.As(problem, &dead) {
			return problem
		}
		if time.Since(since) > observe.StallTime {
			return fmt.Errorf("%d of %d nodes of the pods concerned are Ready and no other became so for %v: %w", ready, wanted, observe.StallTime, problem)
		}
		if !pause(ctx, growEvery) {
			return context.Cause(ctx)
		}
	}
}

// deadPod is a pod that will not become what it should.
type deadPod struct{ name, why string }

func (d *deadPod) Error() string { return "pod " + d.name + ": " + d.why }

// readiness asks the pods of nodes how far they are. problem is why one does not answer or what it complains about.
func (a *access) readiness(ctx context.Context, c pod.Config, from, to int) (ready, wanted int, problem error) {
	list, err := a.pods(ctx)
	if err != nil {
		return 0, 1, err
	}
	there := map[string]bool{}
	for i := range list {
		if why := ended(&list[i]); why != "" {
			return 0, 1, &deadPod{list[i].Name, why}
		}
		there[list[i].Name] = running(&list[i])
		if why := held(&list[i]); why != "" {
			problem = errors.New("pod " + list[i].Name + ": " + why)
		}
	}
	for n := from / c.PerPod; n*c.PerPod < to; n++ {
		share := min(c.PerPod, c.Count-n*c.PerPod)
		wanted += share
		if !there[podName(n)] {
			problem = errors.Join(problem, fmt.Errorf("pod %s does not run yet", podName(n)))
			continue
		}
		s, err := a.status(ctx, podName(n))
		switch {
		case err != nil:
			problem = err
		case s.Wanted != share:
			problem = fmt.Errorf("pod %s has not followed its description yet", podName(n))
		case !s.Settled():
			problem = fmt.Errorf("pod %s: of %d nodes %d have been Ready %s %s", podName(n), s.Wanted, s.Ready, s.Problem, s.Error)
		}
		ready += s.Ready
	}
	return ready, wanted, problem
}
