package kubelet

import (
	"context"
	"net/http"
	"time"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"windtunnel/hollow/light/api"
	"windtunnel/hollow/light/h2"
	"windtunnel/hollow/light/wire"
)

const (
	// registerStep is the first wait before a node is registered; it doubles up to registerMost
	// (registerWithAPIServer in pkg/kubelet/kubelet_node_status.go).
	registerStep = 100 * time.Millisecond
	registerMost = 7 * time.Second
	// nodeSyncPoll is how often the kubelet looks whether its watch of the node has synced before it watches pods (pkg/kubelet/config/apiserver.go).
	nodeSyncPoll = time.Second
	// csiNodePoll is the same of the CSINode being served (pkg/volume/csi/csi_plugin.go), and csiStep the first wait between tries to
	// make it, which is six times as long each time.
	csiNodePoll = time.Second
	csiStep     = 15 * time.Millisecond
	csiFactor   = 6
	csiMost     = 2 * time.Minute
	// wipeStep is the first wait between tries to delete ResourceSlices, which doubles up to wipeMost (pkg/kubelet/cm/dra/plugin).
	wipeStep   = time.Second
	wipeMost   = 5 * time.Minute
	wipeJitter = 0.2
	// migrated is what a kubelet says of in-tree volume plugins on its CSINode.
	migrated           = "kubernetes.io/aws-ebs,kubernetes.io/azure-disk,kubernetes.io/azure-file,kubernetes.io/cinder,kubernetes.io/gce-pd,kubernetes.io/portworx-volume,kubernetes.io/vsphere-volume"
	migratedAnnotation = "storage.alpha.kubernetes.io/migrated-plugins"
)

// Start starts the node.
func (n *node) Start(ctx context.Context, ready, strain func()) error {
	n.loop.Post(func() { n.start(ctx, ready, strain) })
	return nil
}

// start starts the kubelet. ready is called when the node has been Ready, and strain when an answer shows the server to be overloaded.
func (n *node) start(ctx context.Context, ready, strain func()) {
	n.ready, n.strain, n.status.begun = ready, strain, time.Now()
	watch := func(path, fields string) *api.Watch {
		return &api.Watch{Client: n.client, Loop: n.loop, Path: path, Fields: fields}
	}
	self := watch("/api/v1/nodes", "metadata.name="+n.Name)
	self.Event = n.nodeEvent
	synced := false
	self.Synced = func() { n.loop.Post(func() { synced = true }) }
	for _, w := range []*api.Watch{
		self, watch("/api/v1/services", "spec.clusterIP!=None"), watch("/apis/storage.k8s.io/v1/csidrivers", ""), watch("/apis/node.k8s.io/v1/runtimeclasses", ""),
	} {
		w.Start()
	}
	var pods func()
	pods = func() {
		if !synced {
			n.loop.After(nodeSyncPoll, pods)
			return
		}
		n.watchPods()
	}
	n.loop.After(nodeSyncPoll, pods)

	n.events.aboutNode(corev1.EventTypeNormal, "Starting", "Starting kubelet.")
	n.describe() // for the container manager
	n.describe() // for its manager of dynamic resources
	n.wipeResourceSlices(wipeStep)
	n.events.aboutNode(corev1.EventTypeNormal, "NodeAllocatableEnforced", "Updated Node Allocatable limit across pods")

	n.awaitCSINodes()
	n.syncLease()
	n.loop.After(registerStep, func() { n.register(registerStep) })
	if n.shard.config.Proxy {
		n.proxy = newProxy(ctx, n)
	}
}

// statusEvent posts an event about the node's own state.
func (n *node) statusEvent(reason string) {
	n.events.aboutNode(corev1.EventTypeNormal, reason, "Node "+n.Name+" status is now: "+reason)
}

// describe posts what a kubelet finds out whenever it describes itself anew, which it does until its watch has shown it its Node
// (initialNode in pkg/kubelet/kubelet_node_status.go).
func (n *node) describe() {
	for _, reason := range []string{"NodeHasSufficientMemory", "NodeHasNoDiskPressure", "NodeHasSufficientPID"} {
		n.statusEvent(reason)
	}
}

// wipeResourceSlices deletes what drivers of dynamic resources said of the node before (pkg/kubelet/cm/dra/plugin/dra_plugin_manager.go).
func (n *node) wipeResourceSlices(step time.Duration) {
	n.ask(api.Call{Method: http.MethodDelete, Path: "/apis/resource.k8s.io/v1/resourceslices?fieldSelector=spec.nodeName%3D" + n.Name, ContentType: wire.Protobuf,
		Body: wire.Envelope("resource.k8s.io/v1", "DeleteOptions", nil), Discard: true, Done: func(r h2.Response, err error) {
			if !ok(r, err) && r.Status != http.StatusNotFound {
				n.loop.After(api.Jitter(step, wipeJitter), func() { n.wipeResourceSlices(min(2*step, wipeMost)) })
			}
		}})
}

// register posts the Node; one that is there already is taken over.
func (n *node) register(step time.Duration) {
	now := n.now()
	n.describe()
	body, err := api.NodeBody(n.shard.machine.Node(n.Node, false, now))
	if err != nil {
		n.shard.Note(err)
		return
	}
	n.post("/api/v1/nodes", body, func(r h2.Response, err error) {
		if !ok(r, err) && r.Status != http.StatusConflict {
			n.fail("register", r, err)
			step = min(2*step, registerMost)
			n.loop.After(step, func() { n.register(step) })
			return
		}
		if r.Status == http.StatusConflict {
			n.get(n.path(), func(h2.Response, error) { n.firstStatus(time.Time{}) })
			return
		}
		n.firstStatus(now)
	})
}

// awaitCSINodes waits until CSINodes are served, and then makes the node's own.
func (n *node) awaitCSINodes() {
	n.get("/apis/storage.k8s.io/v1/csinodes/"+n.Name+"?resourceVersion=0", func(r h2.Response, err error) {
		if !ok(r, err) && r.Status != http.StatusNotFound {
			n.loop.After(csiNodePoll, n.awaitCSINodes)
			return
		}
		n.makeCSINode(csiStep)
	})
}

// makeCSINode makes the node's CSINode, which the Node owns.
func (n *node) makeCSINode(step time.Duration) {
	again := func() {
		n.loop.After(api.Jitter(step, 0.1), func() { n.makeCSINode(min(step*csiFactor, csiMost)) })
	}
	n.get(n.path(), func(r h2.Response, err error) {
		uid, found := answeredUID(r, err)
		if !found {
			again()
			return
		}
		n.get("/apis/storage.k8s.io/v1/csinodes/"+n.Name, func(r h2.Response, err error) {
			if ok(r, err) {
				return // it is there; a shard that starts again takes it over
			}
			if r.Status != http.StatusNotFound {
				again()
				return
			}
			object := storagev1.CSINode{ObjectMeta: metav1.ObjectMeta{
				Name: n.Name, Annotations: map[string]string{migratedAnnotation: migrated},
				OwnerReferences: []metav1.OwnerReference{{APIVersion: "v1", Kind: "Node", Name: n.Name, UID: types.UID(uid)}},
			}}
			raw, err := object.Marshal()
			if err != nil {
				n.shard.Note(err)
				return
			}
			n.post("/apis/storage.k8s.io/v1/csinodes", wire.Envelope("storage.k8s.io/v1", "CSINode", raw), func(r h2.Response, err error) {
				if !ok(r, err) && r.Status != http.StatusConflict {
					again()
				}
			})
		})
	})
}

// answeredUID is the UID of the object that was answered.
func answeredUID(r h2.Response, err error) (string, bool) {
	if !ok(r, err) {
		return "", false
	}
	meta, err := api.AnswerMeta(r.Body)
	return string(meta.UID), err == nil
}
