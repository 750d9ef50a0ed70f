package observe

import "windtunnel/profiles"

// meta is what is read of an object's metadata. Its slices point into the frame that was decoded.
type meta struct {
	namespace, name, uid, resourceVersion []byte
	created                               int64 // Unix seconds
	deleting                              bool
	template                              []byte // label windtunnel/object
	labels                                []podLabel
}

// podLabel is a label: a key and its value.
type podLabel struct{ key, value []byte }

func (o *meta) decode(data []byte) error {
	m := message{rest: data}
	for m.next() {
		switch m.number {
		case 1:
			o.name = m.bytes
		case 3:
			o.namespace = m.bytes
		case 5:
			o.uid = m.bytes
		case 6:
			o.resourceVersion = m.bytes
		case 8:
			seconds, err := decodeTime(m.bytes)
			if err != nil {
				return err
			}
			o.created = seconds
		case 9:
			o.deleting = true
		case 11:
			key, value, err := decodePair(m.bytes)
			if err != nil {
				return err
			}
			o.labels = append(o.labels, podLabel{key, value})
			if string(key) == profiles.LabelObject {
				o.template = value
			}
		}
	}
	return m.err
}

// decodeTime reads a metav1.Time as Unix seconds.
func decodeTime(data []byte) (int64, error) {
	m := message{rest: data}
	var seconds int64
	for m.next() {
		if m.number == 1 {
			seconds = int64(m.varint)
		}
	}
	return seconds, m.err
}

// decodePair reads the two strings with which a map entry and a condition begin: key and value, type and status.
func decodePair(data []byte) (first, second []byte, err error) {
	m := message{rest: data}
	for m.next() {
		switch m.number {
		case 1:
			first = m.bytes
		case 2:
			second = m.bytes
		}
	}
	return first, second, m.err
}

// pod is what is read of a v1.Pod.
type pod struct {
	meta
	node, phase []byte
	scheduler   []byte
	ready       bool
	stateful    bool  // a volume is none of those that come and go with the pod
	started     int64 // the latest start of a running container, Unix seconds; 0 when none says
}

func (p *pod) decode(data []byte) error {
	*p = pod{meta: meta{labels: p.labels[:0]}}
	m := message{rest: data}
	for m.next() {
		var err error
		switch m.number {
		case 1:
			err = p.meta.decode(m.bytes)
		case 2:
			err = p.decodeSpec(m.bytes)
		case 3:
			err = p.decodeStatus(m.bytes)
		}
		if err != nil {
			return err
		}
	}
	return m.err
}

func (p *pod) decodeSpec(data []byte) error {
	m := message{rest: data}
	for m.next() {
		switch m.number {
		case 1:
			ephemeral, err := ephemeralVolume(m.bytes)
			if err != nil {
				return err
			}
			p.stateful = p.stateful || !ephemeral
		case 10:
			p.node = m.bytes
		case 19:
			p.scheduler = m.bytes
		}
	}
	return m.err
}

// ephemeralVolume tells whether the source of a Volume is emptyDir, secret, downwardAPI, configMap or projected, which come and go with
// the pod.
func ephemeralVolume(data []byte) (bool, error) {
	source, err := field(data, 2)
	if err != nil {
		return false, err
	}
	m, ephemeral := message{rest: source}, false
	for m.next() {
		switch m.number {
		case 2, 6, 16, 19, 26:
			ephemeral = true
		}
	}
	return ephemeral, m.err
}

func (p *pod) decodeStatus(data []byte) error {
	m := message{rest: data}
	for m.next() {
		switch m.number {
		case 1:
			p.phase = m.bytes
		case 2:
			ready, err := readyCondition(m.bytes)
			if err != nil {
				return err
			}
			p.ready = p.ready || ready
		case 8:
			started, err := runningSince(m.bytes)
			if err != nil {
				return err
			}
			p.started = max(p.started, started)
		}
	}
	return m.err
}

// runningSince is when the container of a ContainerStatus started (state.running.startedAt), 0 when it does not run.
func runningSince(data []byte) (int64, error) {
	at, err := field(data, 2, 2, 1)
	if err != nil || at == nil {
		return 0, err
	}
	return decodeTime(at)
}

// field goes down through messages by field numbers and gives the value of the last one; nil when one of them is not there.
func field(data []byte, path ...int) ([]byte, error) {
	for _, number := range path {
		m := message{rest: data}
		var inner []byte
		for m.next() {
			if m.number == number {
				inner = m.bytes
			}
		}
		if m.err != nil || inner == nil {
			return nil, m.err
		}
		data = inner
	}
	return data, nil
}

// readyCondition tells whether a pod's or node's condition says that it is ready.
func readyCondition(data []byte) (bool, error) {
	kind, status, err := decodePair(data)
	return string(kind) == "Ready" && string(status) == "True", err
}

// node is what is read of a v1.Node.
type node struct {
	meta
	ready bool
	taint []byte // key of the NoExecute taint that the node controller gives a node whose condition is bad
}

func (n *node) decode(data []byte) error {
	*n = node{meta: meta{labels: n.labels[:0]}}
	m := message{rest: data}
	for m.next() {
		var err error
		switch m.number {
		case 1:
			err = n.meta.decode(m.bytes)
		case 2:
			err = n.decodeSpec(m.bytes)
		case 3:
			err = n.decodeStatus(m.bytes)
		}
		if err != nil {
			return err
		}
	}
	return m.err
}

func (n *node) decodeSpec(data []byte) error {
	m := message{rest: data}
	for m.next() {
		if m.number != 5 {
			continue
		}
		key, effect, err := decodeTaint(m.bytes)
		if err != nil {
			return err
		}
		if bad := string(key) == taintUnreachable || string(key) == taintNotReady; bad && string(effect) == "NoExecute" {
			n.taint = key
		}
	}
	return m.err
}

// The taints by which the node lifecycle controller has the pods of a node evicted.
const (
	taintUnreachable = "node.kubernetes.io/unreachable"
	taintNotReady    = "node.kubernetes.io/not-ready"
)

func decodeTaint(data []byte) (key, effect []byte, err error) {
	m := message{rest: data}
	for m.next() {
		switch m.number {
		case 1:
			key = m.bytes
		case 3:
			effect = m.bytes
		}
	}
	return key, effect, m.err
}

func (n *node) decodeStatus(data []byte) error {
	m := message{rest: data}
	for m.next() {
		if m.number != 4 {
			continue
		}
		ready, err := readyCondition(m.bytes)
		if err != nil {
			return err
		}
		n.ready = n.ready || ready
	}
	return m.err
}
