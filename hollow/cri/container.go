package cri

import (
	"context"
	"fmt"
	"slices"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"
)

const (
	exitOK     = 0
	exitKilled = 128 + 9 // SIGKILL
)

// container is one container of a sandbox. As in sandbox, answers are made at each change and shared.
type container struct {
	id        string
	sandbox   *sandbox
	meta      *runtimeapi.ContainerMetadata
	image     *runtimeapi.ImageSpec
	imageID   string
	labels    map[string]string
	notes     map[string]string // annotations
	logPath   string
	resources *runtimeapi.ContainerResources

	state                      runtimeapi.ContainerState
	created, started, finished int64 // Unix nanoseconds
	exitCode                   int32

	stopping *time.Timer   // runs from the first stop call until the container ends by itself; nil before
	ended    chan struct{} // closed at the end; nil until somebody waits

	listed *runtimeapi.Container
	status *runtimeapi.ContainerStatusResponse
	stats  *runtimeapi.ContainerStats
}

// changed makes the answers about the container again. Callers hold the runtime's lock, or the only reference.
func (c *container) changed() {
	c.listed = &runtimeapi.Container{
		Id:           c.id,
		PodSandboxId: c.sandbox.id,
		Metadata:     c.meta,
		Image:        c.image,
		ImageRef:     c.imageID,
		ImageId:      c.imageID,
		State:        c.state,
		CreatedAt:    c.created,
		Labels:       c.labels,
		Annotations:  c.notes,
	}
	reason := ""
	if c.state == runtimeapi.ContainerState_CONTAINER_EXITED {
		reason = "Completed"
		if c.exitCode != exitOK {
			reason = "Error"
		}
	}
	c.status = &runtimeapi.ContainerStatusResponse{Status: &runtimeapi.ContainerStatus{
		Id:          c.id,
		Metadata:    c.meta,
		State:       c.state,
		CreatedAt:   c.created,
		StartedAt:   c.started,
		FinishedAt:  c.finished,
		ExitCode:    c.exitCode,
		Image:       c.image,
		ImageRef:    c.imageID,
		ImageId:     c.imageID,
		Reason:      reason,
		Labels:      c.labels,
		Annotations: c.notes,
		LogPath:     c.logPath,
		Resources:   c.resources,
	}}
}

func (c *container) event(kind EventKind, at time.Time) Event {
	pod := c.sandbox.config.GetMetadata()
	return Event{
		At: at, Kind: kind,
		Namespace: pod.GetNamespace(), Pod: pod.GetName(), UID: pod.GetUid(),
		Container: c.meta.GetName(), Labels: c.sandbox.config.GetLabels(),
	}
}

// CreateContainer adds a container to a sandbox that is ready.
func (r *Runtime) CreateContainer(_ context.Context, sandboxID string, config *runtimeapi.ContainerConfig, podConfig *runtimeapi.PodSandboxConfig) (string, error) {
	c := &container{
		id:      newID(),
		meta:    config.GetMetadata(),
		image:   config.GetImage(),
		imageID: imageID(config.GetImage().GetImage()),
		labels:  config.GetLabels(),
		notes:   config.GetAnnotations(),
		logPath: podConfig.GetLogDirectory() + "/" + config.GetLogPath(),
		state:   runtimeapi.ContainerState_CONTAINER_CREATED,
		created: time.Now().UnixNano(),
	}
	if linux := config.GetLinux().GetResources(); linux != nil {
		c.resources = &runtimeapi.ContainerResources{Linux: linux}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	c.sandbox = r.sandboxes[sandboxID]
	if c.sandbox == nil {
		return "", notFound("pod sandbox", sandboxID)
	}
	if !c.sandbox.ready {
		return "", fmt.Errorf("create container %s: pod sandbox %s is not ready", c.meta.GetName(), sandboxID)
	}
	c.changed()
	c.stats = containerStats(c)
	r.containers[c.id] = c
	c.sandbox.containers = append(c.sandbox.containers, c)
	return c.id, nil
}

// StartContainer starts a created container, which takes Options.ContainerStart from the moment on at which the kubelet has
// written down that the pod's sandbox is ready (see Reports).
func (r *Runtime) StartContainer(ctx context.Context, id string) error {
	r.mu.Lock()
	c := r.containers[id]
	r.mu.Unlock()
	if c == nil {
		return notFound("container", id)
	}
	if err := r.options.Reports.await(ctx, c.sandbox.uid()); err != nil {
		return fmt.Errorf("start container %s: %w", id, err)
	}
	if err := sleep(ctx, r.options.ContainerStart); err != nil {
		return fmt.Errorf("start container %s: %w", id, err)
	}
	r.mu.Lock()
	if r.containers[id] != c {
		r.mu.Unlock()
		return notFound("container", id)
	}
	if c.state != runtimeapi.ContainerState_CONTAINER_CREATED || !c.sandbox.ready {
		r.mu.Unlock()
		return fmt.Errorf("start container %s: it is %s, its sandbox's readiness is %t", id, c.state, c.sandbox.ready)
	}
	now := time.Now()
	c.state, c.started = runtimeapi.ContainerState_CONTAINER_RUNNING, now.UnixNano()
	c.changed()
	event := c.event(Started, now)
	r.mu.Unlock()
	r.options.Observe(event)
	return nil
}

// StopContainer asks a container to end and waits until it has: after Options.ContainerStop it ends by itself with exit code
// 0; at the end of the grace period (seconds) it is killed with exit code 137. Stopping one that has ended or is gone does
// nothing; a second call while the first waits shares its end and may shorten its grace period.
func (r *Runtime) StopContainer(ctx context.Context, id string, grace int64) error {
	r.mu.Lock()
	c := r.containers[id]
	if c == nil || c.state == runtimeapi.ContainerState_CONTAINER_EXITED {
		r.mu.Unlock()
		return nil
	}
	if r.options.ContainerStop <= 0 || c.state == runtimeapi.ContainerState_CONTAINER_CREATED {
		events := r.end(c, exitOK)
		r.mu.Unlock()
		r.tell(events)
		return nil
	}
	if c.ended == nil {
		c.ended = make(chan struct{})
		c.stopping = time.AfterFunc(r.options.ContainerStop, func() { r.endNow(c, exitOK) })
	}
	ended := c.ended
	r.mu.Unlock()

	kill := time.NewTimer(time.Duration(max(grace, 0)) * time.Second)
	defer kill.Stop()
	select {
	case <-ended:
	case <-kill.C:
		r.endNow(c, exitKilled)
	case <-ctx.Done():
		return fmt.Errorf("stop container %s: %w", id, context.Cause(ctx))
	}
	return nil
}

// RemoveContainer forgets a container, killing it first where it runs. Removing one that is gone does nothing.
func (r *Runtime) RemoveContainer(_ context.Context, id string) error {
	r.mu.Lock()
	c := r.containers[id]
	if c == nil {
		r.mu.Unlock()
		return nil
	}
	events := r.end(c, exitKilled)
	delete(r.containers, id)
	c.sandbox.containers = slices.DeleteFunc(c.sandbox.containers, func(other *container) bool { return other == c })
	r.mu.Unlock()
	r.tell(events)
	return nil
}

// killAll ends the containers of a sandbox that have not ended. Callers hold the lock and tell the events after it.
func (r *Runtime) killAll(s *sandbox) []Event {
	var events []Event
	for _, c := range s.containers {
		events = append(events, r.end(c, exitKilled)...)
	}
	return events
}

// end makes a container exited. Callers hold the lock and tell the events after it; there are none for a container that
// never ran or has ended before.
func (r *Runtime) end(c *container, code int32) []Event {
	if c.state == runtimeapi.ContainerState_CONTAINER_EXITED {
		return nil
	}
	ran := c.state == runtimeapi.ContainerState_CONTAINER_RUNNING
	now := time.Now()
	c.state, c.finished, c.exitCode = runtimeapi.ContainerState_CONTAINER_EXITED, now.UnixNano(), code
	c.changed()
	if c.stopping != nil {
		c.stopping.Stop()
		close(c.ended)
	}
	if !ran {
		return nil
	}
	return []Event{c.event(Stopped, now)}
}

func (r *Runtime) endNow(c *container, code int32) {
	r.mu.Lock()
	events := r.end(c, code)
	r.mu.Unlock()
	r.tell(events)
}

func (r *Runtime) tell(events []Event) {
	for _, event := range events {
		r.options.Observe(event)
	}
}

// ContainerStatus returns a container's status. The answer is shared: it must not be changed.
func (r *Runtime) ContainerStatus(_ context.Context, id string, _ bool) (*runtimeapi.ContainerStatusResponse, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.containers[id]
	if c == nil {
		return nil, notFound("container", id)
	}
	return c.status, nil
}

// UpdateContainerResources keeps the new resources, which show in the container's status.
func (r *Runtime) UpdateContainerResources(_ context.Context, id string, resources *runtimeapi.ContainerResources) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.containers[id]
	if c == nil {
		return notFound("container", id)
	}
	c.resources = resources
	c.changed()
	return nil
}

// notFound is the error by which the kubelet knows that something is gone rather than broken.
func notFound(what, id string) error {
	return status.Errorf(codes.NotFound, "%s %s not found", what, id)
}
