package load

import (
	"bytes"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer/cbor"
	"k8s.io/apimachinery/pkg/runtime/serializer/json"
	"k8s.io/apimachinery/pkg/runtime/serializer/protobuf"

	"windtunnel/profiles"
)

// event is what a watcher reads of an event.
type event struct{ kind, version string }

// eventStream is an encoding of watch events: how they are asked for, told apart and read.
type eventStream struct {
	accept string
	framer runtime.Framer
	read   func(frame []byte) event
}

func streamOf(encoding string) eventStream {
	switch encoding {
	case profiles.EncodingProtobuf:
		return eventStream{mediaProtobuf + ";stream=watch", protobuf.LengthDelimitedFramer, protobufEvent}
	case profiles.EncodingCBOR:
		return eventStream{mediaCBOR + ";stream=watch", cbor.NewFramer(), cborEvent}
	}
	return eventStream{mediaJSON, json.Framer, jsonEvent}
}

// protobufEvent reads a metav1.WatchEvent (1: type, 2: a RawExtension, whose field 1 is the object in its envelope). Every object
// begins with its metadata, whose field 6 is the resourceVersion.
func protobufEvent(frame []byte) event {
	return event{string(protobufField(frame, 1)), resourceVersionOf(protobufField(protobufField(frame, 2), 1))}
}

// jsonEvent reads {"type": …, "object": {…}}.
func jsonEvent(frame []byte) event {
	var e event
	if at, err := member(frame, 0, "type"); err == nil && at.begin >= 0 {
		e.kind = string(bytes.Trim(frame[at.begin:at.end], `"`))
	}
	if at, err := member(frame, 0, "object"); err == nil && at.begin >= 0 {
		e.version = resourceVersionOf(frame[at.begin:at.end])
	}
	return e
}

func cborEvent(frame []byte) event {
	whole, err := cborMap(frame)
	if err != nil {
		return event{}
	}
	kind, _, _ := unstructured.NestedString(whole, "type")
	version, _, _ := unstructured.NestedString(whole, "object", "metadata", "resourceVersion")
	return event{kind, version}
}

// versionKey is how JSON writes the field before its value.
const versionKey = `"resourceVersion":"`

// resourceVersionOf finds the resourceVersion in an object, or in the beginning of one that holds its metadata; "" when it
// is not there. In JSON the first field of that name is that of the object or list itself: what comes before metadata holds none.
func resourceVersionOf(object []byte) string {
	if rest, ok := bytes.CutPrefix(object, []byte(protobufMagic)); ok {
		for _, number := range []int{2, 1, 6} {
			rest = protobufField(rest, number)
		}
		return string(rest)
	}
	_, rest, ok := bytes.Cut(object, []byte(versionKey))
	if !ok {
		return ""
	}
	version, _, ok := bytes.Cut(rest, []byte{'"'})
	if !ok {
		return ""
	}
	return string(version)
}
