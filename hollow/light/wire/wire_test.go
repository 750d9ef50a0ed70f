package wire

import (
	"encoding/binary"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer/protobuf"
	"pgregory.net/rapid"
)

func somePod() *corev1.Pod {
	deleted, grace := metav1.NewTime(time.Unix(1_700_000_000, 0)), int64(30)
	return &corev1.Pod{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"},
		ObjectMeta: metav1.ObjectMeta{Name: "p", Namespace: "n", UID: "u", ResourceVersion: "17", Generation: 3,
			DeletionTimestamp: &deleted, DeletionGracePeriodSeconds: &grace,
			Labels: map[string]string{"a": "b", "empty": ""}, Annotations: map[string]string{"k8s.io/initial-events-end": "true"}},
		Spec: corev1.PodSpec{NodeName: "node-1"},
	}
}

// Kubernetes' own serializer reads and writes the same.
func TestEnvelopeIsKubernetesOwn(t *testing.T) {
	scheme := runtime.NewScheme()
	if err := corev1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	serializer := protobuf.NewSerializer(scheme, scheme)
	pod := somePod()
	theirs, err := runtime.Encode(serializer, pod)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := Object(theirs)
	if err != nil {
		t.Fatal(err)
	}
	meta, err := ReadMeta(raw)
	if err != nil || string(meta.Name) != "p" || string(meta.Namespace) != "n" || string(meta.UID) != "u" || string(meta.ResourceVersion) != "17" ||
		meta.Generation != 3 || !meta.Deleting || meta.Deleted != 1_700_000_000 || meta.GraceSeconds != 30 {
		t.Errorf("%v, %+v", err, meta)
	}
	if string(InMap(meta.Raw, 11, "a")) != "b" || InMap(meta.Raw, 11, "empty") == nil || InMap(meta.Raw, 11, "c") != nil || !EndOfInitial(raw) {
		t.Error("labels or annotations are read wrong")
	}
	if string(At(raw, 2, 10)) != "node-1" || At(raw, 2, 99, 1) != nil {
		t.Error("the path to the node's name")
	}
	back, err := runtime.Decode(serializer, Envelope("v1", "Pod", raw))
	if err != nil || back.(*corev1.Pod).Spec.NodeName != "node-1" {
		t.Errorf("%v, %v", err, back)
	}
	if _, err := Object([]byte("{}")); err == nil {
		t.Error("JSON is taken for protobuf")
	}
}

// However a stream is cut into pieces, the same events come out.
func TestFrames(t *testing.T) {
	pod := somePod()
	raw, err := pod.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	event := metav1.WatchEvent{Type: Modified, Object: runtime.RawExtension{Raw: Envelope("v1", "Pod", raw)}}
	frame, err := event.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	var stream []byte
	const events = 5
	for range events {
		stream = append(binary.BigEndian.AppendUint32(stream, uint32(len(frame))), frame...)
	}
	rapid.Check(t, func(t *rapid.T) {
		var f Frames
		got := 0
		for rest := stream; len(rest) > 0; {
			n := rapid.IntRange(1, len(rest)).Draw(t, "piece")
			if err := f.Write(rest[:n:n], func(b []byte) error {
				e, err := ReadEvent(b)
				if err != nil || e.Type != Modified || string(e.Object) != string(raw) {
					t.Fatalf("event %d: %v, %q", got, err, e.Type)
				}
				got++
				return nil
			}); err != nil {
				t.Fatal(err)
			}
			rest = rest[n:]
		}
		if got != events || f.rest != nil {
			t.Fatalf("%d events, %d bytes left", got, len(f.rest))
		}
	})
}

func TestStatus(t *testing.T) {
	status := metav1.Status{Code: 410, Reason: "Expired", Message: "too old"}
	raw, err := status.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	if code, reason, message := StatusOf(raw); code != 410 || reason != "Expired" || message != "too old" {
		t.Errorf("%d %q %q", code, reason, message)
	}
}

func FuzzReaders(f *testing.F) {
	raw, err := somePod().Marshal()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw)
	f.Fuzz(func(t *testing.T, b []byte) { // nothing may panic
		_, _ = ReadMeta(b)
		_, _ = ReadEvent(b)
		_, _ = Object(b)
		_ = At(b, 2, 10)
		StatusOf(b)
		EndOfInitial(b)
	})
}
