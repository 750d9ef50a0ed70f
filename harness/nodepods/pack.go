package nodepods

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	v1 "k8s.io/api/core/v1"
	"k8s.io/client-go/rest"

	"windtunnel/harness/cluster"
	"windtunnel/hollow/pod"
	manifests "windtunnel/manifests/hollow"
	"windtunnel/profiles"
	"windtunnel/results"
)

// Pack is the hollow nodes of a run, as pods.
type Pack struct {
	*access
	opts      Options
	described pod.Config
	names     []string

	follow context.Context // of everything that goes on until Stop
	cancel context.CancelFunc
	going  sync.WaitGroup

	failures chan error // the first failure of a pod while they start

	mu       sync.Mutex
	now      map[int]*v1.Pod // as last seen, by ordinal
	listens  map[int]bool    // whose samples are being recorded, or never will be
	seen     map[string]bool // containers that are followed, by id
	foreign  bool            // that a pod runs on another kernel was noted
	ready    bool            // Start has returned
	stopping bool
	failed   bool // the first failure has been told of

	changing sync.Mutex // held while the description is changed
	down     map[string]bool
}

var _ cluster.Pack = (*Pack)(nil)

// unwindTime bounds the removing of what a failed start had made.
const unwindTime = time.Minute

// Start makes the pods and returns when all nodes are Ready and what their runtimes see is being recorded. config is an administrator's.
// What was made is removed again when it fails; a pod that ends or cannot start, and nodes that do not become Ready, give a
// *supervise.ComponentError.
func Start(ctx context.Context, config *rest.Config, o Options) (*Pack, error) {
	o = o.withDefaults()
	access, err := connect(config)
	if err != nil {
		return nil, fmt.Errorf("start hollow nodes: %w", err)
	}
	p := &Pack{
		access: access, opts: o, described: o.describe(), failures: make(chan error, 1),
		now: map[int]*v1.Pod{}, listens: map[int]bool{}, seen: map[string]bool{}, down: map[string]bool{},
	}
	for i := range p.described.Count {
		p.names = append(p.names, p.described.Name(i))
	}
	p.follow, p.cancel = context.WithCancel(context.WithoutCancel(ctx))
	if o.Spec.Count == 0 {
		return p, nil
	}
	if err := p.free(ctx, o); err != nil {
		return nil, fmt.Errorf("start hollow nodes: %w", err)
	}
	if err := p.run(ctx); err != nil {
		unwind, cancel := context.WithTimeout(context.WithoutCancel(ctx), unwindTime)
		defer cancel()
		return nil, errors.Join(fmt.Errorf("start hollow nodes: %w", err), p.Stop(unwind))
	}
	return p, nil
}

// Names are the nodes' names, in the order of their numbers.
func (p *Pack) Names() []string { return p.names }

// Down cuts nodes off from the control plane, as a broken network would. It returns when their pods have done so.
func (p *Pack) Down(ctx context.Context, names []string) error { return p.setDown(ctx, names, true) }

// Up connects nodes again.
func (p *Pack) Up(ctx context.Context, names []string) error { return p.setDown(ctx, names, false) }

func (p *Pack) setDown(ctx context.Context, names []string, down bool) error {
	p.changing.Lock()
	defer p.changing.Unlock()
	for _, name := range names {
		if !slices.Contains(p.names, name) {
			return fmt.Errorf("there is no hollow node %q", name)
		}
	}
	for _, name := range names {
		if down {
			p.down[name] = true
		} else {
			delete(p.down, name)
		}
	}
	return p.access.setDown(ctx, p.described, p.down)
}

// Components are the pods. PID is 0 where a pod's process is not one of this machine that can be seen.
func (p *Pack) Components() []results.Component {
	p.mu.Lock()
	defer p.mu.Unlock()
	list := make([]results.Component, 0, p.described.Pods())
	for i := range p.described.Pods() {
		c := results.Component{Name: componentName(i), Log: p.logName(i)}
		if one := p.now[i]; one != nil && len(one.Spec.Containers) > 0 {
			c.Args = append([]string{one.Spec.Containers[0].Image}, one.Spec.Containers[0].Args...)
			c.PID = processOf(containerID(one))
		}
		if c.PID == 0 && p.stopping {
			c.Exit = "removed"
		}
		list = append(list, c)
	}
	return list
}

// logName is a pod's log, relative to the run directory.
func (p *Pack) logName(ordinal int) string {
	return filepath.Join(filepath.Base(p.opts.LogDir), componentName(ordinal)+".log")
}

// logFile is where it is written; "" where no logs are kept.
func (p *Pack) logFile(ordinal int) string {
	if p.opts.LogDir == "" {
		return ""
	}
	return filepath.Join(p.opts.LogDir, componentName(ordinal)+".log")
}

// sampleFile is where the samples of a pod's stream number life are written.
func (p *Pack) sampleFile(ordinal, life int) string {
	name := componentName(ordinal)
	if life > 0 {
		name += "." + strconv.Itoa(life)
	}
	return filepath.Join(p.opts.SamplesDir, name+".arrows")
}

// Stop removes everything that Start made, the nodes' objects with it, and nothing else. It returns when the pods have ended and what they
// said and saw is written.
func (p *Pack) Stop(ctx context.Context) error {
	p.mu.Lock()
	p.stopping = true
	p.mu.Unlock()
	err := p.removePods(ctx, p.opts.Run)
	p.finish()
	if e := p.removeRest(ctx, p.opts.Run); e != nil {
		err = errors.Join(err, e)
	}
	if err != nil {
		return fmt.Errorf("remove the hollow nodes: %w", err)
	}
	return nil
}

// finishTime is how long the followers have to take what the pods had left, after the pods have gone.
const finishTime = 3 * time.Second

// finish ends the followers. Those of pods that have gone end by themselves, when they have everything.
func (p *Pack) finish() {
	done := make(chan struct{})
	go func() {
		p.going.Wait()
		close(done)
	}()
	timer := time.NewTimer(finishTime)
	defer timer.Stop()
	select {
	case <-done:
	case <-timer.C:
	}
	p.cancel()
	<-done
}

// containerID is the id of the container in which a pod's nodes run, without the runtime's name; "" while there is none.
func containerID(one *v1.Pod) string {
	if len(one.Status.ContainerStatuses) == 0 {
		return ""
	}
	_, id, _ := strings.Cut(one.Status.ContainerStatuses[0].ContainerID, "://")
	return id
}

// managed finds what windtunnel has made, all of it or what belongs to one run.
func managed(run string) string {
	text := manifests.LabelPartOf + "=" + manifests.PartOf
	if run != "" {
		text += "," + profiles.LabelRun + "=" + run
	}
	return text
}
