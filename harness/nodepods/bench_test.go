package nodepods_test

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"windtunnel/harness/nodepods"
	manifests "windtunnel/manifests/hollow"
	"windtunnel/profiles"
)

// BenchmarkPods measures what resourcesFor states and how long nodes need: hollow nodes of every tier in pods on a kind cluster, idle, then
// with 2 000 pods. Run it with nothing else on the machine: go test ./harness/nodepods -run '^$' -bench Pods -benchtime 1x
func BenchmarkPods(b *testing.B) {
	const load = 2000 // the controller-manager makes 20 pods a second
	for _, spec := range []profiles.HollowNodes{
		{Count: 200, PerProcess: 50},
		{Count: 1000, Tier: profiles.TierLight},
		{Count: 1000, Tier: profiles.TierLight, Fidelity: profiles.FidelityMinimal},
	} {
		b.Run(cmp.Or(spec.Fidelity, spec.Tier, profiles.TierKubelet), func(b *testing.B) {
			config, client := onKind(b)
			for b.Loop() {
				benchmarkPods(b, config, client, spec, load)
			}
		})
	}
}

func benchmarkPods(b *testing.B, config *rest.Config, client kubernetes.Interface, spec profiles.HollowNodes, load int) {
	count := float64(spec.Count)
	o := options(spec, "bench")
	o.Image, o.ExpectedPods = testImage, load
	begin := time.Now()
	p, err := nodepods.Start(b.Context(), config, o)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { p.Stop(context.Background()) })
	b.ReportMetric(time.Since(begin).Seconds(), "s/ready")
	var pids []int
	for _, c := range p.Components() {
		if c.PID == 0 {
			b.Fatal("the pods' processes cannot be seen")
		}
		pids = append(pids, c.PID)
	}
	time.Sleep(20 * time.Second) // the start's work is over
	cpu, at := cpuOf(b, pids), time.Now()
	time.Sleep(40 * time.Second)
	b.ReportMetric(1000*(cpuOf(b, pids)-cpu)/time.Since(at).Seconds()/count, "mcpu/idle-node")
	b.ReportMetric(groupsOf(b, pids)/count/1e6, "MB/idle-node")
	cpu = cpuOf(b, pids)
	begin = time.Now()
	deploy(b, client, int32(load))
	b.ReportMetric(time.Since(begin).Seconds(), "s/pods")
	b.ReportMetric(1000*(cpuOf(b, pids)-cpu)/float64(load), "cpu-ms/pod")
	b.ReportMetric(groupsOf(b, pids)/float64(len(pids))/1e6, "MB/loaded-pod")
	undeploy(b, client)
	begin = time.Now()
	if err := p.Stop(context.Background()); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(time.Since(begin).Seconds(), "s/removed")
	eventually(b, "the namespace has gone", func() bool {
		_, err := client.CoreV1().Namespaces().Get(context.Background(), manifests.Namespace, metav1.GetOptions{})
		return apierrors.IsNotFound(err)
	})
}

// cpuOf is the CPU time of processes, in seconds.
func cpuOf(b *testing.B, pids []int) (sum float64) {
	b.Helper()
	for _, pid := range pids {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			b.Fatal(err)
		}
		fields := strings.Fields(string(text)[strings.LastIndex(string(text), ")")+1:])
		for _, f := range fields[11:13] { // utime and stime
			ticks, err := strconv.ParseFloat(f, 64)
			if err != nil {
				b.Fatal(err)
			}
			sum += ticks / 100
		}
	}
	return sum
}

// groupsOf is the memory that the control groups of processes are charged for, in bytes: what a limit is held against, files in memory included.
func groupsOf(b *testing.B, pids []int) (sum float64) {
	b.Helper()
	for _, pid := range pids {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", pid))
		if err != nil {
			b.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
			file := ""
			switch parts[1] {
			case "memory":
				file = filepath.Join("/sys/fs/cgroup/memory", parts[2], "memory.usage_in_bytes")
			case "":
				file = filepath.Join("/sys/fs/cgroup", parts[2], "memory.current")
			}
			if used, err := os.ReadFile(file); err == nil {
				n, err := strconv.ParseFloat(strings.TrimSpace(string(used)), 64)
				if err != nil {
					b.Fatal(err)
				}
				sum += n
				break
			}
		}
	}
	return sum
}
