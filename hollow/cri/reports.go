package cri

import (
	"context"
	"sync"
	"time"

	"k8s.io/klog/v2"
)

// Reports tells runtimes when the kubelet has written down that a pod's sandbox is ready; no container of the pod runs before.
// The kubelet of Kubernetes 1.36 writes that condition into the pod's status from a goroutine of its own, which reads the
// status, changes it and sets it (OnPodSandboxReady in pkg/kubelet/kubelet.go). When a container runs before that is over, as
// only one that needs no time to start can, the status Running is overwritten by the older one and stays lost until the pod's
// next resync a minute later: 9 of 3 000 pods in a burst on 2 cores. The zero value is not usable; a nil one never waits.
type Reports struct {
	mu      sync.Mutex
	pending map[string]chan struct{} // by the pod's UID; closed by the report
}

// reportTimeout bounds the wait: with its feature gate off the kubelet writes no such condition.
const reportTimeout = 5 * time.Second

// NewReports returns reports for any number of runtimes.
func NewReports() *Reports { return &Reports{pending: make(map[string]chan struct{})} }

// Reported says that the kubelet has written the condition for the pod with this UID. It is safe for concurrent use and does
// not block; a pod that nobody waits for is passed over.
func (r *Reports) Reported(uid string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if report, ok := r.pending[uid]; ok {
		close(report)
		delete(r.pending, uid)
	}
}

// expect makes await wait for a report on the pod from now on.
func (r *Reports) expect(uid string) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, ok := r.pending[uid]; !ok {
		r.pending[uid] = make(chan struct{})
	}
}

// forget ends the wait for a pod that is gone.
func (r *Reports) forget(uid string) {
	if r != nil {
		r.Reported(uid)
	}
}

// await returns when the report that is expected on the pod is there, if there is one.
func (r *Reports) await(ctx context.Context, uid string) error {
	if r == nil {
		return nil
	}
	r.mu.Lock()
	report, ok := r.pending[uid]
	r.mu.Unlock()
	if !ok {
		return nil
	}
	timer := time.NewTimer(reportTimeout)
	defer timer.Stop()
	select {
	case <-report:
	case <-timer.C:
		klog.ErrorS(nil, "The kubelet did not say that a sandbox is ready; its pod starts late for no reason of the system's", "podUID", uid, "waited", reportTimeout)
		r.forget(uid)
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	return nil
}
