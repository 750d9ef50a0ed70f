package nodepods

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"time"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"windtunnel/hollow"
	manifests "windtunnel/manifests/hollow"
	"windtunnel/results"
)

// again is how long after a connection could not be made or broke it is tried once more.
const again = 200 * time.Millisecond

// container is one container of a pod, which lives until it ends; a pod that is restarted has another one.
type container struct {
	ordinal int
	pod     *v1.Pod
}

// followContainer begins to take what a container logs and what its nodes' runtimes see. Callers hold the lock.
func (p *Pack) followContainer(one *v1.Pod) {
	c := container{ordinal: ordinal(one.Name), pod: one}
	if p.opts.LogDir != "" {
		p.going.Go(func() { p.takeLog(c) })
	}
	if p.opts.SamplesDir != "" {
		p.going.Go(func() { p.takeSamples(c) })
	}
}

// alive says whether the container is still its pod's, as far as is known.
func (p *Pack) alive(c container) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now[c.ordinal]
	return p.follow.Err() == nil && now != nil && now.UID == c.pod.UID && containerID(now) == containerID(c.pod) && running(now)
}

// running says whether a pod's container runs.
func running(one *v1.Pod) bool {
	return len(one.Status.ContainerStatuses) > 0 && one.Status.ContainerStatuses[0].State.Running != nil
}

// takeLog appends what a container logs to the log of its pod, until it ends.
func (p *Pack) takeLog(c container) {
	file, err := os.OpenFile(p.logFile(c.ordinal), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		p.opts.Note(fmt.Sprintf("the log of pod %s is not kept: %v", c.pod.Name, err))
		return
	}
	defer file.Close()
	options := &v1.PodLogOptions{Container: c.pod.Spec.Containers[0].Name, Follow: true}
	for {
		log, err := p.client.CoreV1().Pods(manifests.Namespace).GetLogs(c.pod.Name, options).Stream(p.follow)
		if err == nil {
			_, _ = io.Copy(file, log) // it ends with the container, or breaks and is taken up again
			log.Close()
			since := metav1.Now() // lines of this second may come twice
			options.SinceTime = &since
		}
		if !p.alive(c) || !pause(p.follow, again) {
			return
		}
	}
}

// takeSamples records what the runtimes of a container's nodes see, until it ends.
func (p *Pack) takeSamples(c container) {
	for {
		err := p.recordSamples(c)
		if err == nil || errors.Is(err, errForeign) || !p.alive(c) {
			return
		}
		if !pause(p.follow, again) {
			return
		}
	}
}

// errForeign is a pod whose clock is not this machine's.
var errForeign = errors.New("the pod runs on another machine")

// recordSamples records one stream. It returns nil behind its end-of-stream mark.
func (p *Pack) recordSamples(c container) error {
	clock := p.opts.Clock
	asked := clock.Now()
	answer, err := p.visit(p.follow, c.pod.Name, hollow.PathSamples,
		url.Values{hollow.QueryBase: {strconv.FormatInt(clock.Base(), 10)}, hollow.QueryBoot: {hollow.BootID()}})
	answered := clock.Now()
	var refused *refusal
	if errors.As(err, &refused) && refused.code == http.StatusPreconditionFailed {
		p.foreignClock(c)
		return errForeign
	}
	if err != nil {
		return err // it does not serve yet
	}
	defer answer.Body.Close()
	// Whatever the kernels call themselves: the pod's clock said something between the question and the answer.
	if at, err := strconv.ParseInt(answer.Header.Get(hollow.HeaderInstant), 10, 64); err != nil || at < asked || at > answered {
		p.foreignClock(c)
		return errForeign
	}
	return p.writeSamples(c, answer.Body)
}

func (p *Pack) writeSamples(c container, from io.Reader) error {
	out, err := p.createSamples(c.ordinal)
	if err != nil {
		return p.lostSamples(err)
	}
	defer out.Close()
	p.listening(c.ordinal)
	disk := &keeper{w: out}
	err = results.CopyStream(disk, from)
	switch {
	case disk.err != nil:
		return p.lostSamples(disk.err)
	case err != nil && p.follow.Err() == nil:
		p.opts.Note(fmt.Sprintf("the stream of what the nodes of pod %s see broke off, so that starts of containers may be missing: %v", c.pod.Name, err))
	}
	return err
}

// createSamples makes the file of a stream: a pod has a further one for every stream after the first.
func (p *Pack) createSamples(ordinal int) (*os.File, error) {
	for life := 0; ; life++ {
		out, err := os.OpenFile(p.sampleFile(ordinal, life), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
		if !errors.Is(err, os.ErrExist) {
			return out, err
		}
	}
}

// lostSamples fails the run: without its records it shows nothing. It returns nil, as there is no use in trying again.
func (p *Pack) lostSamples(err error) error {
	if p.first() {
		p.tell(fmt.Errorf("write what the nodes see: %w", err))
	}
	return nil
}

// keeper keeps the first error of a file apart from those of what is written to it.
type keeper struct {
	w   io.Writer
	err error
}

// Write implements io.Writer.
func (k *keeper) Write(b []byte) (int, error) {
	n, err := k.w.Write(b)
	if k.err == nil {
		k.err = err
	}
	return n, err
}

// listening says that the samples of a pod are being recorded, or never will be.
func (p *Pack) listening(ordinal int) {
	p.mu.Lock()
	p.listens[ordinal] = true
	p.mu.Unlock()
}

// foreignClock notes, once, that what happens in the runtimes has no instant that means anything here.
func (p *Pack) foreignClock(c container) {
	p.mu.Lock()
	first := !p.foreign
	p.foreign = true
	p.mu.Unlock()
	if first {
		p.opts.Note(fmt.Sprintf("pod %s, and perhaps others, run on another machine than windtunnel: their clocks cannot be compared, so what their runtimes saw is not recorded: of "+
			"the pod start-up the stage run_to_observe has no data, and schedule_to_run goes up to where the pod was seen running", c.pod.Name))
	}
	p.listening(c.ordinal)
}

// pause waits, or says that the context has ended.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
