package cri

import (
	"context"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"
)

func unsupported(what string) error {
	return status.Errorf(codes.Unimplemented, "a hollow node has no %s", what)
}

// ExecSync does nothing, successfully: lifecycle hooks of hollow containers succeed.
func (r *Runtime) ExecSync(_ context.Context, id string, _ []string, _ time.Duration) (stdout, stderr []byte, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.containers[id] == nil {
		return nil, nil, notFound("container", id)
	}
	return nil, nil, nil
}

// Exec is refused.
func (r *Runtime) Exec(context.Context, *runtimeapi.ExecRequest) (*runtimeapi.ExecResponse, error) {
	return nil, unsupported("exec")
}

// Attach is refused.
func (r *Runtime) Attach(context.Context, *runtimeapi.AttachRequest) (*runtimeapi.AttachResponse, error) {
	return nil, unsupported("attach")
}

// PortForward is refused.
func (r *Runtime) PortForward(context.Context, *runtimeapi.PortForwardRequest) (*runtimeapi.PortForwardResponse, error) {
	return nil, unsupported("port-forward")
}

// CheckpointContainer is refused.
func (r *Runtime) CheckpointContainer(context.Context, *runtimeapi.CheckpointContainerRequest) error {
	return unsupported("checkpoint")
}

// ReopenContainerLog does nothing: hollow containers write no logs.
func (r *Runtime) ReopenContainerLog(context.Context, string) error { return nil }

// GetContainerEvents is refused; the kubelet asks for it only with the feature EventedPLEG, which is off.
func (r *Runtime) GetContainerEvents(context.Context, chan *runtimeapi.ContainerEventResponse, func(runtimeapi.RuntimeService_GetContainerEventsClient)) error {
	return unsupported("container events")
}
