package kubelet

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"windtunnel/hollow"
	"windtunnel/hollow/ipam"
	"windtunnel/hollow/light/behaviour"
	"windtunnel/hollow/light/loop"
)

// authority makes a certificate authority that nobody uses.
func authority(t *testing.T) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "ca"}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// alone is a node whose server cannot be reached, so that only what happens on the node itself does. It lives in a bubble of
// testing/synctest.
type alone struct {
	*node
	t    *testing.T
	told int // how many of the events that wait history has told
}

func onANode(t *testing.T, config hollow.ShardConfig, test func(*alone)) {
	t.Helper()
	onANodeWith(t, config, nil, test)
}

func onANodeWith(t *testing.T, config hollow.ShardConfig, life behaviour.Behaviour, test func(*alone)) {
	ca := authority(t)
	synctest.Test(t, func(t *testing.T) {
		config.Server, config.CA, config.MaxPods = "https://127.0.0.1:1", ca, 10
		config.Capacity = map[string]string{"cpu": "4", "memory": "4Gi"}
		ctx, cancel := context.WithCancel(t.Context())
		s, err := newShard(ctx, config, life)
		if err != nil {
			t.Fatal(err)
		}
		l := loop.New()
		n := newNode(ctx, s, hollow.Node{Name: "n"}, l)
		n.client = s.server.Client(ctx, hollow.Identity{TokenFile: "/nowhere"}, "test", func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("cut off") })
		n.others = n.client
		n.ready, n.strain, n.pods = func() {}, func() {}, map[string]*pod{}
		if n.addresses, err = ipam.New("10.0.0.0/24"); err != nil {
			t.Fatal(err)
		}
		var running sync.WaitGroup
		running.Go(func() { l.Run(ctx) })
		test(&alone{node: n, t: t})
		cancel()
		running.Wait()
	})
}

// do does something on the node's loop.
func (a *alone) do(what func()) {
	done := make(chan struct{})
	a.loop.Post(func() { what(); close(done) })
	<-done
}

// runs tells whether a pod's first container runs.
func (a *alone) runs(p *pod) (does bool) {
	a.do(func() { does = p.list[0].state == running })
	return does
}

func (a *alone) bind(change func(*corev1.Pod)) *pod {
	object := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "p", Namespace: "ns", UID: "u", Generation: 1, Annotations: map[string]string{}},
		Spec: corev1.PodSpec{NodeName: "n", RestartPolicy: corev1.RestartPolicyAlways, Containers: []corev1.Container{{Name: "main", Image: "x"}}}}
	change(object)
	var p *pod
	a.do(func() { p = a.adopt(object) })
	synctest.Wait()
	return p
}

// changes follows a value of the pod for a while and returns when it changed, after the start of the test, and what it was then.
func (a *alone) changes(until time.Duration, value func() any) []string {
	start := time.Now()
	var seen []string
	last := ""
	for time.Since(start) <= until {
		now := ""
		a.do(func() { now = fmt.Sprint(value()) })
		if now != last {
			seen, last = append(seen, fmt.Sprintf("%v: %s", time.Since(start).Round(100*time.Millisecond), now)), now
		}
		time.Sleep(100 * time.Millisecond)
		synctest.Wait()
	}
	return seen
}

func TestCrashLoopBacksOff(t *testing.T) {
	onANode(t, hollow.ShardConfig{}, func(a *alone) {
		p := a.bind(func(o *corev1.Pod) {
			o.Annotations["windtunnel/run-for"], o.Annotations["windtunnel/exit-code"] = "1s", "1"
		})
		got := a.changes(330*time.Second, func() any { return p.list[0].restarts })
		// At once, then after 10 s, 20 s, 40 s, …, each a second after its start, which takes 0.1 s, and the first 0.1 s for the sandbox.
		want := []string{"0s: 0", "1.2s: 1", "12.3s: 2", "33.4s: 3", "1m14.5s: 4", "2m35.6s: 5", "5m16.7s: 6"}
		if !slices.Equal(got, want) {
			t.Errorf("restarts at %v, want %v", got, want)
		}
		var status *corev1.PodStatus
		a.do(func() { status = p.status() })
		c := status.ContainerStatuses[0]
		if status.Phase != corev1.PodRunning || c.State.Waiting == nil || c.State.Waiting.Reason != "CrashLoopBackOff" || c.LastTerminationState.Terminated.ExitCode != 1 || *c.Started {
			t.Errorf("%+v", c)
		}
	})
}

func TestReadinessFollowsItsProbe(t *testing.T) {
	onANode(t, hollow.ShardConfig{}, func(a *alone) {
		p := a.bind(func(o *corev1.Pod) {
			o.Annotations["windtunnel/ready-after"] = "7s"
			o.Spec.Containers[0].ReadinessProbe = &corev1.Probe{InitialDelaySeconds: 5, PeriodSeconds: 3, SuccessThreshold: 2}
		})
		// Probes at 0, 3, 6, … s after the start, which is at 0.2 s; the first that succeeds is at 9 s, and a second is asked for.
		if got := a.changes(20*time.Second, func() any { return p.list[0].ready }); !slices.Equal(got, []string{"0s: false", "12.2s: true"}) {
			t.Errorf("ready at %v", got)
		}
	})
	onANode(t, hollow.ShardConfig{}, func(a *alone) {
		p := a.bind(func(o *corev1.Pod) {
			o.Spec.Containers[0].StartupProbe = &corev1.Probe{InitialDelaySeconds: 4, PeriodSeconds: 10}
		})
		if got := a.changes(20*time.Second, func() any { return []bool{p.list[0].started, p.list[0].ready} }); !slices.Equal(got, []string{"0s: [false false]", "10.2s: [true true]"}) {
			t.Errorf("started and ready at %v", got)
		}
	})
}

// TestFailedProbesRestart: a container is ended and started again after as many failures in a row as its liveness probe asks for, and one
// that does not come up after those of its startup probe.
func TestFailedProbesRestart(t *testing.T) {
	says := func(a *alone, reason string) (all []string) {
		a.do(func() {
			for _, e := range a.events.queue {
				if e.Reason == reason {
					all = append(all, e.Message)
				}
			}
		})
		return all
	}
	onANode(t, hollow.ShardConfig{}, func(a *alone) {
		p := a.bind(func(o *corev1.Pod) {
			o.Spec.RestartPolicy = corev1.RestartPolicyOnFailure
			o.Annotations["windtunnel/unhealthy-after"] = "7s"
			o.Spec.Containers[0].LivenessProbe = &corev1.Probe{PeriodSeconds: 5, FailureThreshold: 2}
		})
		// It runs from 0.2 s on and is well at 0 and 5 s, and not at 10 and 15 s; then it ends and starts, which takes 0.1 s each.
		got := a.changes(20*time.Second, func() any { return []any{p.list[0].restarts, p.list[0].state} })
		if want := []string{"0s: [0 0]", "200ms: [0 1]", "15.3s: [1 2]", "15.4s: [1 1]"}; !slices.Equal(got, want) {
			t.Errorf("restarts %q, want %q", got, want)
		}
		if unhealthy, killing := says(a, "Unhealthy"), says(a, "Killing"); len(unhealthy) != 2 || !slices.Equal(killing, []string{"Container main failed liveness probe, will be restarted"}) {
			t.Errorf("it says %q and %q", unhealthy, killing)
		}
		if last := p.list[0].last; last == nil || last.code != exitTerminated {
			t.Errorf("it ended as %+v", last)
		}
	})
	onANode(t, hollow.ShardConfig{}, func(a *alone) {
		p := a.bind(func(o *corev1.Pod) {
			o.Spec.RestartPolicy = corev1.RestartPolicyNever
			o.Annotations["windtunnel/ready-after"] = "1m"
			o.Spec.Containers[0].StartupProbe = &corev1.Probe{PeriodSeconds: 2}
		})
		if got, want := a.changes(10*time.Second, func() any { return p.phase() }), []string{"0s: Pending", "200ms: Running", "4.3s: Failed"}; !slices.Equal(got, want) {
			t.Errorf("phases %q, want %q", got, want)
		}
		if killing := says(a, "Killing"); !slices.Equal(killing, []string{"Container main failed startup probe"}) {
			t.Errorf("it says %q", killing)
		}
	})
	onANode(t, hollow.ShardConfig{}, func(a *alone) { // well without the annotation
		p := a.bind(func(o *corev1.Pod) { o.Spec.Containers[0].LivenessProbe = &corev1.Probe{PeriodSeconds: 1} })
		if got := a.changes(5*time.Minute, func() any { return p.list[0].restarts }); !slices.Equal(got, []string{"0s: 0"}) {
			t.Errorf("restarts %q", got)
		}
	})
}

func TestStagesTakeTheirTime(t *testing.T) {
	onANode(t, hollow.ShardConfig{SandboxStart: 2 * time.Second, ContainerStart: time.Second}, func(a *alone) {
		p := a.bind(func(o *corev1.Pod) {
			o.Annotations["windtunnel/init-for"] = "3s"
			o.Spec.InitContainers = []corev1.Container{{Name: "a"}, {Name: "b", RestartPolicy: new(corev1.ContainerRestartPolicyAlways)}}
			o.Spec.Containers = append(o.Spec.Containers, corev1.Container{Name: "second"})
		})
		got := a.changes(15*time.Second, func() any {
			states := []state{}
			for i := range p.list {
				states = append(states, p.list[i].state)
			}
			return fmt.Sprintf("%v %v %v", p.sandbox, states, p.phase())
		})
		want := []string{"0s: false [0 0 0 0] Pending", "2s: true [0 0 0 0] Pending", "3s: true [1 0 0 0] Pending", "6s: true [2 0 0 0] Pending",
			"7s: true [2 1 0 0] Pending", "8s: true [2 1 1 0] Pending", "9s: true [2 1 1 1] Running"}
		if !slices.Equal(got, want) {
			t.Errorf("stages\n%q, want\n%q", got, want)
		}
	})
}

// TestRuntimeTakesTime: without a latency of its own the runtime still takes long enough for the status manager to send one state before the
// next, as a real one does; and the address is known once a container runs, as it is read after the sandbox has been reported.
func TestRuntimeTakesTime(t *testing.T) {
	onANode(t, hollow.ShardConfig{}, func(a *alone) {
		p := a.bind(func(*corev1.Pod) {})
		state := func() any {
			s := p.status()
			return fmt.Sprintf("%v %v %v", s.Phase, findCondition(s.Conditions, corev1.PodReadyToStartContainers).Status, s.PodIP)
		}
		if got, want := a.changes(2*time.Second, state), []string{"0s: Pending False ", "100ms: Pending True ", "200ms: Running True 10.0.0.2"}; !slices.Equal(got, want) {
			t.Errorf("starts as\n%q, want\n%q", got, want)
		}
		a.do(func() { p.deleting = true; p.end(30 * time.Second) })
		// What is left is gone between 500 and 700 ms after the containers' end.
		got := a.changes(2*time.Second, func() any { return fmt.Sprint(state(), " ", p.finished) })
		if len(got) != 3 || got[0] != "0s: Running True 10.0.0.2 false" || got[1] != "100ms: Succeeded False 10.0.0.2 false" || !strings.HasSuffix(got[2], "Succeeded False 10.0.0.2 true") {
			t.Errorf("ends as %q", got)
		}
	})
}

// TestStatusSaysWhatPodsHave: the resources of a pod come with its first status, and the user of a container when it runs.
func TestStatusSaysWhatPodsHave(t *testing.T) {
	onANode(t, hollow.ShardConfig{}, func(a *alone) {
		p := a.bind(func(o *corev1.Pod) {
			o.Spec.SecurityContext = &corev1.PodSecurityContext{RunAsUser: new(int64(1000)), RunAsGroup: new(int64(7)), FSGroup: new(int64(8))}
			o.Spec.Containers[0].SecurityContext = &corev1.SecurityContext{RunAsUser: new(int64(0))}
			o.Spec.Containers[0].Resources = corev1.ResourceRequirements{
				Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("10m")}, Limits: corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("1Gi")}}
		})
		status := func() (s *corev1.PodStatus) { a.do(func() { s = p.status() }); return s }
		first := status()
		if cpu, memory := first.AllocatedResources.Cpu(), first.Resources.Limits.Memory(); cpu.String() != "10m" || memory.String() != "1Gi" || first.ContainerStatuses[0].User != nil {
			t.Errorf("%+v", first)
		}
		time.Sleep(time.Second)
		if user := status().ContainerStatuses[0].User; user == nil || user.Linux.UID != 0 || user.Linux.GID != 7 || !slices.Equal(user.Linux.SupplementalGroups, []int64{7, 8}) {
			t.Errorf("runs as %+v", user)
		}
	})
}

// TestWrongClock: what a node says has the time of its own clock at that moment, and what it waits for takes as long as ever.
func TestWrongClock(t *testing.T) {
	const ahead = -time.Hour
	onANode(t, hollow.ShardConfig{}, func(a *alone) {
		a.SetClock(ahead)
		begun := time.Now()
		p := a.bind(func(o *corev1.Pod) {
			o.Spec.Containers[0].LivenessProbe = &corev1.Probe{PeriodSeconds: 1}
			o.Annotations["windtunnel/run-for"] = "10s"
		})
		if got, want := a.changes(time.Second, func() any { return p.list[0].state }), []string{"0s: 0", "200ms: 1"}; !slices.Equal(got, want) {
			t.Errorf("runs at %q, want %q", got, want)
		}
		a.SetClock(0)
		a.changes(10*time.Second, func() any { return nil })
		var status *corev1.PodStatus
		var events []corev1.Event
		a.do(func() {
			status = p.status()
			events = append(events, a.events.queue...)
		})
		off := func(what string, at metav1.Time, want time.Duration) {
			if d := at.Sub(begun); d < want-time.Second || d > want+time.Second {
				t.Errorf("%s is %v after the start, want %v", what, d, want)
			}
		}
		off("startTime", *status.StartTime, ahead)
		off("Pulled", events[0].FirstTimestamp, ahead)
		last := status.ContainerStatuses[0].LastTerminationState.Terminated
		if last == nil {
			t.Fatalf("%+v", status.ContainerStatuses[0])
		}
		off("startedAt", last.StartedAt, ahead)
		off("finishedAt", last.FinishedAt, 10*time.Second)
		off("Ready", findCondition(status.Conditions, corev1.PodReady).LastTransitionTime, 11*time.Second)
	})
}

// TestLatenciesVary: with a 99th percentile the containers of a node start after times of their own, and after the same ones with the same seed.
func TestLatenciesVary(t *testing.T) {
	starts := func(seed uint64) (all []time.Duration) {
		onANode(t, hollow.ShardConfig{Seed: seed, ContainerStart: time.Second, ContainerStartP99: 20 * time.Second}, func(a *alone) {
			p := a.bind(func(o *corev1.Pod) {
				o.Spec.Containers = nil
				for i := range 5 {
					o.Spec.Containers = append(o.Spec.Containers, corev1.Container{Name: fmt.Sprint(i)})
				}
			})
			time.Sleep(time.Hour)
			for i := 1; i < 5; i++ { // one after another
				all = append(all, p.list[i].begun.Sub(p.list[i-1].begun.Time))
			}
		})
		return all
	}
	first, again, other := starts(1), starts(1), starts(2)
	if !slices.Equal(first, again) || slices.Equal(first, other) {
		t.Errorf("starts take %v, %v with the same seed, and %v with another", first, again, other)
	}
	slices.Sort(first)
	if unique := slices.Compact(first); len(unique) != 4 || unique[0] < leastStart {
		t.Errorf("starts take %v", first)
	}
}

func TestEndWithinGrace(t *testing.T) {
	for _, c := range []struct {
		grace time.Duration
		code  int32
		want  []string
	}{
		{30 * time.Second, 0, []string{"0s: Running", "5s: Succeeded"}},
		{2 * time.Second, exitKilled, []string{"0s: Running", "2s: Failed"}},
	} {
		onANode(t, hollow.ShardConfig{ContainerStop: 5 * time.Second}, func(a *alone) {
			p := a.bind(func(*corev1.Pod) {})
			time.Sleep(time.Second)
			a.do(func() { p.deleting = true; p.end(c.grace) })
			got := a.changes(10*time.Second, func() any { return p.phase() })
			if !slices.Equal(got, c.want) || p.list[0].code != c.code || !p.finished || a.addresses.Used() != 0 {
				t.Errorf("grace %v: %v, want %v; code %d, %+v", c.grace, got, c.want, p.list[0].code, p)
			}
		})
	}
}

// TestShorterGrace: a second deletion with a shorter grace ends a pod within that, and one with a longer does not matter.
func TestShorterGrace(t *testing.T) {
	for _, c := range []struct {
		grace time.Duration // of the second deletion, after two seconds
		want  string
		kills int
	}{
		{3 * time.Second, "5s: Failed", 2},
		{0, "3s: Failed", 2},
		{40 * time.Second, "20s: Succeeded", 1},
	} {
		onANode(t, hollow.ShardConfig{ContainerStop: 20 * time.Second}, func(a *alone) {
			p := a.bind(func(*corev1.Pod) {})
			time.Sleep(time.Second)
			deleted := func(grace time.Duration) {
				a.podChanged(podChange{uid: "u", generation: 2, deleting: true, grace: grace})
			}
			a.do(func() {
				deleted(30 * time.Second)
				a.loop.After(2*time.Second, func() { deleted(c.grace) })
			})
			got := a.changes(25*time.Second, func() any { return p.phase() })
			kills := 0
			a.do(func() {
				for _, e := range a.events.queue {
					if e.Reason == "Killing" {
						kills++
					}
				}
			})
			if !slices.Equal(got, []string{"0s: Running", c.want}) || kills != c.kills || !p.finished {
				t.Errorf("grace %v: %q and told %d times, want %s and %d", c.grace, got, kills, c.want, c.kills)
			}
		})
	}
}

// TestChangedImages: a container whose image changes is started again, whatever the pod says of containers that exit.
func TestChangedImages(t *testing.T) {
	onANode(t, hollow.ShardConfig{}, func(a *alone) {
		p := a.bind(func(o *corev1.Pod) { o.Spec.RestartPolicy = corev1.RestartPolicyNever })
		time.Sleep(time.Second)
		a.changed(p, func(o *corev1.Pod) { o.Generation, o.Spec.Containers[0].Image = 2, "y" })
		time.Sleep(time.Second)
		a.do(func() {
			if c := &p.list[0]; c.state != running || c.restarts != 1 || p.phase() != corev1.PodRunning {
				t.Errorf("%+v", c)
			}
		})
	})
}

func TestMemoryPressureEvictsTheWorst(t *testing.T) {
	onANode(t, hollow.ShardConfig{}, func(a *alone) {
		pods := map[string]*pod{}
		for name, memory := range map[string]string{"modest": "1Gi", "greedy": "2Gi", "entitled": "2500Mi"} {
			pods[name] = a.bind(func(o *corev1.Pod) {
				o.Name, o.UID = name, types.UID(name)
				o.Annotations["windtunnel/memory"] = memory
				if name == "entitled" {
					o.Spec.Containers[0].Resources.Requests = corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("2500Mi")}
				}
			})
		}
		ended := func() any { return []bool{pods["modest"].terminal, pods["greedy"].terminal, pods["entitled"].terminal} }
		if got := a.changes(15*time.Second, ended); !slices.Equal(got, []string{"0s: [false false false]", "10.1s: [false true false]"}) {
			t.Errorf("ended %v", got)
		}
		var status *corev1.PodStatus
		a.do(func() { status = pods["greedy"].status() })
		if status.Phase != corev1.PodFailed || status.Reason != "Evicted" || findCondition(status.Conditions, corev1.DisruptionTarget) == nil || !a.status.pressure {
			t.Errorf("%+v", status)
		}
	})
}
