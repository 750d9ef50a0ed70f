package load

import (
	"bytes"
	"compress/gzip"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/serializer/cbor/direct"
	"k8s.io/apimachinery/pkg/runtime/serializer/protobuf"
	"k8s.io/client-go/kubernetes/scheme"

	"github.com/google/go-cmp/cmp"
)

func TestContinueToken(t *testing.T) {
	list := &corev1.PodList{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "PodList"},
		ListMeta: metav1.ListMeta{ResourceVersion: "17", Continue: "next+page="},
		Items:    []corev1.Pod{{ObjectMeta: metav1.ObjectMeta{Name: "p", Annotations: map[string]string{"a": `"continue":"wrong"`}}}},
	}
	var asProtobuf bytes.Buffer
	if err := protobuf.NewSerializer(scheme.Scheme, scheme.Scheme).Encode(list, &asProtobuf); err != nil {
		t.Fatal(err)
	}
	asCBOR, err := direct.Marshal(map[string]any{"metadata": map[string]any{"continue": "next+page="}, "items": []any{}})
	if err != nil {
		t.Fatal(err)
	}
	const asJSON = `{"kind":"PodList","items":[{"metadata":{"name":"\"continue\":\"wrong\""}}],"metadata":{"resourceVersion":"17","continue":"next+page="}}`
	var packed bytes.Buffer
	writer := gzip.NewWriter(&packed)
	writer.Write([]byte(asJSON))
	writer.Close()
	for name, answer := range map[string]Answer{
		"JSON": {Body: []byte(asJSON)}, "protobuf": {Body: asProtobuf.Bytes()}, "CBOR": {Body: asCBOR},
		"gzip": {Body: packed.Bytes(), Compressed: true},
	} {
		if got, err := continueToken(answer); err != nil || got != "next+page=" {
			t.Errorf("%s: token %q, error %v", name, got, err)
		}
	}
	for _, last := range []string{`{"metadata":{}}`, `{"items":[]}`} {
		if got, err := continueToken(Answer{Body: []byte(last)}); err != nil || got != "" {
			t.Errorf("%s: token %q, error %v", last, got, err)
		}
	}
}

func TestResourceVersionOf(t *testing.T) {
	object := &corev1.ConfigMap{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "ConfigMap"},
		ObjectMeta: metav1.ObjectMeta{Name: "c", Namespace: "n", UID: "u", ResourceVersion: "4711"},
		Data:       map[string]string{"resourceVersion": "1"},
	}
	var asProtobuf bytes.Buffer
	if err := protobuf.NewSerializer(scheme.Scheme, scheme.Scheme).Encode(object, &asProtobuf); err != nil {
		t.Fatal(err)
	}
	const asJSON = `{"kind":"ConfigMap","metadata":{"name":"c","resourceVersion":"4711"},"data":{"resourceVersion":"1"}}`
	for name, body := range map[string][]byte{
		"JSON": []byte(asJSON), "its beginning": []byte(asJSON[:70]), "protobuf": asProtobuf.Bytes(), "its beginning, too": asProtobuf.Bytes()[:len(asProtobuf.Bytes())-20],
	} {
		if got := resourceVersionOf(body); got != "4711" {
			t.Errorf("%s: %q", name, got)
		}
	}
	for _, bad := range []string{"", "{", `{"resourceVersion":"47`, "k8s\x00", "k8s\x00\xff\xff"} {
		if got := resourceVersionOf([]byte(bad)); got != "" {
			t.Errorf("%q gave %q", bad, got)
		}
	}
}

func TestMerge(t *testing.T) {
	object := map[string]any{
		"spec":   map[string]any{"replicas": int64(1), "paused": true},
		"status": map[string]any{"conditions": []any{map[string]any{"type": "A", "status": "True"}, map[string]any{"type": "B", "status": "True"}}},
	}
	part := map[string]any{
		"spec":   map[string]any{"replicas": int64(2), "paused": nil},
		"status": map[string]any{"conditions": []any{map[string]any{"type": "B", "status": "False"}, map[string]any{"type": "C", "status": "True"}}},
	}
	want := map[string]any{
		"spec": map[string]any{"replicas": int64(2)},
		"status": map[string]any{"conditions": []any{
			map[string]any{"type": "A", "status": "True"}, map[string]any{"type": "B", "status": "False"}, map[string]any{"type": "C", "status": "True"},
		}},
	}
	if diff := cmp.Diff(any(want), merge(object, part)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
