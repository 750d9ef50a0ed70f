package kubelet

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
	"pgregory.net/rapid"
)

// aStatus draws a status of what can differ.
func aStatus(t *rapid.T, name string) corev1.PodStatus {
	word := rapid.SampledFrom([]string{"", "a", `with "quotes" and é`})
	when := func(label string) metav1.Time {
		return metav1.NewTime(time.Unix(rapid.Int64Range(0, 2).Draw(t, label)*1_000_000+1_700_000_000, 0).UTC())
	}
	s := corev1.PodStatus{
		Phase: corev1.PodPhase(rapid.SampledFrom([]string{"Pending", "Running", "Failed"}).Draw(t, name+" phase")), Reason: word.Draw(t, "reason"), Message: word.Draw(t, "message"),
		HostIP: word.Draw(t, "host"), PodIP: word.Draw(t, "ip"), ObservedGeneration: rapid.Int64Range(1, 2).Draw(t, "generation"), QOSClass: "Burstable",
	}
	start := when("start")
	s.StartTime = &start
	for _, kind := range []corev1.PodConditionType{"PodReadyToStartContainers", "Initialized", "Ready", "PodScheduled", "example.com/gate"} {
		if rapid.Bool().Draw(t, "there") {
			s.Conditions = append(s.Conditions, corev1.PodCondition{Type: kind, Status: corev1.ConditionStatus(rapid.SampledFrom([]string{"True", "False"}).Draw(t, "status")),
				Reason: word.Draw(t, "reason"), Message: word.Draw(t, "message"), LastTransitionTime: when("transition"), ObservedGeneration: rapid.Int64Range(0, 1).Draw(t, "observed")})
		}
	}
	for i := range rapid.IntRange(0, 2).Draw(t, "addresses") {
		ip := fmt.Sprintf("10.0.0.%d", i+rapid.IntRange(0, 1).Draw(t, "shift"))
		s.PodIPs = append(s.PodIPs, corev1.PodIP{IP: ip})
		s.HostIPs = append(s.HostIPs, corev1.HostIP{IP: ip})
	}
	if len(s.PodIPs) == 2 && s.PodIPs[0] == s.PodIPs[1] {
		s.PodIPs, s.HostIPs = s.PodIPs[:1], s.HostIPs[:1]
	}
	for i := range rapid.IntRange(1, 2).Draw(t, "containers") {
		s.ContainerStatuses = append(s.ContainerStatuses, corev1.ContainerStatus{Name: fmt.Sprint(i), Ready: rapid.Bool().Draw(t, "ready"), Image: "x"})
	}
	if rapid.Bool().Draw(t, "ephemeral") {
		s.EphemeralContainerStatuses = s.ContainerStatuses[:1]
	}
	return s
}

// The patch must be what the kubelet's own way to make it gives, whatever differs.
func TestStatusPatchIsStrategicpatchs(t *testing.T) {
	const uid = "8ed14f22-fdbc-4d45-a800-bc383db3771e"
	rapid.Check(t, func(t *rapid.T) {
		was, is := aStatus(t, "was"), aStatus(t, "is")
		if rapid.Bool().Draw(t, "resources") { // which come once and stay
			is.AllocatedResources = corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("10m")}
			is.Resources = &corev1.ResourceRequirements{Requests: is.AllocatedResources}
		}
		ours, err := statusPatch(uid, &was, &is)
		if err != nil {
			t.Fatal(err)
		}
		encode := func(p corev1.Pod) []byte {
			b, err := json.Marshal(p)
			if err != nil {
				t.Fatal(err)
			}
			return b
		}
		theirs, err := strategicpatch.CreateTwoWayMergePatch(encode(corev1.Pod{Status: was}), encode(corev1.Pod{ObjectMeta: metav1.ObjectMeta{UID: types.UID(uid)}, Status: is}), corev1.Pod{})
		if err != nil {
			t.Fatal(err)
		}
		if ours == nil {
			ours = []byte(fmt.Sprintf(`{"metadata":{"uid":%q}}`, uid))
		}
		var a, b any
		if err := json.Unmarshal(ours, &a); err != nil {
			t.Fatalf("%v: %s", err, ours)
		}
		if err := json.Unmarshal(theirs, &b); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(b, a); d != "" {
			t.Fatalf("-strategicpatch's +ours:\n%s\n%s\n%s", d, theirs, ours)
		}
	})
}
