package run

import (
	"context"
	"errors"
	"fmt"
	"time"

	"k8s.io/client-go/kubernetes"

	"windtunnel/profiles"
)

// restartGrace is how long killing a component and starting it again may take from the moment on at which the script is interrupted.
const restartGrace = 20 * time.Second

// restart kills a component, and starts it again a while later. The script that is interrupted has the component back all the same: the end
// of the run needs it.
func (s *session) restart(ctx context.Context, act profiles.RestartAct) error {
	s.event("%s is killed, and started again %v later", act.Component, act.Down)
	regardless, end := hurried(context.WithoutCancel(ctx), ctx, restartGrace)
	defer end()
	if err := s.cluster.Kill(regardless, act.Component); err != nil {
		return err
	}
	paused := pause(ctx, act.Down)
	ready, cancel := context.WithTimeoutCause(regardless, act.Timeout, fmt.Errorf("%w after %v", ErrTimeout, act.Timeout))
	defer cancel()
	err := s.cluster.Restart(ready, act.Component)
	if errors.Is(err, context.DeadlineExceeded) && ready.Err() == nil { // it was started, and needs longer than a boot gives it
		err = s.serving(ready)
	}
	if err != nil {
		return errors.Join(paused, err)
	}
	s.event("%s serves again", act.Component)
	s.components()
	return paused
}

// hurried is a context that ends a while after another one has, which is not its parent.
func hurried(parent, other context.Context, grace time.Duration) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(parent)
	stop := context.AfterFunc(other, func() {
		select {
		case <-ctx.Done():
		case <-time.After(grace):
			cancel(context.Cause(other))
		}
	})
	return ctx, func() {
		stop()
		cancel(context.Canceled)
	}
}

// serving waits until the API server is ready: it may need longer than a boot gives it, when there is much to be read again.
func (s *session) serving(ctx context.Context) error {
	config, err := s.cluster.Observer(ctx)
	if err != nil {
		return err
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	for {
		if err := client.Discovery().RESTClient().Get().AbsPath("/readyz").Do(ctx).Error(); err == nil {
			return nil
		}
		if err := pause(ctx, time.Second); err != nil {
			return err
		}
	}
}
