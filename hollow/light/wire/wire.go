// Package wire reads and writes what goes between nodes and the API server, as far as a node looks at it: Kubernetes' protobuf
// envelope, frames of watches, and single fields of objects, without decoding the rest.
package wire

import (
	"encoding/binary"
	"errors"
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
)

// Protobuf's media types as Kubernetes names them.
const (
	Protobuf      = "application/vnd.kubernetes.protobuf"
	ProtobufWatch = Protobuf + ";stream=watch"
	// StrategicMergePatch is the type of patches that the kubelet sends, which are JSON in any case.
	StrategicMergePatch = "application/strategic-merge-patch+json"
)

// magic begins every object in protobuf (runtime/serializer/protobuf).
const magic = "k8s\x00"

// Number is the number of a field.
type Number = protowire.Number

var errMalformed = errors.New("malformed protobuf")

// Envelope wraps an object's own protobuf as the API server takes it: runtime.Unknown with typeMeta = 1 {apiVersion = 1, kind = 2}
// and raw = 2.
func Envelope(apiVersion, kind string, raw []byte) []byte {
	b := make([]byte, 0, len(raw)+len(apiVersion)+len(kind)+24)
	b = append(b, magic...)
	var meta []byte
	meta = AppendString(meta, 1, apiVersion)
	meta = AppendString(meta, 2, kind)
	b = AppendBytes(b, 1, meta)
	return AppendBytes(b, 2, raw)
}

// Object takes an object's own protobuf out of its envelope.
func Object(b []byte) ([]byte, error) {
	if len(b) < len(magic) || string(b[:len(magic)]) != magic {
		return nil, fmt.Errorf("%w: no envelope", errMalformed)
	}
	return Field(b[len(magic):], 2), nil
}

// AppendString appends a field of text, AppendBytes one of bytes or a message.
func AppendString(b []byte, field protowire.Number, s string) []byte {
	return protowire.AppendString(protowire.AppendTag(b, field, protowire.BytesType), s)
}

// AppendBytes appends a field of bytes or a message.
func AppendBytes(b []byte, field protowire.Number, v []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(b, field, protowire.BytesType), v)
}

// AppendInt appends a field of an integer.
func AppendInt(b []byte, field protowire.Number, v int64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(b, field, protowire.VarintType), uint64(v))
}

// Each calls do with every field of a message, with its bytes if it is of text, bytes or a message, else with its number, until do
// says false. It fails when the message is malformed.
func Each(b []byte, do func(field protowire.Number, bytes []byte, number uint64) bool) error {
	for len(b) > 0 {
		field, kind, n := protowire.ConsumeTag(b)
		if n < 0 {
			return errMalformed
		}
		b = b[n:]
		var bytes []byte
		var number uint64
		switch kind {
		case protowire.BytesType:
			bytes, n = protowire.ConsumeBytes(b)
		case protowire.VarintType:
			number, n = protowire.ConsumeVarint(b)
		default:
			n = protowire.ConsumeFieldValue(field, kind, b)
		}
		if n < 0 {
			return errMalformed
		}
		b = b[n:]
		if !do(field, bytes, number) {
			return nil
		}
	}
	return nil
}

// Field returns the first field of that number, which is of text, bytes or a message; nil when there is none.
func Field(b []byte, field protowire.Number) []byte {
	var found []byte
	_ = Each(b, func(f protowire.Number, bytes []byte, _ uint64) bool { // what is malformed has no such field
		if f == field {
			found = bytes
		}
		return f != field
	})
	return found
}

// At follows a path of fields and returns the last; nil when one is missing.
func At(b []byte, path ...protowire.Number) []byte {
	for _, field := range path {
		if b == nil {
			return nil
		}
		b = Field(b, field)
	}
	return b
}

// Meta is what a node looks at of an object's metadata. Its bytes are those of the message.
type Meta struct {
	Namespace, Name, UID, ResourceVersion []byte
	Generation                            int64
	// Deleting says that there is a deletionTimestamp, which Deleted is in seconds since 1970, and GraceSeconds its grace.
	Deleting     bool
	Deleted      int64
	GraceSeconds int64
	// Raw is the metadata whole.
	Raw []byte
}

// ReadMeta reads the metadata of an object, which is field 1 of every kind.
func ReadMeta(object []byte) (Meta, error) {
	m := Meta{Raw: Field(object, 1)}
	err := Each(m.Raw, func(f protowire.Number, b []byte, n uint64) bool {
		switch f {
		case 1:
			m.Name = b
		case 3:
			m.Namespace = b
		case 5:
			m.UID = b
		case 6:
			m.ResourceVersion = b
		case 7:
			m.Generation = int64(n)
		case 9:
			m.Deleting = true
			_ = Each(b, func(f protowire.Number, _ []byte, n uint64) bool {
				if f == 1 {
					m.Deleted = int64(n)
				}
				return true
			})
		case 10:
			m.GraceSeconds = int64(n)
		}
		return true
	})
	return m, err
}

// InMap returns the value of a key in a map of text to text, whose entries are fields of a message; nil when it is not there.
func InMap(message []byte, field protowire.Number, key string) []byte {
	var found []byte
	_ = Each(message, func(f protowire.Number, b []byte, _ uint64) bool {
		if f == field && string(Field(b, 1)) == key {
			if found = Field(b, 2); found == nil {
				found = []byte{}
			}
			return false
		}
		return true
	})
	return found
}

// Frames cuts the stream of a watch into its events: each is preceded by its length in four bytes.
type Frames struct{ rest []byte }

// largestEvent bounds an event, in bytes; etcd takes no objects of a fraction of it.
const largestEvent = 64 << 20

// Write takes the next piece of the stream and calls event with every event that has become whole. The bytes are valid during the
// call.
func (f *Frames) Write(piece []byte, event func([]byte) error) error {
	if len(f.rest) > 0 {
		f.rest = append(f.rest, piece...)
		piece = f.rest
	}
	for len(piece) >= 4 {
		size := int(binary.BigEndian.Uint32(piece))
		if size > largestEvent {
			return fmt.Errorf("an event of %d bytes", size)
		}
		if len(piece)-4 < size {
			break
		}
		if err := event(piece[4 : 4+size]); err != nil {
			return err
		}
		piece = piece[4+size:]
	}
	switch {
	case len(piece) == 0:
		f.rest = nil // idle watches hold no memory
	case len(f.rest) > 0 && &piece[0] == &f.rest[0]:
	default:
		f.rest = append([]byte(nil), piece...)
	}
	return nil
}

// Event is one event of a watch: its type and the object's own protobuf.
type Event struct {
	Type   string
	Object []byte
}

// Types of events.
const (
	Added    = "ADDED"
	Modified = "MODIFIED"
	Deleted  = "DELETED"
	Bookmark = "BOOKMARK"
	Failed   = "ERROR"
)

// ReadEvent reads a frame: meta.v1.WatchEvent{type = 1, object = 2 {raw = 1}}, whose raw is an envelope.
func ReadEvent(frame []byte) (Event, error) {
	var e Event
	kind := Field(frame, 1)
	for _, known := range [...]string{Added, Modified, Deleted, Bookmark, Failed} {
		if string(kind) == known {
			e.Type = known
		}
	}
	if e.Type == "" {
		return e, fmt.Errorf("%w: event of type %q", errMalformed, kind)
	}
	var err error
	e.Object, err = Object(At(frame, 2, 1))
	return e, err
}

// EndOfInitial says whether a bookmark marks the end of the objects that were there when the watch began.
func EndOfInitial(object []byte) bool {
	return string(InMap(Field(object, 1), 12, "k8s.io/initial-events-end")) == "true"
}

// StatusOf reads an answer of kind Status: its code, reason and message.
func StatusOf(object []byte) (code int, reason, message string) {
	_ = Each(object, func(f protowire.Number, b []byte, n uint64) bool {
		switch f {
		case 3:
			message = string(b)
		case 4:
			reason = string(b)
		case 6:
			code = int(n)
		}
		return true
	})
	return code, reason, message
}
