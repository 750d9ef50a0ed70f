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

// BenchmarkTurnover makes 30 000 pods on 1 000 light nodes, lets them run and deletes them, and reports what the process has of
// memory and goroutines before, with and after them: `.ci/bench light-pods`.
func BenchmarkTurnover(b *testing.B) {
	for _, fidelity := range []string{profiles.FidelityMinimal, profiles.FidelityKubelet} {
		b.Run(fidelity, func(b *testing.B) {
			for range b.N {
				turnover(b, fidelity, 1000, 300)
			}
		})
	}
}

// turnover is the benchmark with the nodes and the pods of each of 100 Deployments.
func turnover(b *testing.B, fidelity string, count int, each int32) {
	client := peersClient(b)
	dir := b.TempDir()
	p, err := nodes.Start(b.Context(), suite.SharedSupervisor(b), suite.Shared(b), nodes.Options{
		Spec:         profiles.HollowNodes{Count: count, Tier: profiles.TierLight, Fidelity: fidelity, NamePrefix: "turn-" + fidelity + "-"},
		ExpectedPods: peerDeployments * int(each), KubeBinary: suite.Kube(b), LogDir: dir, Clock: results.NewClock(),
	})
	if err != nil {
		b.Fatal(err)
	}
	defer func() {
		if err := p.Stop(context.Background()); err != nil {
			b.Error(err)
		}
		deleteNodes(b, client)
	}()
	pid := p.Components()[0].PID
	shard := hollow.NewClient(filepath.Join(suite.SharedSupervisor(b).Dirs().Memory, p.Components()[0].Name+".sock"))
	look := func(when string) {
		goroutines, heap := runtimeOf(b, shard)
		b.ReportMetric(goroutines, "goroutines/"+when)
		b.ReportMetric(heap/1e6, "heap-MB/"+when)
		b.ReportMetric(pssOf(b, pid)/1e6, "PSS-MB/"+when)
	}
	time.Sleep(30 * time.Second) // what a start leaves is collected
	look("before")

	namespace := "turn-" + fidelity
	if _, err := client.CoreV1().Namespaces().Create(b.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}}, metav1.CreateOptions{}); err != nil {
		b.Fatal(err)
	}
	begin := time.Now()
	for i := range peerDeployments {
		d := peerDeployment(i)
		*d.Spec.Replicas = each
		if _, err := client.AppsV1().Deployments(namespace).Create(b.Context(), d, metav1.CreateOptions{}); err != nil {
			b.Fatal(err)
		}
	}
	await(b, "all pods run", func() bool { return availablePods(b, client, namespace) == peerDeployments*each })
	b.ReportMetric(time.Since(begin).Seconds(), "s/running")
	look("running")

	begin = time.Now()
	if err := client.CoreV1().Namespaces().Delete(b.Context(), namespace, metav1.DeleteOptions{}); err != nil {
		b.Fatal(err)
	}
	await(b, "the namespace is gone", func() bool {
		_, err := client.CoreV1().Namespaces().Get(b.Context(), namespace, metav1.GetOptions{})
		return err != nil
	})
	b.ReportMetric(time.Since(begin).Seconds(), "s/deleted")
	time.Sleep(30 * time.Second)
	look("after")
}

var heapInUse = regexp.MustCompile(`# HeapInuse = (\d+)`)

// runtimeOf asks a shard's Go runtime, after a collection, for its goroutines and the bytes of its heap in use.
func runtimeOf(b *testing.B, shard *hollow.Client) (goroutines, heap float64) {
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
	found := heapInUse.FindStringSubmatch(profile("heap?gc=1&debug=1"))
	if found == nil {
		b.Fatal("the heap's profile does not name HeapInuse")
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
func peersClient(b *testing.B) *kubernetes.Clientset {
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
