package cri

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"
	"k8s.io/kubelet/pkg/types"

	"windtunnel/hollow/ipam"
)

func podConfig(name string) *runtimeapi.PodSandboxConfig {
	return &runtimeapi.PodSandboxConfig{
		Metadata:     &runtimeapi.PodSandboxMetadata{Name: name, Namespace: "ns", Uid: "uid-" + name},
		Labels:       map[string]string{types.KubernetesPodUIDLabel: "uid-" + name, "windtunnel/object": "web"},
		LogDirectory: "/logs/" + name,
	}
}

func containerConfig(name, pod string) *runtimeapi.ContainerConfig {
	return &runtimeapi.ContainerConfig{
		Metadata: &runtimeapi.ContainerMetadata{Name: name},
		Image:    &runtimeapi.ImageSpec{Image: "example.com/pause:1"},
		Labels:   map[string]string{types.KubernetesPodUIDLabel: "uid-" + pod, types.KubernetesContainerNameLabel: name},
		LogPath:  name + "/0.log",
	}
}

// ready returns a runtime whose network is ready.
func ready(t testing.TB, options Options, cidr string) *Runtime {
	t.Helper()
	r := New(options)
	update(t, r, cidr)
	return r
}

func update(t testing.TB, r *Runtime, cidr string) {
	t.Helper()
	if err := r.UpdateRuntimeConfig(t.Context(), &runtimeapi.RuntimeConfig{NetworkConfig: &runtimeapi.NetworkConfig{PodCidr: cidr}}); err != nil {
		t.Fatal(err)
	}
}

// pod starts a pod with one container and returns the identifiers of both.
func pod(t testing.TB, r *Runtime, name string) (sandbox, container string) {
	t.Helper()
	config := podConfig(name)
	sandbox, err := r.RunPodSandbox(t.Context(), config, "")
	if err != nil {
		t.Fatal(err)
	}
	container, err = r.CreateContainer(t.Context(), sandbox, containerConfig("c", name), config)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.StartContainer(t.Context(), container); err != nil {
		t.Fatal(err)
	}
	return sandbox, container
}

func address(t testing.TB, r *Runtime, sandbox string) string {
	t.Helper()
	status, err := r.PodSandboxStatus(t.Context(), sandbox, false)
	if err != nil {
		t.Fatal(err)
	}
	return status.GetStatus().GetNetwork().GetIp()
}

func TestNetworkIsReadyWithThePodCIDR(t *testing.T) {
	r := New(Options{})
	network := func() bool {
		status, err := r.Status(t.Context(), false)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range status.GetStatus().GetConditions() {
			if c.GetType() == runtimeapi.NetworkReady {
				return c.GetStatus()
			}
			if !c.GetStatus() {
				t.Fatalf("%s is false", c.GetType())
			}
		}
		t.Fatal("no condition NetworkReady")
		return false
	}
	if network() {
		t.Error("the network is ready without a pod CIDR")
	}
	if _, err := r.RunPodSandbox(t.Context(), podConfig("early"), ""); err == nil {
		t.Error("a pod got a sandbox without a network")
	}
	update(t, r, "")
	if network() {
		t.Error("the network is ready after an empty pod CIDR")
	}
	update(t, r, "10.1.2.0/24")
	if !network() {
		t.Error("the network is not ready with a pod CIDR")
	}
}

func TestPodCIDRCannotChangeUnderPods(t *testing.T) {
	r := ready(t, Options{}, "10.1.2.0/24")
	update(t, r, "10.1.3.0/24") // no pods yet
	sandbox, _ := pod(t, r, "p")
	if got := address(t, r, sandbox); got != "10.1.3.2" {
		t.Errorf("address %s, want the first of the second CIDR, 10.1.3.2", got)
	}
	update(t, r, "10.1.3.0/24") // the same again
	err := r.UpdateRuntimeConfig(t.Context(), &runtimeapi.RuntimeConfig{NetworkConfig: &runtimeapi.NetworkConfig{PodCidr: "10.9.0.0/24"}})
	if err == nil {
		t.Error("the pod CIDR was changed under a pod")
	}
}

func TestAddressesAreUniqueAndComeBack(t *testing.T) {
	r := ready(t, Options{}, "10.1.2.0/29") // .2 to .6 for pods
	prefix := netip.MustParsePrefix("10.1.2.0/29")
	var sandboxes []string
	seen := make(map[string]bool)
	for i := range 5 {
		sandbox, _ := pod(t, r, fmt.Sprint("p", i))
		got := address(t, r, sandbox)
		if seen[got] || !prefix.Contains(netip.MustParseAddr(got)) {
			t.Errorf("pod %d got %q after %v", i, got, seen)
		}
		seen[got] = true
		sandboxes = append(sandboxes, sandbox)
	}
	if _, err := r.RunPodSandbox(t.Context(), podConfig("sixth"), ""); !errors.Is(err, ipam.ErrNoAddress) {
		t.Errorf("sixth pod of five addresses: %v, want %v", err, ipam.ErrNoAddress)
	}
	if err := r.StopPodSandbox(t.Context(), sandboxes[3]); err != nil {
		t.Fatal(err)
	}
	if got := address(t, r, sandboxes[3]); got != "" {
		t.Errorf("a stopped pod has the address %s", got)
	}
	sandbox, _ := pod(t, r, "again")
	if got := address(t, r, sandbox); got != "10.1.2.5" {
		t.Errorf("address %s, want the one that came back, 10.1.2.5", got)
	}
}

func TestPodsOnTheHostsNetworkTakeNoAddress(t *testing.T) {
	r := ready(t, Options{}, "10.1.2.0/30") // one address
	config := podConfig("host")
	config.Linux = &runtimeapi.LinuxPodSandboxConfig{SecurityContext: &runtimeapi.LinuxSandboxSecurityContext{
		NamespaceOptions: &runtimeapi.NamespaceOption{Network: runtimeapi.NamespaceMode_NODE},
	}}
	sandbox, err := r.RunPodSandbox(t.Context(), config, "")
	if err != nil {
		t.Fatal(err)
	}
	if got := address(t, r, sandbox); got != "" {
		t.Errorf("address %s", got)
	}
	pod(t, r, "other") // the address is still there
}

func TestLatencies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := ready(t, Options{SandboxStart: 2 * time.Second, ContainerStart: 3 * time.Second}, "10.1.0.0/24")
		begin := time.Now()
		pod(t, r, "p")
		if took := time.Since(begin); took != 5*time.Second {
			t.Errorf("sandbox and container took %s to start, want 5s", took)
		}
	})
}

// TestContainerWaitsForTheReport: see Reports.
func TestContainerWaitsForTheReport(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reports := NewReports()
		r := ready(t, Options{Reports: reports}, "10.1.0.0/24")
		// start makes a pod, calls then once its sandbox is there, and returns how long its container took to start.
		start := func(name string, then func(report func())) time.Duration {
			t.Helper()
			config := podConfig(name)
			sandbox, err := r.RunPodSandbox(t.Context(), config, "")
			if err != nil {
				t.Fatal(err)
			}
			then(func() { reports.Reported(config.GetMetadata().GetUid()) })
			container, err := r.CreateContainer(t.Context(), sandbox, containerConfig("c", name), config)
			if err != nil {
				t.Fatal(err)
			}
			begin := time.Now()
			if err := r.StartContainer(t.Context(), container); err != nil {
				t.Fatal(err)
			}
			return time.Since(begin)
		}
		if took := start("early", func(report func()) { report() }); took != 0 {
			t.Errorf("a container that was reported before took %s to start", took)
		}
		if took := start("late", func(report func()) { time.AfterFunc(time.Second, report) }); took != time.Second {
			t.Errorf("a container that was reported after 1s took %s to start", took)
		}
		if took := start("never", func(func()) {}); took != reportTimeout {
			t.Errorf("without a report a container took %s to start, want %s", took, reportTimeout)
		}
		if len(reports.pending) != 0 {
			t.Errorf("still waiting for %v", reports.pending)
		}
	})
}

func TestCancelledSandboxGivesItsAddressBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := ready(t, Options{SandboxStart: time.Minute}, "10.1.0.0/30")
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := r.RunPodSandbox(ctx, podConfig("p"), ""); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("got %v, want %v", err, context.DeadlineExceeded)
		}
		if used := r.addresses.Used(); used != 0 {
			t.Errorf("%d addresses are in use", used)
		}
	})
}

func TestStopRespectsTheGracePeriod(t *testing.T) {
	for _, c := range []struct {
		name     string
		stop     time.Duration
		grace    int64
		wantTook time.Duration
		wantCode int32
	}{
		{"ends by itself", 5 * time.Second, 30, 5 * time.Second, exitOK},
		{"is killed", 5 * time.Second, 2, 2 * time.Second, exitKilled},
		{"is killed at once", 5 * time.Second, 0, 0, exitKilled},
		{"takes no time", 0, 30, 0, exitOK},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := ready(t, Options{ContainerStop: c.stop}, "10.1.0.0/24")
				_, id := pod(t, r, "p")
				begin := time.Now()
				if err := r.StopContainer(t.Context(), id, c.grace); err != nil {
					t.Fatal(err)
				}
				if took := time.Since(begin); took != c.wantTook {
					t.Errorf("took %s, want %s", took, c.wantTook)
				}
				status, err := r.ContainerStatus(t.Context(), id, false)
				if err != nil {
					t.Fatal(err)
				}
				got := status.GetStatus()
				if got.GetState() != runtimeapi.ContainerState_CONTAINER_EXITED || got.GetExitCode() != c.wantCode {
					t.Errorf("%s with exit code %d, want exited with %d", got.GetState(), got.GetExitCode(), c.wantCode)
				}
				if finished := time.Unix(0, got.GetFinishedAt()); !finished.Equal(begin.Add(c.wantTook)) {
					t.Errorf("finished at %s, want %s", finished, begin.Add(c.wantTook))
				}
			})
		})
	}
}

func TestSecondStopShortensTheGracePeriod(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := ready(t, Options{ContainerStop: time.Hour}, "10.1.0.0/24")
		_, id := pod(t, r, "p")
		begin := time.Now()
		var took [2]time.Duration
		var wait sync.WaitGroup
		wait.Go(func() {
			if err := r.StopContainer(t.Context(), id, 600); err != nil {
				t.Error(err)
			}
			took[0] = time.Since(begin)
		})
		time.Sleep(time.Second)
		wait.Go(func() {
			if err := r.StopContainer(t.Context(), id, 4); err != nil {
				t.Error(err)
			}
			took[1] = time.Since(begin)
		})
		wait.Wait()
		if want := 5 * time.Second; took[0] != want || took[1] != want {
			t.Errorf("the stops took %v, want both %s", took, want)
		}
	})
}

func TestEventsComeOnceAndAtTheirInstant(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var events []Event
		observe := func(e Event) {
			mu.Lock()
			defer mu.Unlock()
			events = append(events, e)
		}
		r := ready(t, Options{ContainerStart: time.Second, ContainerStop: 2 * time.Second, Observe: observe}, "10.1.0.0/24")
		begin := time.Now()
		sandbox, id := pod(t, r, "p")
		for range 2 {
			if err := r.StopContainer(t.Context(), id, 30); err != nil {
				t.Fatal(err)
			}
			if err := r.StopPodSandbox(t.Context(), sandbox); err != nil {
				t.Fatal(err)
			}
			if err := r.RemoveContainer(t.Context(), id); err != nil {
				t.Fatal(err)
			}
			if err := r.RemovePodSandbox(t.Context(), sandbox); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait() // the end of a container is told from its timer
		mu.Lock()
		defer mu.Unlock()
		synctest.Wait() // a stop is told after its waiters have gone on
		if len(events) != 2 {
			t.Fatalf("%d events, want a start and a stop: %+v", len(events), events)
		}
		for i, want := range []Event{{Kind: Started, At: begin.Add(time.Second)}, {Kind: Stopped, At: begin.Add(3 * time.Second)}} {
			got := events[i]
			if got.Kind != want.Kind || !got.At.Equal(want.At) || got.Namespace != "ns" || got.Pod != "p" || got.UID != "uid-p" ||
				got.Container != "c" || got.Labels["windtunnel/object"] != "web" {
				t.Errorf("event %d: %+v, want %s of ns/p at %s", i, got, want.Kind, want.At)
			}
		}
	})
}

func TestStoppingASandboxKillsItsContainers(t *testing.T) {
	var events []Event
	r := ready(t, Options{ContainerStop: time.Hour, Observe: func(e Event) { events = append(events, e) }}, "10.1.0.0/24")
	sandbox, id := pod(t, r, "p")
	if err := r.StopPodSandbox(t.Context(), sandbox); err != nil {
		t.Fatal(err)
	}
	status, err := r.ContainerStatus(t.Context(), id, false)
	if err != nil {
		t.Fatal(err)
	}
	if got := status.GetStatus().GetExitCode(); got != exitKilled {
		t.Errorf("exit code %d, want %d", got, exitKilled)
	}
	if len(events) != 2 || events[1].Kind != Stopped {
		t.Errorf("events %+v, want a start and a stop", events)
	}
	if err := r.StartContainer(t.Context(), id); err == nil {
		t.Error("an exited container was started")
	}
	if _, err := r.CreateContainer(t.Context(), sandbox, containerConfig("late", "p"), podConfig("p")); err == nil {
		t.Error("a stopped sandbox took a container")
	}
}

func TestFilters(t *testing.T) {
	r := ready(t, Options{}, "10.1.0.0/24")
	firstSandbox, first := pod(t, r, "first")
	_, second := pod(t, r, "second")
	if err := r.StopContainer(t.Context(), second, 0); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		filter *runtimeapi.ContainerFilter
		want   []string
	}{
		{"nil", nil, []string{first, second}},
		{"id", &runtimeapi.ContainerFilter{Id: second}, []string{second}},
		{"sandbox", &runtimeapi.ContainerFilter{PodSandboxId: firstSandbox}, []string{first}},
		{"no such sandbox", &runtimeapi.ContainerFilter{PodSandboxId: "x"}, nil},
		{"running", &runtimeapi.ContainerFilter{State: &runtimeapi.ContainerStateValue{State: runtimeapi.ContainerState_CONTAINER_RUNNING}}, []string{first}},
		{"pod", &runtimeapi.ContainerFilter{LabelSelector: map[string]string{types.KubernetesPodUIDLabel: "uid-second"}}, []string{second}},
		{"pod and other label", &runtimeapi.ContainerFilter{LabelSelector: map[string]string{types.KubernetesPodUIDLabel: "uid-second", types.KubernetesContainerNameLabel: "d"}}, nil},
		{"label", &runtimeapi.ContainerFilter{LabelSelector: map[string]string{types.KubernetesContainerNameLabel: "c"}}, []string{first, second}},
	} {
		got, err := r.ListContainers(t.Context(), c.filter)
		if err != nil {
			t.Fatal(err)
		}
		ids := make(map[string]bool)
		for _, container := range got {
			ids[container.GetId()] = true
		}
		if len(ids) != len(c.want) {
			t.Errorf("%s: %d containers, want %d", c.name, len(ids), len(c.want))
		}
		for _, id := range c.want {
			if !ids[id] {
				t.Errorf("%s: %s is missing", c.name, id)
			}
		}
	}
	sandboxes, err := r.ListPodSandbox(t.Context(), &runtimeapi.PodSandboxFilter{LabelSelector: map[string]string{types.KubernetesPodUIDLabel: "uid-first"}})
	if err != nil {
		t.Fatal(err)
	}
	if len(sandboxes) != 1 || sandboxes[0].GetId() != firstSandbox {
		t.Errorf("sandboxes of the first pod: %v", sandboxes)
	}
	stats, err := r.ListContainerStats(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(stats) != 1 || stats[0].GetAttributes().GetId() != first {
		t.Errorf("stats of %d containers, want of the running one", len(stats))
	}
}

// TestIdleListsCostLittle: the kubelet lists once a second and node.
func TestIdleListsCostLittle(t *testing.T) { synctest.Test(t, testIdleLists) }

func testIdleLists(t *testing.T) {
	r := ready(t, Options{}, "10.1.0.0/24")
	for i := range 30 {
		pod(t, r, fmt.Sprint("p", i))
	}
	ctx := t.Context()
	perRun := testing.AllocsPerRun(100, func() {
		r.ListPodSandbox(ctx, nil)
		r.ListContainers(ctx, nil)
		r.Status(ctx, false)
	})
	if perRun > 2 {
		t.Errorf("%.0f allocations, want one slice a list", perRun)
	}
}

func TestNothingIsLeftOf10000Pods(t *testing.T) { synctest.Test(t, testNothingIsLeft) }

func testNothingIsLeft(t *testing.T) {
	events := 0
	r := ready(t, Options{Observe: func(Event) { events++ }}, "10.1.0.0/24")
	run := func(count int) {
		for i := range count {
			sandbox, id := pod(t, r, fmt.Sprint("p", i))
			if err := r.StopContainer(t.Context(), id, 30); err != nil {
				t.Fatal(err)
			}
			if err := r.StopPodSandbox(t.Context(), sandbox); err != nil {
				t.Fatal(err)
			}
			if err := r.RemovePodSandbox(t.Context(), sandbox); err != nil {
				t.Fatal(err)
			}
		}
	}
	heap := func() uint64 {
		runtime.GC()
		var stats runtime.MemStats
		runtime.ReadMemStats(&stats)
		return stats.HeapAlloc
	}
	run(100)
	before := heap()
	run(10_000)
	if after := heap(); after > before+64<<10 {
		t.Errorf("the heap grew from %d to %d bytes", before, after)
	}
	if len(r.sandboxes)+len(r.containers)+len(r.pods)+r.addresses.Used() != 0 {
		t.Errorf("left: %d sandboxes, %d containers, %d pods, %d addresses", len(r.sandboxes), len(r.containers), len(r.pods), r.addresses.Used())
	}
	if events != 2*10_100 {
		t.Errorf("%d events, want %d", events, 2*10_100)
	}
	runtime.KeepAlive(r)
}

func TestConcurrentPods(t *testing.T) {
	var mu sync.Mutex
	seen := make(map[string]string)
	r := ready(t, Options{ContainerStop: time.Millisecond}, "10.1.0.0/24")
	var wait sync.WaitGroup
	for worker := range 8 {
		wait.Go(func() {
			for i := range 50 {
				name := fmt.Sprintf("p%d-%d", worker, i)
				sandbox, id := pod(t, r, name)
				ip := address(t, r, sandbox)
				mu.Lock()
				if other := seen[ip]; other != "" {
					t.Errorf("%s and %s both have %s", name, other, ip)
				}
				seen[ip] = name
				mu.Unlock()
				r.ListContainers(t.Context(), nil)
				mu.Lock()
				delete(seen, ip)
				mu.Unlock()
				r.StopContainer(t.Context(), id, 30)
				r.RemovePodSandbox(t.Context(), sandbox)
			}
		})
	}
	wait.Wait()
}

func TestImages(t *testing.T) {
	images := NewImages()
	spec := &runtimeapi.ImageSpec{Image: "example.com/a:1"}
	status := func() *runtimeapi.Image {
		answer, err := images.ImageStatus(t.Context(), spec, false)
		if err != nil {
			t.Fatal(err)
		}
		return answer.GetImage()
	}
	if status() != nil {
		t.Error("the image is there before it was pulled")
	}
	var ref string
	for range 2 {
		var err error
		if ref, err = images.PullImage(t.Context(), spec, nil, nil); err != nil {
			t.Fatal(err)
		}
	}
	if got := status(); got.GetId() != ref || got.GetSize() == 0 {
		t.Errorf("status %v, want image %s", got, ref)
	}
	if all, _ := images.ListImages(t.Context(), nil); len(all) != 1 {
		t.Errorf("%d images after two pulls of one", len(all))
	}
	if err := images.RemoveImage(t.Context(), &runtimeapi.ImageSpec{Image: ref}); err != nil {
		t.Fatal(err)
	}
	if status() != nil {
		t.Error("the image is there after it was removed by its identifier")
	}
}
