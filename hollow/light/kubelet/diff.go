package kubelet

import (
	"encoding/json"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"windtunnel/hollow/light/api"
)

// statusPatch is the strategic merge patch from one status of a pod to another, with the pod's UID as a precondition, in the form that
// strategicpatch gives it (PatchPodStatus in pkg/util/pod), at a hundredth of its cost; nil when there is no difference.
func statusPatch(uid string, was, is *corev1.PodStatus) ([]byte, error) {
	d := differ{b: append(api.AppendText(append(make([]byte, 0, 2048), `{"metadata":{"uid":`...), uid), `},"status":{`...)}
	empty := len(d.b)
	d.conditions(was.Conditions, is.Conditions)
	d.statuses("containerStatuses", was.ContainerStatuses, is.ContainerStatuses)
	d.statuses("initContainerStatuses", was.InitContainerStatuses, is.InitContainerStatuses)
	d.statuses("ephemeralContainerStatuses", was.EphemeralContainerStatuses, is.EphemeralContainerStatuses)
	d.text("hostIP", was.HostIP, is.HostIP)
	d.addresses("hostIPs", hostIPs(was.HostIPs), hostIPs(is.HostIPs))
	d.text("phase", string(was.Phase), string(is.Phase))
	d.text("podIP", was.PodIP, is.PodIP)
	d.addresses("podIPs", podIPs(was.PodIPs), podIPs(is.PodIPs))
	d.text("qosClass", string(was.QOSClass), string(is.QOSClass))
	d.text("reason", was.Reason, is.Reason)
	d.text("message", was.Message, is.Message)
	d.generation(was.ObservedGeneration, is.ObservedGeneration)
	if len(was.AllocatedResources) == 0 && len(is.AllocatedResources) > 0 {
		d.key("allocatedResources")
		d.json(is.AllocatedResources)
	}
	if was.Resources == nil && is.Resources != nil {
		d.key("resources")
		d.json(is.Resources)
	}
	if is.StartTime != nil && !is.StartTime.Equal(was.StartTime) {
		d.key("startTime")
		d.b = api.AppendTime(d.b, is.StartTime.Time)
	}
	if d.err != nil {
		return nil, fmt.Errorf("compare pod statuses: %w", d.err)
	}
	if len(d.b) == empty {
		return nil, nil
	}
	return append(d.b, `}}`...), nil
}

// differ writes the members of a patch.
type differ struct {
	b   []byte
	err error
}

func (d *differ) key(name string) {
	if d.b[len(d.b)-1] != '{' {
		d.b = append(d.b, ',')
	}
	d.b = append(api.AppendText(d.b, name), ':')
}

// text writes a text that has changed; one that is gone is null.
func (d *differ) text(name, was, is string) {
	switch {
	case was == is:
	case is == "":
		d.key(name)
		d.b = append(d.b, "null"...)
	default:
		d.key(name)
		d.b = api.AppendText(d.b, is)
	}
}

// generation writes an observed generation that has changed; 0 is none.
func (d *differ) generation(was, is int64) {
	switch {
	case was == is:
	case is == 0:
		d.key("observedGeneration")
		d.b = append(d.b, "null"...)
	default:
		d.key("observedGeneration")
		d.b = api.AppendNumber(d.b, is)
	}
}

// statuses are replaced whole: the list is atomic.
func (d *differ) statuses(name string, was, is []corev1.ContainerStatus) {
	if len(was) == len(is) && equality.Semantic.DeepEqual(was, is) {
		return
	}
	d.key(name)
	d.json(is)
}

func (d *differ) json(v any) {
	text, err := json.Marshal(v)
	if err != nil {
		d.err = err
	}
	d.b = append(d.b, text...)
}

// conditions are merged by type, and of one that is there only what has changed is said.
func (d *differ) conditions(was, is []corev1.PodCondition) {
	if equality.Semantic.DeepEqual(was, is) {
		return
	}
	if len(is) == 0 {
		d.key("conditions")
		d.b = append(d.b, "null"...)
		return
	}
	if len(was) > 0 {
		d.key("$setElementOrder/conditions")
		d.b = append(d.b, '[')
		for i := range is {
			if i > 0 {
				d.b = append(d.b, ',')
			}
			d.b = append(api.AppendText(append(d.b, `{"type":`...), string(is[i].Type)), '}')
		}
		d.b = append(d.b, ']')
	}
	list := differ{}
	separate := func() {
		if len(list.b) > 0 {
			list.b = append(list.b, ',')
		}
	}
	for i := range is {
		old := findCondition(was, is[i].Type)
		switch {
		case old == nil:
			separate()
			list.json(is[i])
		case !equality.Semantic.DeepEqual(*old, is[i]):
			separate()
			list.condition(old, &is[i])
		}
	}
	var lost []string // strategicpatch sorts what goes
	for i := range was {
		if findCondition(is, was[i].Type) == nil {
			lost = append(lost, string(was[i].Type))
		}
	}
	slices.Sort(lost)
	for _, kind := range lost {
		separate()
		list.b = append(api.AppendText(append(list.b, `{"$patch":"delete","type":`...), kind), '}')
	}
	if list.err != nil {
		d.err = list.err
	}
	if len(list.b) > 0 {
		d.key("conditions")
		d.b = append(append(append(d.b, '['), list.b...), ']')
	}
}

func (d *differ) condition(was, is *corev1.PodCondition) {
	d.b = append(d.b, '{')
	d.time("lastProbeTime", was.LastProbeTime, is.LastProbeTime)
	d.time("lastTransitionTime", was.LastTransitionTime, is.LastTransitionTime)
	d.text("message", was.Message, is.Message)
	d.generation(was.ObservedGeneration, is.ObservedGeneration)
	d.text("reason", was.Reason, is.Reason)
	d.text("status", string(was.Status), string(is.Status))
	d.text("type", "", string(is.Type))
	d.b = append(d.b, '}')
}

func (d *differ) time(name string, was, is metav1.Time) {
	if was.Equal(&is) {
		return
	}
	d.key(name)
	if is.IsZero() {
		d.b = append(d.b, "null"...)
	} else {
		d.b = api.AppendTime(d.b, is.Time)
	}
}

func findCondition(list []corev1.PodCondition, kind corev1.PodConditionType) *corev1.PodCondition {
	for i := range list {
		if list[i].Type == kind {
			return &list[i]
		}
	}
	return nil
}

// addresses are merged by their only member.
func (d *differ) addresses(name string, was, is []string) {
	if slices.Equal(was, is) {
		return
	}
	if len(is) == 0 {
		d.key(name)
		d.b = append(d.b, "null"...)
		return
	}
	if len(was) > 0 {
		d.key("$setElementOrder/" + name)
		d.b = append(d.b, '[')
		for i, s := range is {
			if i > 0 {
				d.b = append(d.b, ',')
			}
			d.b = append(api.AppendText(append(d.b, `{"ip":`...), s), '}')
		}
		d.b = append(d.b, ']')
	}
	var list []byte
	for _, s := range is {
		if !slices.Contains(was, s) {
			list = append(api.AppendText(append(list, `{"ip":`...), s), '}', ',')
		}
	}
	for _, s := range slices.Sorted(slices.Values(was)) {
		if !slices.Contains(is, s) {
			list = append(api.AppendText(append(list, `{"$patch":"delete","ip":`...), s), '}', ',')
		}
	}
	if len(list) > 0 {
		d.key(name)
		d.b = append(append(append(d.b, '['), list[:len(list)-1]...), ']')
	}
}

func hostIPs(list []corev1.HostIP) []string {
	var all []string
	for _, a := range list {
		all = append(all, a.IP)
	}
	return all
}

func podIPs(list []corev1.PodIP) []string {
	var all []string
	for _, a := range list {
		all = append(all, a.IP)
	}
	return all
}
