package observe

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"pgregory.net/rapid"
)

// drawMeta is any object's metadata.
func drawMeta(t *rapid.T) metav1.ObjectMeta {
	text := func(what string) string { return rapid.String().Draw(t, what) }
	m := metav1.ObjectMeta{
		Name: text("name"), GenerateName: text("generateName"), Namespace: text("namespace"), UID: types.UID(text("uid")),
		ResourceVersion: text("resourceVersion"), Generation: rapid.Int64().Draw(t, "generation"),
		CreationTimestamp: metav1.Unix(rapid.Int64Range(0, 1<<40).Draw(t, "created"), 0),
		Labels:            rapid.MapOf(rapid.String(), rapid.String()).Draw(t, "labels"),
		Annotations:       map[string]string{"windtunnel/object": "not a label"},
		Finalizers:        []string{text("finalizer")},
	}
	if rapid.Bool().Draw(t, "templated") {
		if m.Labels == nil {
			m.Labels = map[string]string{}
		}
		m.Labels["windtunnel/object"] = text("template")
	}
	if rapid.Bool().Draw(t, "deleting") {
		at, grace := metav1.Unix(5, 0), int64(30)
		m.DeletionTimestamp, m.DeletionGracePeriodSeconds = &at, &grace
	}
	return m
}

func drawConditions[C any](t *rapid.T, of func(kind, status string) C) []C {
	var out []C
	for _, kind := range []string{"PodScheduled", "Ready", "ContainersReady"} {
		if rapid.Bool().Draw(t, "condition") {
			out = append(out, of(kind, rapid.SampledFrom([]string{"True", "False", "Unknown", ""}).Draw(t, "status")))
		}
	}
	return out
}

func (o *meta) check(t *rapid.T, want metav1.ObjectMeta) {
	t.Helper()
	if string(o.name) != want.Name || string(o.namespace) != want.Namespace || string(o.uid) != string(want.UID) ||
		string(o.resourceVersion) != want.ResourceVersion || len(o.labels) != len(want.Labels) || o.created != want.CreationTimestamp.Unix() ||
		o.deleting != (want.DeletionTimestamp != nil) || string(o.template) != want.Labels["windtunnel/object"] {
		t.Fatalf("decoded %+v of %+v", o, want)
	}
	for _, l := range o.labels {
		if value, ok := want.Labels[string(l.key)]; !ok || value != string(l.value) {
			t.Fatalf("label %q=%q, want %q", l.key, l.value, want.Labels)
		}
	}
}

// TestDecodePod holds the decoder against Kubernetes' own encoder.
func TestDecodePod(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := corev1.Pod{ObjectMeta: drawMeta(t)}
		want.Spec.NodeName = rapid.String().Draw(t, "node")
		want.Spec.Containers = []corev1.Container{{Name: "c", Image: rapid.String().Draw(t, "image"), Ports: []corev1.ContainerPort{{ContainerPort: -1}}}}
		want.Status.Phase = corev1.PodPhase(rapid.SampledFrom([]string{"", "Pending", "Running", "Failed"}).Draw(t, "phase"))
		want.Status.Conditions = drawConditions(t, func(kind, status string) corev1.PodCondition {
			return corev1.PodCondition{Type: corev1.PodConditionType(kind), Status: corev1.ConditionStatus(status), Message: "Ready"}
		})
		want.Spec.SchedulerName = rapid.String().Draw(t, "scheduler")
		started, stateful := drawStates(t, &want.Status), drawVolumes(t, &want.Spec)
		data, err := want.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		var got pod
		got.ready, got.started, got.labels, got.stateful = true, 1<<50, []podLabel{{}}, true // of the pod before
		if err := got.decode(data); err != nil {
			t.Fatal(err)
		}
		got.meta.check(t, want.ObjectMeta)
		ready := false
		for _, c := range want.Status.Conditions {
			ready = ready || c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
		}
		if string(got.node) != want.Spec.NodeName || string(got.phase) != string(want.Status.Phase) || got.ready != ready ||
			string(got.scheduler) != want.Spec.SchedulerName || got.started != started || got.stateful != stateful {
			t.Fatalf("decoded %+v of %+v", got, want)
		}
	})
}

// drawVolumes gives a pod volumes, and says whether any of them outlives it.
func drawVolumes(t *rapid.T, spec *corev1.PodSpec) (stateful bool) {
	for range rapid.IntRange(0, 3).Draw(t, "volumes") {
		kind := rapid.IntRange(0, 7).Draw(t, "source")
		source := []corev1.VolumeSource{{EmptyDir: &corev1.EmptyDirVolumeSource{}}, {Secret: &corev1.SecretVolumeSource{SecretName: "s"}},
			{DownwardAPI: &corev1.DownwardAPIVolumeSource{}}, {ConfigMap: &corev1.ConfigMapVolumeSource{}}, {Projected: &corev1.ProjectedVolumeSource{}},
			{PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: "c"}}, {HostPath: &corev1.HostPathVolumeSource{Path: "/"}}, {}}[kind]
		spec.Volumes = append(spec.Volumes, corev1.Volume{Name: "v", VolumeSource: source})
		stateful = stateful || kind > 4
	}
	return stateful
}

// drawStates gives a pod the states of its containers, and says when the last one that runs started.
func drawStates(t *rapid.T, status *corev1.PodStatus) (started int64) {
	at := func() metav1.Time { return metav1.Unix(rapid.Int64Range(1, 1<<40).Draw(t, "started"), 5e8) }
	for range rapid.IntRange(0, 3).Draw(t, "containers") {
		one := corev1.ContainerStatus{Name: "c", LastTerminationState: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: at()}}}
		switch rapid.SampledFrom([]string{"running", "waiting", "terminated"}).Draw(t, "state") {
		case "running":
			one.State.Running = &corev1.ContainerStateRunning{StartedAt: at()}
			started = max(started, one.State.Running.StartedAt.Unix())
		case "waiting":
			one.State.Waiting = &corev1.ContainerStateWaiting{Reason: "ContainerCreating"}
		default:
			one.State.Terminated = &corev1.ContainerStateTerminated{StartedAt: at(), FinishedAt: at()}
		}
		status.ContainerStatuses = append(status.ContainerStatuses, one)
	}
	status.InitContainerStatuses = []corev1.ContainerStatus{{State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.Unix(1<<41, 0)}}}}
	return started
}

func TestDecodeNode(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := corev1.Node{ObjectMeta: drawMeta(t)}
		want.Status.Capacity = corev1.ResourceList{"cpu": {}}
		want.Status.Phase = "Running"
		want.Spec.Taints = rapid.SliceOfN(rapid.Custom(func(t *rapid.T) corev1.Taint {
			return corev1.Taint{Key: rapid.SampledFrom([]string{"a", taintUnreachable, taintNotReady}).Draw(t, "key"), Value: rapid.String().Draw(t, "value"),
				Effect: rapid.SampledFrom([]corev1.TaintEffect{corev1.TaintEffectNoExecute, corev1.TaintEffectNoSchedule}).Draw(t, "effect")}
		}), 0, 4).Draw(t, "taints")
		want.Status.Conditions = drawConditions(t, func(kind, status string) corev1.NodeCondition {
			return corev1.NodeCondition{Type: corev1.NodeConditionType(kind), Status: corev1.ConditionStatus(status)}
		})
		data, err := want.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		var got node
		if err := got.decode(data); err != nil {
			t.Fatal(err)
		}
		got.meta.check(t, want.ObjectMeta)
		ready := false
		for _, c := range want.Status.Conditions {
			ready = ready || c.Type == corev1.NodeReady && c.Status == corev1.ConditionTrue
		}
		if got.ready != ready {
			t.Fatalf("ready %v of %+v", got.ready, want.Status)
		}
		taint := ""
		for _, one := range want.Spec.Taints {
			if one.Effect == corev1.TaintEffectNoExecute && one.Key != "a" {
				taint = one.Key
			}
		}
		if string(got.taint) != taint {
			t.Fatalf("taint %q of %+v", got.taint, want.Spec)
		}
	})
}

// TestDecodeOfAnything: damaged frames give an error or something, and never a panic.
func TestDecodeOfAnything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		data := rapid.SliceOf(rapid.Byte()).Draw(t, "data")
		var p pod
		p.decode(data)
		watchEvent(data)
		decodeList(append([]byte(magic), data...))
		errorEvent(append([]byte(magic), data...))
	})
	full := examplePod(t)
	for cut := range full {
		var p pod
		p.decode(full[:cut])
	}
	if _, err := unwrap([]byte("k8s")); err == nil {
		t.Error("no error for an envelope that is cut")
	}
	if err := (&pod{}).decode([]byte{0x0a, 0x7f, 1}); err == nil {
		t.Error("no error for a length beyond the end")
	}
}

// examplePod is a pod as they come in a run, 1.5 kB.
func examplePod(tb testing.TB) []byte {
	one := corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Name: "web-17-5d9c7b6f4-abcde", Namespace: "team-3", UID: "5c4b3a29-1807-4f6e-8d5c-000000000001", ResourceVersion: "123456",
			CreationTimestamp: metav1.Unix(1_800_000_000, 0),
			Labels:            map[string]string{"windtunnel/object": "web", "windtunnel/run": "density-20261122T000000Z-abcd", "pod-template-hash": "5d9c7b6f4"},
			OwnerReferences:   []metav1.OwnerReference{{APIVersion: "apps/v1", Kind: "ReplicaSet", Name: "web-17-5d9c7b6f4", UID: "5c4b3a29-1807-4f6e-8d5c-000000000002"}},
			ManagedFields:     []metav1.ManagedFieldsEntry{{Manager: "kubelet", FieldsV1: &metav1.FieldsV1{Raw: make([]byte, 700)}}},
		},
		Spec: corev1.PodSpec{
			NodeName: "hollow-42", Containers: []corev1.Container{{Name: "pause", Image: "registry.k8s.io/pause:3.10"}},
			Tolerations: []corev1.Toleration{{Key: "node.kubernetes.io/not-ready"}, {Key: "node.kubernetes.io/unreachable"}},
		},
		Status: corev1.PodStatus{
			Phase: corev1.PodRunning, PodIP: "10.0.0.1", HostIP: "10.0.0.2",
			Conditions: []corev1.PodCondition{
				{Type: corev1.PodScheduled, Status: corev1.ConditionTrue, LastTransitionTime: metav1.NewTime(time.Unix(1_800_000_000, 0))},
				{Type: corev1.PodReady, Status: corev1.ConditionTrue, LastTransitionTime: metav1.NewTime(time.Unix(1_800_000_001, 0))},
			},
			ContainerStatuses: []corev1.ContainerStatus{{Name: "pause", Ready: true, Image: "registry.k8s.io/pause:3.10", ContainerID: "windtunnel://0123456789"}},
		},
	}
	data, err := one.Marshal()
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

// BenchmarkDecodePod compares this decoder with decoding into a v1.Pod.
func BenchmarkDecodePod(b *testing.B) {
	data := examplePod(b)
	b.Run("partial", func(b *testing.B) {
		b.ReportAllocs()
		var p pod
		for b.Loop() {
			if err := p.decode(data); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("v1.Pod", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var p corev1.Pod
			if err := p.Unmarshal(data); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkPodEvent is the whole of what an event costs after its frame was read.
func BenchmarkPodEvent(b *testing.B) {
	one := newPodWatch(func(recordOf) {})
	one.begin()
	one.listed()
	unknown := runtime.Unknown{TypeMeta: runtime.TypeMeta{APIVersion: "v1", Kind: "Pod"}, Raw: examplePod(b)}
	envelope, err := unknown.Marshal()
	if err != nil {
		b.Fatal(err)
	}
	event := metav1.WatchEvent{Type: eventModified, Object: runtime.RawExtension{Raw: append([]byte(magic), envelope...)}}
	frame, err := event.Marshal()
	if err != nil {
		b.Fatal(err)
	}
	w := &watch{sink: one}
	b.ReportAllocs()
	for b.Loop() {
		if err := w.take(frame, 1); err != nil {
			b.Fatal(err)
		}
	}
}
