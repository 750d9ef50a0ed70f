package nodepods

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/tools/cache"

	"windtunnel/harness/supervise"
	manifests "windtunnel/manifests/hollow"
)

// watchPods follows the pods until Stop: every container that runs is followed, and one that ends is a failure.
func (p *Pack) watchPods() {
	factory := informers.NewSharedInformerFactoryWithOptions(p.client, 0, informers.WithNamespace(manifests.Namespace),
		informers.WithTweakListOptions(func(o *metav1.ListOptions) { o.LabelSelector = selector }))
	see := func(object any) {
		if one, ok := object.(*v1.Pod); ok {
			p.see(one)
		}
	}
	informer := factory.Core().V1().Pods().Informer()
	// It fails only on an informer that has been stopped.
	_, _ = informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    see,
		UpdateFunc: func(_, now any) { see(now) },
		DeleteFunc: func(object any) {
			if last, ok := object.(cache.DeletedFinalStateUnknown); ok {
				object = last.Obj
			}
			if one, ok := object.(*v1.Pod); ok {
				p.lose(one)
			}
		},
	})
	p.going.Go(func() { informer.RunWithContext(p.follow) })
}

// see takes a pod as it is now.
func (p *Pack) see(one *v1.Pod) {
	p.mu.Lock()
	n := ordinal(one.Name)
	p.now[n] = one
	id := containerID(one)
	if running(one) && !p.seen[id] {
		p.seen[id] = true
		p.followContainer(one)
	}
	p.mu.Unlock()
	if why := ended(one); why != "" {
		p.fail(one, why)
	} else if why := crashed(one); why != "" {
		p.fail(one, why)
	}
}

// lose takes it that a pod has gone.
func (p *Pack) lose(one *v1.Pod) {
	p.mu.Lock()
	n := ordinal(one.Name)
	if now := p.now[n]; now != nil && now.UID == one.UID {
		delete(p.now, n)
	}
	p.mu.Unlock()
	p.fail(one, "the pod was deleted")
}

// fail tells, once, of a pod's failure: the start, or after it the run. What happens while everything is removed is none.
func (p *Pack) fail(one *v1.Pod, why string) {
	if p.first() {
		p.tell(p.blame(one, errors.New(why)))
	}
}

// first says whether a failure is the first and is to be told of.
func (p *Pack) first() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stopping || p.failed {
		return false
	}
	p.failed = true
	return true
}

// tell tells the start of a failure, or after it the run.
func (p *Pack) tell(err error) {
	p.mu.Lock()
	ready := p.ready
	p.mu.Unlock()
	if ready {
		p.opts.Failed(err)
	} else {
		p.failures <- err // has room for one
	}
}

// ended says in which way a pod has ended or cannot begin, as far as waiting does not help; "" where nothing is wrong.
func ended(one *v1.Pod) string {
	if one.Status.Phase == v1.PodFailed {
		return strings.TrimSpace("the pod failed: " + one.Status.Reason + " " + one.Status.Message)
	}
	for _, c := range one.Status.ContainerStatuses {
		if w := c.State.Waiting; w != nil && slices.Contains(hopeless(), w.Reason) {
			return strings.TrimSuffix(fmt.Sprintf("its container cannot start: %s: %s", w.Reason, w.Message), ": ")
		}
	}
	return ""
}

// crashed says how a pod's process ended though it was not asked to, now or before it was started again; "" where it never did.
func crashed(one *v1.Pod) string {
	for _, c := range one.Status.ContainerStatuses {
		for _, t := range []*v1.ContainerStateTerminated{c.State.Terminated, c.LastTerminationState.Terminated} {
			if t != nil && one.DeletionTimestamp == nil {
				return fmt.Sprintf("its process ended with code %d (%s)", t.ExitCode, t.Reason)
			}
		}
	}
	return ""
}

// hopeless are the reasons of the kubelet's for which a container will not start however long one waits.
func hopeless() []string {
	return []string{"ErrImageNeverPull", "ImagePullBackOff", "InvalidImageName", "ImageInspectError", "CreateContainerConfigError", "CreateContainerError",
		"RunContainerError"}
}

// held says why a pod has not begun though it may still; "" where nothing holds it.
func held(one *v1.Pod) string {
	for _, c := range one.Status.Conditions {
		if c.Type == v1.PodScheduled && c.Status == v1.ConditionFalse {
			return "it cannot be scheduled: " + c.Message
		}
	}
	for _, c := range one.Status.ContainerStatuses {
		if w := c.State.Waiting; w != nil {
			return strings.TrimSuffix("its container waits: "+w.Reason+": "+w.Message, ": ")
		}
	}
	return ""
}

// What is told of a failed pod.
const (
	tailLines = int64(12)
	fewEvents = 3
)

// blame makes the error of a pod: what the cluster's events and the pod's last lines say of it.
func (p *Pack) blame(one *v1.Pod, why error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(p.follow), statusTime)
	defer cancel()
	for _, text := range p.warnings(ctx, "Pod", one.Name) {
		why = fmt.Errorf("%w; %s", why, text)
	}
	return &supervise.ComponentError{Name: one.Name, Log: p.logFile(ordinal(one.Name)), Tail: p.tail(ctx, one), Err: why}
}

// tail gives the last lines of a pod's log, of the container that ended where one did.
func (p *Pack) tail(ctx context.Context, one *v1.Pod) []string {
	n := tailLines
	options := &v1.PodLogOptions{TailLines: &n}
	for _, c := range one.Status.ContainerStatuses {
		options.Previous = c.RestartCount > 0
	}
	text, err := p.client.CoreV1().Pods(manifests.Namespace).GetLogs(one.Name, options).DoRaw(ctx)
	if err != nil || len(text) == 0 {
		return supervise.Tail(p.logFile(ordinal(one.Name)), 0) // what was taken before
	}
	return strings.Split(strings.TrimRight(string(text), "\n"), "\n")
}

// warnings are the newest warnings among the events about an object, each once.
func (p *Pack) warnings(ctx context.Context, kind, name string) []string {
	list, err := p.client.CoreV1().Events(manifests.Namespace).List(ctx, metav1.ListOptions{
		FieldSelector: "involvedObject.kind=" + kind + ",involvedObject.name=" + name + ",type=" + v1.EventTypeWarning})
	if err != nil {
		return nil
	}
	slices.SortFunc(list.Items, func(a, b v1.Event) int { return b.LastTimestamp.Compare(a.LastTimestamp.Time) })
	texts := map[string]bool{}
	for _, e := range list.Items {
		if len(texts) < fewEvents {
			texts[e.Reason+": "+e.Message] = true
		}
	}
	return slices.Sorted(maps.Keys(texts))
}
