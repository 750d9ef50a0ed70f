package nodes_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"windtunnel/harness/nodes"
	"windtunnel/hollow"
	"windtunnel/profiles"
	"windtunnel/results"
)

// BenchmarkTurnover makes 30 000 pods on 1 000 light nodes, lets them run and deletes them, and reports what the process has of memory and
// goroutines before, with and after them: `.ci/bench light-pods`.
func BenchmarkTurnover(b *testing.B) {
	for _, fidelity := range []string{profiles.FidelityMinimal, profiles.FidelityKubelet} {
		b.Run(fidelity, func(b *testing.B) {
			for range b.N {
				t := startTurnover(b, fidelity, 1000, 100, 300)
				t.each = 10 // a small round first, for what is made once and kept
				t.round(b, func() {})
				t.each = 300
				time.Sleep(30 * time.Second) // what the start leaves is collected
				t.look(b).report(b, "before")
				running, deleted := t.round(b, func() { t.look(b).report(b, "running") })
				b.ReportMetric(running.Seconds(), "s/running")
				b.ReportMetric(deleted.Seconds(), "s/deleted")
				time.Sleep(30 * time.Second)
				t.look(b).report(b, "after")
			}
		})
	}
}

// TestTurnoverLeavesNothing: pods that were made, ran and were deleted leave no memory and no goroutine in the process of light nodes. What
// maps and queues once had room for they keep, so rounds are compared with one another.
func TestTurnoverLeavesNothing(t *testing.T) {
	const pods = 300
	for _, fidelity := range []string{profiles.FidelityMinimal, profiles.FidelityKubelet} {
		t.Run(fidelity, func(t *testing.T) {
			all := startTurnover(t, fidelity, 20, 3, pods/3)
			all.round(t, func() {})
			all.round(t, func() {})
			before := all.look(t)
			all.round(t, func() {})
			// A lease, an event or an answer under way is no leak, and goes; a leak stays, however long one looks.
			const leak = 200 // bytes a pod: less than what is known of one, and more than what the heap varies by
			var after had
			for range 30 {
				time.Sleep(time.Second)
				if after = all.look(t); after.heap-before.heap <= leak*pods && after.goroutines <= before.goroutines {
					break
				}
			}
			t.Logf("before the last round %+v, after it %+v", before, after)
			if grown := after.heap - before.heap; grown > leak*pods {
				t.Errorf("%d pods left %.0f bytes", pods, grown)
			}
			if after.goroutines > before.goroutines {
				t.Errorf("%g goroutines, %g before", after.goroutines, before.goroutines)
			}
		})
	}
}

// turnover is light nodes, and Deployments that are made on them and deleted.
type turnover struct {
	client      kubernetes.Interface
	shard       *hollow.Client
	pid         int
	namespace   string
	deployments int
	each        int32
	rounds      int
}

// startTurnover starts the nodes. A round is of that many Deployments with so many pods each.
func startTurnover(tb testing.TB, fidelity string, count, deployments int, each int32) *turnover {
	client := peersClient(tb)
	p, err := nodes.Start(tb.Context(), suite.SharedSupervisor(tb), suite.Shared(tb), nodes.Options{
		Spec:         profiles.HollowNodes{Count: count, Tier: profiles.TierLight, Fidelity: fidelity, NamePrefix: "turn-" + fidelity + "-"},
		ExpectedPods: deployments * int(each), KubeBinary: suite.Kube(tb), LogDir: tb.TempDir(), Clock: results.NewClock(),
	})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := p.Stop(context.Background()); err != nil {
			tb.Error(err)
		}
		deleteNodes(tb, client)
	})
	own := p.Components()[0]
	shard := hollow.NewClient(filepath.Join(suite.SharedSupervisor(tb).Dirs().Memory, own.Name+".sock"))
	return &turnover{client: client, shard: shard, pid: own.PID, namespace: "turn-" + fidelity, deployments: deployments, each: each}
}

// round makes the pods, does something while they run, and deletes them. It returns how long it took until all ran and until all had gone.
func (t *turnover) round(tb testing.TB, while func()) (running, deleted time.Duration) {
	tb.Helper()
	t.rounds++
	namespaces, name := t.client.CoreV1().Namespaces(), fmt.Sprintf("%s-%d", t.namespace, t.rounds)
	if _, err := namespaces.Create(tb.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}, metav1.CreateOptions{}); err != nil {
		tb.Fatal(err)
	}
	begin := time.Now()
	for i := range t.deployments {
		d := peerDeployment(i)
		*d.Spec.Replicas = t.each
		if _, err := t.client.AppsV1().Deployments(name).Create(tb.Context(), d, metav1.CreateOptions{}); err != nil {
			tb.Fatal(err)
		}
	}
	await(tb, "all pods run", func() bool { return availablePods(tb, t.client, name) == int32(t.deployments)*t.each })
	running = time.Since(begin)
	while()
	begin = time.Now()
	background := metav1.DeleteOptions{PropagationPolicy: new(metav1.DeletePropagationBackground)}
	if err := t.client.AppsV1().Deployments(name).DeleteCollection(tb.Context(), background, metav1.ListOptions{}); err != nil {
		tb.Fatal(err)
	}
	await(tb, "all pods are gone", func() bool { return podsLeft(tb, t.client, name) == 0 })
	deleted = time.Since(begin)
	if err := namespaces.Delete(tb.Context(), name, metav1.DeleteOptions{}); err != nil {
		tb.Fatal(err)
	}
	return running, deleted
}

// had is what a process has: its goroutines, the live bytes of its heap, and its part of memory in bytes.
type had struct{ goroutines, heap, pss float64 }

func (t *turnover) look(tb testing.TB) had {
	tb.Helper()
	goroutines, heap := runtimeOf(tb, t.shard)
	return had{goroutines, heap, pssOf(tb, t.pid)}
}

func (h had) report(b *testing.B, when string) {
	b.ReportMetric(h.goroutines, "goroutines/"+when)
	b.ReportMetric(h.heap/1e6, "heap-MB/"+when)
	b.ReportMetric(h.pss/1e6, "PSS-MB/"+when)
}

var heapLive = regexp.MustCompile(`# HeapAlloc = (\d+)`)

// runtimeOf asks a shard's Go runtime, for its goroutines and, after a collection, the live bytes of its heap.
func runtimeOf(b testing.TB, shard *hollow.Client) (goroutines, heap float64) {
	b.Helper()
	client := http.Client{Transport: shard.Transport()}
	profile := func(name string) string {
		resp, err := client.Get("http://shard" + hollow.PathProfiles + name)
		if err != nil {
			b.Fatal(err)
		}
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != http.StatusOK {
			b.Fatalf("%s: %d %v", name, resp.StatusCode, err)
		}
		return string(text)
	}
	profile("heap?gc=1") // what pools hold back goes with the second collection
	found := heapLive.FindStringSubmatch(profile("heap?gc=1&debug=1"))
	if found == nil {
		b.Fatal("the heap's profile does not name HeapAlloc")
	}
	heap, err := strconv.ParseFloat(found[1], 64)
	if err != nil {
		b.Fatal(err)
	}
	if _, err := fmt.Sscanf(profile("goroutine?debug=1"), "goroutine profile: total %g", &goroutines); err != nil {
		b.Fatal(err)
	}
	return goroutines, heap
}

// peersClient is an administrator without a limit.
func peersClient(b testing.TB) *kubernetes.Clientset {
	b.Helper()
	config, err := suite.Shared(b).RESTConfig("admin", "system:masters")
	if err != nil {
		b.Fatal(err)
	}
	config.QPS = -1
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		b.Fatal(err)
	}
	return client
}
