package kubelet

import (
	"net/http"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"

	"windtunnel/hollow/light/api"
	"windtunnel/hollow/light/h2"
	"windtunnel/hollow/light/loop"
	"windtunnel/hollow/light/wire"
)

// syncEvery is how often the status manager tries again what has failed (syncPeriod in pkg/kubelet/status/status_manager.go).
const syncEvery = 10 * time.Second

// writer is the kubelet's status manager: it writes the statuses of a node's pods, one after another, each by a GET and, if that shows
// a difference, a PATCH. What has failed is tried again with the next pod that changes, or after syncEvery.
type writer struct {
	node    *node
	queue   []*pod
	stale   []*pod
	writing bool
	timer   *loop.Timer
	look    *loop.Timer // for statuses that others wrote
}

// changed says that a pod's status is to be written.
func (w *writer) changed(p *pod) {
	stale := w.stale
	w.stale = nil
	for _, old := range stale {
		w.enqueue(old)
	}
	w.enqueue(p)
}

func (w *writer) enqueue(p *pod) {
	if p.gone || p.queued {
		return
	}
	p.queued = true
	w.queue = append(w.queue, p)
	if !w.writing {
		w.writing = true
		w.node.loop.Post(w.next) // what else happens to the pod at this moment is written with it
	}
}

// reconcile looks, syncEvery later, for pods that are ready and whose statuses say otherwise, as the controller manager writes it when a node
// has not been heard of, and writes them (needsReconcile in pkg/kubelet/status/status_manager.go). What says so now may be a write of
// the node's own that the next one is to follow.
func (w *writer) reconcile() {
	if w.look != nil {
		return
	}
	w.look = w.node.loop.After(syncEvery, func() {
		w.look = nil
		for _, p := range w.node.pods {
			if p.unready && saidReady(p.status()) {
				w.enqueue(p)
			}
		}
	})
}

func saidReady(status *corev1.PodStatus) bool {
	return slices.ContainsFunc(status.Conditions, func(c corev1.PodCondition) bool {
		return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
	})
}

// next writes the first status of the queue.
func (w *writer) next() {
	for len(w.queue) > 0 {
		p := w.queue[0]
		w.queue[0] = nil
		w.queue = w.queue[1:]
		p.queued = false
		if !p.gone {
			w.write(p)
			return
		}
	}
	w.writing, w.queue = false, nil
}

// failed keeps a pod for later and goes on.
func (w *writer) failed(p *pod, what string, r h2.Response, err error) {
	if r.Status != http.StatusForbidden { // the Node authorizer has not seen the pod yet
		w.node.fail(what, r, err)
	}
	if !p.gone {
		w.stale = append(w.stale, p)
		if w.timer == nil {
			w.timer = w.node.loop.After(syncEvery, func() {
				w.timer = nil
				stale := w.stale
				w.stale = nil
				for _, old := range stale {
					w.enqueue(old)
				}
			})
		}
	}
	w.next()
}

// write reads the pod and writes what differs.
func (w *writer) write(p *pod) {
	status, finished := p.status(), p.finished
	w.node.get(p.path(), func(r h2.Response, err error) {
		if r.Status == http.StatusNotFound {
			w.next() // its watch will tell
			return
		}
		if !ok(r, err) {
			w.failed(p, "read pod", r, err)
			return
		}
		there, deleting, uid, err := readStatus(r.Body)
		if err != nil {
			w.failed(p, "read pod", r, err)
			return
		}
		if uid != string(p.object.UID) { // deleted, and made again
			w.next()
			return
		}
		merge(there, status)
		patch, err := statusPatch(uid, there, status)
		switch {
		case err != nil:
			w.failed(p, "compare status of pod", h2.Response{}, err)
		case patch != nil:
			w.patch(p, patch, func() { w.remove(p, deleting, status.Phase, finished) })
		default:
			w.remove(p, deleting, there.Phase, finished)
		}
	})
}

func (w *writer) patch(p *pod, body []byte, written func()) {
	w.node.ask(api.Call{Method: http.MethodPatch, Path: p.path() + "/status", ContentType: wire.StrategicMergePatch, Body: body, Discard: true,
		Done: func(r h2.Response, err error) {
			if !ok(r, err) {
				w.failed(p, "report status of pod", r, err)
				return
			}
			written()
		}})
}

// remove deletes a pod whose end is written and of which nothing is left on the node (canBeDeleted), unless a behaviour has it stay. That it is
// to be deleted may be known from reading it before its watch tells.
func (w *writer) remove(p *pod, deleting bool, phase corev1.PodPhase, finished bool) {
	if !deleting && !p.deleting || !finished || !ended(phase) || p.driven != nil && !p.driven.released {
		w.next()
		return
	}
	w.node.ask(api.Call{Method: http.MethodDelete, Path: p.path(), ContentType: wire.Protobuf, Body: api.DeleteNow(string(p.object.UID)), Discard: true,
		Done: func(r h2.Response, err error) {
			if !ok(r, err) && r.Status != http.StatusNotFound && r.Status != http.StatusConflict {
				w.failed(p, "delete pod", r, err)
				return
			}
			w.next()
		}})
}

// readStatus reads the status of the pod that was answered, whether it is being deleted, and its UID.
func readStatus(body []byte) (*corev1.PodStatus, bool, string, error) {
	object, err := wire.Object(body)
	if err != nil {
		return nil, false, "", err
	}
	meta, err := wire.ReadMeta(object)
	if err != nil {
		return nil, false, "", err
	}
	status := new(corev1.PodStatus)
	err = status.Unmarshal(wire.Field(object, 3))
	return status, meta.Deleting, string(meta.UID), err
}

// merge completes what is to be written by what others have written: their conditions come first (mergePodStatus).
func merge(there, status *corev1.PodStatus) {
	for i := range status.Conditions {
		c := &status.Conditions[i]
		if old := findCondition(there.Conditions, c.Type); old != nil && old.Status == c.Status {
			c.LastTransitionTime = old.LastTransitionTime
		}
	}
	status.Conditions = withOthers(there.Conditions, status.Conditions)
	if status.QOSClass == "" {
		status.QOSClass = there.QOSClass
	}
	if status.StartTime == nil {
		status.StartTime = there.StartTime
	}
	status.ResourceClaimStatuses = there.ResourceClaimStatuses
}

// withOthers puts those conditions first that are there and that others write.
func withOthers(there, own []corev1.PodCondition) (all []corev1.PodCondition) {
	for _, c := range there {
		if !kubeletsOwn(c.Type) && findCondition(own, c.Type) == nil {
			all = append(all, c)
		}
	}
	return append(all, own...)
}

// kubeletsOwn are the conditions that only a kubelet writes (pkg/kubelet/types/pod_status.go).
func kubeletsOwn(kind corev1.PodConditionType) bool {
	switch kind {
	case corev1.PodScheduled, corev1.PodReady, corev1.PodInitialized, corev1.ContainersReady, corev1.PodReadyToStartContainers:
		return true
	}
	return false
}
