package kubelet

import (
	"fmt"
	"hash/maphash"
	"math/rand/v2"
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
// instead of posting it anew. What the server refuses is dropped.
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
	queue   []corev1.Event
	sending bool
	own     correlator // about the node
}

// correlator counts the events about one object that say the same, and keeps them within their limit.
type correlator struct {
	came map[uint64]came // by a hash of what they say: an object has many, and few come again
	spam *rate.Limiter
}

// came is when an event came first, and how often it has come.
type came struct {
	first time.Time
	count int32
}

var seed = maphash.MakeSeed()

// correlate counts an event, which becomes the one that came first where it says the same, and says whether it is to be sent
// (EventCorrelate in tools/record/events_cache.go).
func (c *correlator) correlate(e *corev1.Event) bool {
	if c.came == nil {
		c.came, c.spam = make(map[uint64]came), rate.NewLimiter(rate.Every(eventsRefill), eventsOfObject)
	}
	key := maphash.String(seed, e.InvolvedObject.FieldPath+"/"+e.Type+"/"+e.Reason+"/"+e.Message)
	old := c.came[key]
	if old.count == 0 {
		old.first = e.FirstTimestamp.Time
	}
	old.count++
	e.Count, e.FirstTimestamp, e.Name = old.count, metav1.NewTime(old.first), eventName(e.InvolvedObject.Name, old.first)
	c.came[key] = old
	return c.spam.Allow()
}

func eventName(about string, at time.Time) string { return fmt.Sprintf("%s.%x", about, at.UnixNano()) }

// aboutNode posts an event about the node. Its involvedObject's UID is the node's name, as of the kubelet's.
func (e *events) aboutNode(kind, reason, message string) {
	e.post(corev1.ObjectReference{Kind: "Node", Name: e.node.Name, UID: types.UID(e.node.Name)}, "default", kind, reason, message, &e.own)
}

// aboutPod posts an event about a pod, or about one of its containers.
func (e *events) aboutPod(p *pod, container, kind, reason, message string) {
	ref := corev1.ObjectReference{Kind: "Pod", Namespace: p.object.Namespace, Name: p.object.Name, UID: p.object.UID, APIVersion: "v1", ResourceVersion: p.object.ResourceVersion}
	if container != "" {
		ref.FieldPath = "spec.containers{" + container + "}"
		if p.isInit(container) {
			ref.FieldPath = "spec.initContainers{" + container + "}"
		}
	}
	e.post(ref, p.object.Namespace, kind, reason, message, &p.events)
}

func (e *events) post(about corev1.ObjectReference, namespace, kind, reason, message string, c *correlator) {
	if len(e.queue) >= eventsWaiting {
		return
	}
	now := e.node.stamp()
	object := corev1.Event{
		ObjectMeta:     metav1.ObjectMeta{Namespace: namespace},
		InvolvedObject: about, Reason: reason, Message: message, Type: kind, FirstTimestamp: now, LastTimestamp: now,
		Source:              corev1.EventSource{Component: "kubelet", Host: e.node.Name},
		ReportingController: "kubelet", ReportingInstance: e.node.Name,
	}
	if !c.correlate(&object) {
		return
	}
	e.queue = append(e.queue, object)
	if !e.sending {
		e.sending = true
		e.next()
	}
}

// next sends the first event of the queue.
func (e *events) next() {
	if len(e.queue) == 0 {
		e.sending, e.queue = false, nil
		return
	}
	if e.limiter == nil {
		e.limiter = rate.NewLimiter(eventQPS, eventBurst)
	}
	e.send(0, e.queue[0].Count > 1)
}

// send sends the first event of the queue for the nth time: it is posted, or counted where it is there. One that is not there any more, as the
// server keeps events for a while, is posted.
func (e *events) send(try int, there bool) {
	c, err := eventCall(&e.queue[0], there)
	if err != nil {
		e.node.shard.Note(err)
		e.drop()
		return
	}
	c.Done = func(r h2.Response, err error) {
		switch {
		case there && err == nil && r.Status == http.StatusNotFound:
			e.send(try, false)
		case err != nil && try+1 < eventTries:
			wait := eventAgain
			if try == 0 { // many nodes lose their server at one time
				wait = time.Duration(rand.Int64N(int64(wait)))
			}
			e.node.loop.After(wait, func() { e.send(try+1, e.queue[0].Count > 1) })
		default:
			e.drop()
		}
	}
	c.Again = e.node.again(e.limiter) // a limit of events is no strain
	e.node.within(e.limiter, func() { api.Send(e.node.loop, e.node.client, c) })
}

// eventCall is the POST of an event, or the PATCH that says how often it has come.
func eventCall(o *corev1.Event, there bool) (api.Call, error) {
	path := "/api/v1/namespaces/" + o.Namespace + "/events"
	if there {
		b := api.AppendNumber(append([]byte(nil), `{"count":`...), int64(o.Count))
		b = append(api.AppendTime(append(b, `,"lastTimestamp":`...), o.LastTimestamp.Time), `,"message":`...)
		b = append(api.AppendText(b, o.Message), '}')
		return api.Call{Method: http.MethodPatch, Path: path + "/" + o.Name, Accept: wire.Protobuf, ContentType: wire.StrategicMergePatch, Body: b, Discard: true}, nil
	}
	raw, err := o.Marshal()
	if err != nil {
		return api.Call{}, fmt.Errorf("encode event: %w", err)
	}
	return api.Call{Method: http.MethodPost, Path: path, Accept: wire.Protobuf, ContentType: wire.Protobuf, Body: wire.Envelope("v1", "Event", raw), Discard: true}, nil
}

func (e *events) drop() {
	e.queue = e.queue[1:]
	e.next()
}
