package kubelet

import (
	"math/rand/v2"
	"net/http"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"

	"windtunnel/hollow/ipam"
	"windtunnel/hollow/light/api"
	"windtunnel/hollow/light/h2"
	"windtunnel/hollow/light/wire"
)

const (
	// statusEvery is how often the kubelet looks whether its status has changed, and reportEvery how often it reports one that has
	// not, which it shifts by up to half at random after a change (nodeStatusUpdateFrequency, nodeStatusReportFrequency,
	// calculateDelay).
	statusEvery  = 10 * time.Second
	reportEvery  = 5 * time.Minute
	statusJitter = 0.04
	// statusTries is how often a report is tried at once (nodeStatusUpdateRetry).
	statusTries = 5
	// fastEvery is how often it looks until it has been Ready (fastStatusUpdateOnce), and fastFor for how long after its start
	// (nodeReadyGracePeriod).
	fastEvery = 100 * time.Millisecond
	fastFor   = 2 * time.Minute
	// mostImages is how many images a node lists (nodeStatusMaxImages).
	mostImages = 50
)

// own are the conditions that the kubelet sets, in its order.
func own(i int) string {
	return [...]string{"MemoryPressure", "DiskPressure", "PIDPressure", "Ready"}[i]
}

const ownConditions = 4

// status is what the kubelet says of its node.
type status struct {
	begun     time.Time // when the node started
	ready     bool
	pressure  bool      // of memory
	beat      time.Time // lastHeartbeatTime as it was written last
	reported  time.Time
	delay     time.Duration
	imagesNew bool
	patching  bool
	first     bool // the first report is over
	wasReady  bool
}

// seen is what the node's own watch says of it.
type seen struct {
	types         []string // of all conditions, in order
	ready         string
	pressure      string
	cidr          string
	labels        []byte // entries of the map, as they are in the message
	taints        []byte
	unschedulable bool
	synced        bool
}

// nodeEvent reads what a kubelet wants to know of its Node.
func (n *node) nodeEvent(e wire.Event) {
	if e.Type == wire.Deleted {
		n.loop.Post(func() { n.seen = seen{} })
		return
	}
	s := seen{synced: true}
	meta, err := wire.ReadMeta(e.Object)
	if err != nil {
		return
	}
	_ = wire.Each(meta.Raw, func(f wire.Number, b []byte, _ uint64) bool {
		if f == 11 {
			s.labels = wire.AppendBytes(s.labels, 11, b)
		}
		return true
	})
	_ = wire.Each(wire.Field(e.Object, 2), func(f wire.Number, b []byte, v uint64) bool {
		switch f {
		case 1:
			s.cidr = string(b)
		case 4:
			s.unschedulable = v != 0
		case 5:
			s.taints = wire.AppendBytes(s.taints, 5, b)
		}
		return true
	})
	_ = wire.Each(wire.Field(e.Object, 3), func(f wire.Number, b []byte, _ uint64) bool {
		if f == 4 {
			kind, state := string(wire.Field(b, 1)), string(wire.Field(b, 2))
			s.types = append(s.types, kind)
			switch kind {
			case "Ready":
				s.ready = state
			case "MemoryPressure":
				s.pressure = state
			}
		}
		return true
	})
	n.loop.Post(func() { n.nodeSeen(s) })
}

func (n *node) nodeSeen(s seen) {
	if s.unschedulable != n.seen.unschedulable && n.seen.synced {
		reason := "NodeSchedulable"
		if s.unschedulable {
			reason = "NodeNotSchedulable"
		}
		n.statusEvent(reason)
	}
	n.seen = s
	if n.addresses == nil && s.cidr != "" {
		addresses, err := ipam.New(s.cidr)
		if err != nil {
			n.shard.Note(err)
			return
		}
		n.addresses = addresses
		for _, p := range n.pods {
			p.networkReady()
		}
	}
}

// firstStatus is the report that follows registration whatever has changed (lastStatusReportTime is zero): the lister does not know the
// node yet, so that the node is read first. beat is the time of the conditions in the Node that was posted; zero when it was not.
func (n *node) firstStatus(beat time.Time) {
	n.status.beat = beat
	over := func() { n.status.first = true }
	if n.seen.synced && n.seen.types != nil {
		n.update(0, over)
	} else {
		n.updateAfresh(1, over)
	}
	n.loop.After(api.Jitter(statusEvery, statusJitter), n.look)
	n.fast()
}

// fast reports the node Ready as soon as it is, once. When that fails it is for update.
func (n *node) fast() {
	if n.status.wasReady || time.Since(n.status.begun) >= fastFor {
		return
	}
	if n.network() && n.seen.synced && n.status.first && !n.status.patching {
		n.setReady()
		n.report(func(reported bool) {
			if !reported {
				n.update(0, func() {})
			}
		})
		return
	}
	n.loop.After(fastEvery, n.fast)
}

// network says whether the pod network is there.
func (n *node) network() bool { return n.addresses != nil }

func (n *node) setReady() {
	if !n.status.ready {
		n.status.ready = true
		n.statusEvent("NodeReady")
	}
}

// look reports the status when it has changed or is due.
func (n *node) look() {
	n.loop.After(api.Jitter(statusEvery, statusJitter), n.look)
	if n.network() {
		n.setReady()
	}
	if n.seen.synced && !n.status.patching {
		n.update(0, func() {})
	}
}

// update reports the status if it has changed or is due, tries so again at once when that fails, and then calls over. try counts the
// failures so far (updateNodeStatus, tryUpdateNodeStatus).
func (n *node) update(try int, over func()) {
	s := &n.status
	changed := s.imagesNew || n.differs()
	if !changed && time.Since(s.reported) < reportEvery+s.delay {
		over()
		return
	}
	s.delay = 0
	if changed || s.reported.IsZero() {
		s.delay = time.Duration(float64(reportEvery) * (rand.Float64() - 0.5))
	}
	n.report(func(reported bool) {
		if reported {
			over()
			return
		}
		n.updateAfresh(try+1, over)
	})
}

// updateAfresh reads the node before it reports the status, as it does where the node's own watch may lag behind.
func (n *node) updateAfresh(try int, over func()) {
	if try == statusTries {
		over()
		return
	}
	n.status.patching = true
	n.heartbeat(api.Call{Method: http.MethodGet, Path: n.path(), Done: func(r h2.Response, err error) {
		n.status.patching = false
		if !ok(r, err) {
			n.updateAfresh(try+1, over)
			return
		}
		n.update(try, over)
	}})
}

// differs says whether what the server has is not what the kubelet says.
func (n *node) differs() bool {
	return n.seen.ready != text(n.status.ready) || n.seen.pressure != text(n.status.pressure)
}

func text(b bool) string {
	if b {
		return "True"
	}
	return "False"
}

// report patches the status, and says whether that went well.
func (n *node) report(done func(reported bool)) {
	s := &n.status
	s.patching = true
	ready, images, now := s.ready, s.imagesNew, n.now()
	n.heartbeat(api.Call{Method: http.MethodPatch, Path: n.path() + "/status", ContentType: wire.StrategicMergePatch, Body: n.statusPatch(now), Discard: true,
		Done: func(r h2.Response, err error) {
			s.patching = false
			if !ok(r, err) {
				n.fail("report status", r, err)
				done(false)
				return
			}
			s.beat, s.reported = now, time.Now()
			if images {
				s.imagesNew = false
			}
			done(true)
			if ready && !s.wasReady {
				s.wasReady = true
				n.firstReady()
			}
		}})
}

// firstReady is what follows a node's first Ready: its proxy, which on a real node is a pod.
func (n *node) firstReady() {
	if n.proxy != nil {
		n.proxy.start()
	}
	n.ready()
}

// statusPatch is the patch from what the server has to what the kubelet says, in the form that strategicpatch gives it.
func (n *node) statusPatch(now time.Time) []byte {
	s := &n.status
	b := make([]byte, 0, 512)
	beats := now.Unix() != s.beat.Unix()
	differs := n.differs() && n.seen.synced && n.seen.types != nil
	if !beats && !differs && !s.imagesNew {
		return append(b, "{}"...)
	}
	b = append(b, `{"status":{`...)
	if beats || differs {
		b = append(b, `"$setElementOrder/conditions":[`...)
		types := n.seen.types
		if len(types) == 0 {
			types = []string{own(0), own(1), own(2), own(3)}
		}
		for i, kind := range types {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(api.AppendText(append(b, `{"type":`...), kind), '}')
		}
		b = append(b, `],"conditions":[`...)
		first := true
		for i := range ownConditions {
			b = n.appendCondition(b, i, now, beats, &first)
		}
		b = append(b, ']')
	}
	if s.imagesNew {
		if beats || differs {
			b = append(b, ',')
		}
		b = n.appendImages(append(b, `"images":`...))
	}
	return append(b, `}}`...)
}

func (n *node) appendCondition(b []byte, i int, now time.Time, beats bool, first *bool) []byte {
	kind := own(i)
	changed := n.seen.types != nil && (kind == "Ready" && n.seen.ready != text(n.status.ready) || kind == "MemoryPressure" && n.seen.pressure != text(n.status.pressure))
	if !beats && !changed {
		return b
	}
	if !*first {
		b = append(b, ',')
	}
	*first = false
	b = append(b, '{')
	if beats {
		b = append(api.AppendTime(append(b, `"lastHeartbeatTime":`...), now), ',')
	}
	if changed {
		c := n.condition(i)
		b = append(api.AppendTime(append(b, `"lastTransitionTime":`...), now), `,"message":`...)
		b = append(api.AppendText(b, c.message), `,"reason":`...)
		b = append(api.AppendText(b, c.reason), `,"status":`...)
		b = append(api.AppendText(b, c.status), ',')
	}
	return append(api.AppendText(append(b, `"type":`...), kind), '}')
}

type condition struct{ status, reason, message string }

func (n *node) condition(i int) condition {
	switch {
	case own(i) == "MemoryPressure" && n.status.pressure:
		return condition{"True", "KubeletHasInsufficientMemory", "kubelet has insufficient memory available"}
	case own(i) == "MemoryPressure":
		return condition{"False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"}
	case n.status.ready:
		return condition{"True", "KubeletReady", "kubelet is posting ready status"}
	}
	return condition{"False", "KubeletNotReady", api.NotReadyMessage}
}

// appendImages lists the largest images first, as the kubelet does.
func (n *node) appendImages(b []byte) []byte {
	images := slices.Clone(n.shard.machine.Images)
	for name := range n.images {
		images = append(images, api.Image(name, len(name)))
	}
	slices.SortFunc(images, func(a, b corev1.ContainerImage) int { return int(b.SizeBytes - a.SizeBytes) })
	b = append(b, '[')
	for i, image := range images[:min(len(images), mostImages)] {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, `{"names":[`...)
		for j, name := range image.Names {
			if j > 0 {
				b = append(b, ',')
			}
			b = api.AppendText(b, name)
		}
		b = append(api.AppendNumber(append(b, `],"sizeBytes":`...), image.SizeBytes), '}')
	}
	return append(b, ']')
}

// hasImage notes that an image is on the node from now on, and says whether it was before.
func (n *node) hasImage(name string) bool {
	for _, image := range n.shard.machine.Images {
		if slices.Contains(image.Names, name) {
			return true
		}
	}
	if _, there := n.images[name]; there {
		return true
	}
	if n.images == nil {
		n.images = make(map[string]struct{})
	}
	n.images[name] = struct{}{}
	n.status.imagesNew = true
	return false
}
