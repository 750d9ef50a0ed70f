package kubelet

import (
	"fmt"
	"net/http"
	"time"

	"golang.org/x/time/rate"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"windtunnel/hollow/light/api"
	"windtunnel/hollow/light/h2"
	"windtunnel/hollow/light/wire"
)

// What client-go's recorder does (tools/record): it posts one event after another, tries again after a while where there is no answer,
// keeps so many waiting, lets an object have a burst of them and one in five minutes after that, and counts one that comes again
// instead of posting it anew.
const (
	eventTries     = 12
	eventAgain     = 10 * time.Second
	eventsWaiting  = 1000
	eventsOfObject = 25
	eventsRefill   = 5 * time.Minute
)

// events posts a node's events. It is of the node's loop.
type events struct {
	node    *node
	limiter *rate.Limiter
	queue   []event
	sending bool
	// repeated are the events of pods that came more than once, by what they say.
	posted map[string]*posted
}

// event is one that is to be posted; of a repeated one key finds what was.
type event struct {
	object corev1.Event
	key    string
}

// posted is an event that is there and may come again.
type posted struct {
	name  string
	count int32
}

// aboutNode posts an event about the node, or counts one that says the same. Its involvedObject's UID is the node's name, as of the kubelet's.
func (e *events) aboutNode(kind, reason, message string) {
	e.post(corev1.ObjectReference{Kind: "Node", Name: e.node.Name, UID: types.UID(e.node.Name)}, "default", kind, reason, message, "node/"+reason)
}

// aboutPod posts an event about a pod, or about one of its containers.
func (e *events) aboutPod(p *pod, container, kind, reason, message string, mayRepeat bool) {
	ref := corev1.ObjectReference{Kind: "Pod", Namespace: p.object.Namespace, Name: p.object.Name, UID: p.object.UID, APIVersion: "v1", ResourceVersion: p.object.ResourceVersion}
	if container != "" {
		ref.FieldPath = "spec.containers{" + container + "}"
		if p.isInit(container) {
			ref.FieldPath = "spec.initContainers{" + container + "}"
		}
	}
	if p.spam == nil {
		p.spam = rate.NewLimiter(rate.Every(eventsRefill), eventsOfObject)
	}
	if !p.spam.Allow() {
		return
	}
	key := ""
	if mayRepeat {
		key = string(p.object.UID) + "/" + container + "/" + reason + "/" + message
	}
	e.post(ref, p.object.Namespace, kind, reason, message, key)
}

func (e *events) post(about corev1.ObjectReference, namespace, kind, reason, message, key string) {
	if len(e.queue) >= eventsWaiting {
		return
	}
	now := e.node.stamp()
	e.queue = append(e.queue, event{key: key, object: corev1.Event{
		ObjectMeta:     metav1.ObjectMeta{Name: fmt.Sprintf("%s.%x", about.Name, now.UnixNano()), Namespace: namespace},
		InvolvedObject: about, Reason: reason, Message: message, Type: kind, Count: 1, FirstTimestamp: now, LastTimestamp: now,
		Source:              corev1.EventSource{Component: "kubelet", Host: e.node.Name},
		ReportingController: "kubelet", ReportingInstance: e.node.Name,
	}})
	if !e.sending {
		e.sending = true
		e.next(0)
	}
}

// next sends the first event of the queue for the nth time.
func (e *events) next(try int) {
	if len(e.queue) == 0 {
		e.sending, e.queue = false, nil
		return
	}
	if e.limiter == nil {
		e.limiter = rate.NewLimiter(eventQPS, eventBurst)
	}
	now := time.Now()
	if wait := e.limiter.ReserveN(now, 1).DelayFrom(now); wait > 0 {
		e.node.loop.After(wait, func() { e.send(try) })
		return
	}
	e.send(try)
}

func (e *events) send(try int) {
	first := e.queue[0]
	c, err := e.call(first)
	if err != nil {
		e.node.shard.Note(err)
		e.drop()
		return
	}
	c.Done = func(r h2.Response, err error) {
		if api.Temporary(r, err) && try+1 < eventTries {
			e.node.loop.After(api.Jitter(eventAgain, 0.1), func() { e.next(try + 1) })
			return
		}
		if ok(r, err) {
			e.noted(first)
		}
		e.drop()
	}
	api.Send(e.node.loop, e.node.client, c)
}

// noted keeps that an event is there which may come again.
func (e *events) noted(v event) {
	if v.key == "" || e.posted[v.key] != nil {
		return
	}
	if e.posted == nil {
		e.posted = make(map[string]*posted)
	}
	e.posted[v.key] = &posted{name: v.object.Name, count: 1}
}

// call is the POST of an event, or the PATCH that counts it once more.
func (e *events) call(v event) (api.Call, error) {
	path := "/api/v1/namespaces/" + v.object.Namespace + "/events"
	if old := e.posted[v.key]; v.key != "" && old != nil {
		old.count++
		b := api.AppendNumber(append([]byte(nil), `{"count":`...), int64(old.count))
		b = append(api.AppendTime(append(b, `,"lastTimestamp":`...), v.object.LastTimestamp.Time), `,"message":`...)
		b = append(api.AppendText(b, v.object.Message), '}')
		return api.Call{Method: http.MethodPatch, Path: path + "/" + old.name, Accept: wire.Protobuf, ContentType: wire.StrategicMergePatch, Body: b, Discard: true}, nil
	}
	raw, err := v.object.Marshal()
	if err != nil {
		return api.Call{}, fmt.Errorf("encode event: %w", err)
	}
	return api.Call{Method: http.MethodPost, Path: path, Accept: wire.Protobuf, ContentType: wire.Protobuf, Body: wire.Envelope("v1", "Event", raw), Discard: true}, nil
}

func (e *events) drop() {
	e.queue = e.queue[1:]
	e.next(0)
}

// forget lets go of what was posted about a pod.
func (e *events) forget(p *pod) {
	for key := range e.posted {
		if len(key) > 36 && key[:len(p.object.UID)] == string(p.object.UID) {
			delete(e.posted, key)
		}
	}
}
