package usage

import (
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"windtunnel/hollow/light/wire"
	"windtunnel/profiles"
)

// event is an event about a pod of two containers, a init container and the given annotations. Each container asks for a core and 100Mi.
func event(t testing.TB, kind, name string, annotations map[string]string) wire.Event {
	t.Helper()
	one := func(name string) corev1.Container {
		return corev1.Container{Name: name, Resources: corev1.ResourceRequirements{
			Requests: corev1.ResourceList{"cpu": resource.MustParse("1"), "memory": resource.MustParse("100Mi")},
			Limits:   corev1.ResourceList{"cpu": resource.MustParse("4")},
		}}
	}
	object := corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "ns", UID: types.UID("uid-" + name), Annotations: annotations},
		Spec: corev1.PodSpec{InitContainers: []corev1.Container{one("init")}, Containers: []corev1.Container{one("a"), one("b")}}}
	raw, err := object.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return wire.Event{Type: kind, Object: raw}
}

func nodeWith(t *testing.T, u profiles.Usage) *Node {
	t.Helper()
	return newNode(&Server{demands: demandsOf(t, u)}, "n", nil)
}

// cpu is the CPU time of the only pod's container, of the pod and of the node's pods.
func cpu(t *testing.T, n *Node, name string) (container, pod, node float64) {
	t.Helper()
	r := n.read()
	if len(r.pods) != 1 {
		t.Fatalf("%d pods", len(r.pods))
	}
	for _, c := range r.pods[0].containers {
		if c.name == name {
			container = c.cpu
		}
	}
	return container, r.pods[0].cpu, r.cpu - systemCPU*r.at.Sub(n.began).Seconds()
}

func TestCountersFollowContainers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := nodeWith(t, profiles.Usage{CPU: "50%", Memory: "64Mi"})
		check := func(what, name string, container, pod, node float64) {
			t.Helper()
			c, p, all := cpu(t, n, name)
			if !near(c, container, 1e-6) || !near(p, pod, 1e-6) || !near(all, node, 1e-6) {
				t.Errorf("%s: container %v, pod %v, node %v; want %v, %v, %v", what, c, p, all, container, pod, node)
			}
		}
		n.Seen(event(t, wire.Added, "p", nil))
		time.Sleep(time.Second)
		if r := n.read(); len(r.pods) != 0 || !near(r.cpu, 0.1, 1e-9) || r.memory != systemMemory {
			t.Errorf("before anything runs: %+v", r)
		}
		begun := time.Now()
		n.Start("uid-p", "", begun.Add(time.Minute)) // by a clock that goes ahead
		n.Start("uid-p", "a", begun)                 // which changes nothing
		time.Sleep(10 * time.Second)
		check("two containers of half a core", "a", 5, 10, 10)
		if r := n.read(); len(r.pods[0].containers) != 2 || r.pods[0].memory != 128<<20 || r.memory != systemMemory+128<<20 || !r.pods[0].containers[0].start.Equal(begun.Add(time.Minute)) {
			t.Errorf("%+v", r)
		}
		n.Seen(event(t, wire.Modified, "p", map[string]string{CPUAnnotation: "2"}))
		check("nothing jumps", "a", 5, 10, 10)
		time.Sleep(10 * time.Second)
		check("and then they use more", "a", 25, 50, 50)
		n.Stop("uid-p", "a")
		n.Stop("uid-p", "a")
		time.Sleep(10 * time.Second)
		check("one has ended", "a", 0, 70, 70)
		check("the other goes on", "b", 45, 70, 70)
		n.Start("uid-p", "a", time.Now())
		check("a new run begins at 0", "a", 0, 70, 70)
		time.Sleep(time.Second)
		check("with what the pod says by now", "a", 2, 74, 74)
		n.Stop("uid-p", "")
		if r := n.read(); len(r.pods) != 0 {
			t.Errorf("a pod without containers: %+v", r.pods)
		}
		n.Gone("uid-p")
		n.Gone("uid-p")
		time.Sleep(time.Second)
		if r := n.read(); !near(r.cpu-systemCPU*r.at.Sub(n.began).Seconds(), 74, 1e-6) || r.memory != systemMemory {
			t.Errorf("the node's counter does not forget: %+v", r)
		}
	})
}

// TestNodeClock: timestamps are by the node's own clock, and whole milliseconds of the machine's, as of the text format.
func TestNodeClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := nodeWith(t, profiles.Usage{})
		n.Seen(event(t, wire.Added, "p", nil))
		n.Start("uid-p", "init", time.Now())
		time.Sleep(time.Second + 600*time.Microsecond)
		n.SetClock(time.Hour)
		r := n.read()
		if want := time.Now().Add(time.Hour - 600*time.Microsecond); !r.at.Equal(want) {
			t.Errorf("read at %v, want %v", r.at, want)
		}
		if c := r.pods[0].containers; len(c) != 1 || c[0].name != "init" || !near(c[0].cpu, 0.5, 1e-9) {
			t.Errorf("%+v", c)
		}
	})
}

// TestOff: where there is no server nothing is kept, whatever a node says.
func TestOff(t *testing.T) {
	var s *Server
	n := s.Node("n", nil)
	if n != nil || s.Port() != 0 || s.Run(t.Context()) != nil {
		t.Error("something is served")
	}
	happens := func() {
		n.Seen(wire.Event{Type: wire.Added})
		n.Start("u", "c", time.Time{})
		n.Stop("u", "c")
		n.Gone("u")
		n.Cut(true)
		n.SetClock(1)
		n.Leave()
	}
	if allocations := testing.AllocsPerRun(10, happens); allocations != 0 {
		t.Errorf("%v allocations", allocations)
	}
}
