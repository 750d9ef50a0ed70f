package cli

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"windtunnel/results"
)

// BenchmarkReport measures `windtunnel report` of a run of ten million requests in an hour, from the start of the process to its
// end, all files written. WINDTUNNEL names the binary.
func BenchmarkReport(b *testing.B) {
	const n = 10_000_000
	binary := os.Getenv("WINDTUNNEL")
	if binary == "" {
		b.Skip("WINDTUNNEL names no binary to measure")
	}
	root := b.TempDir()
	dir, err := writeLongRun(root, n)
	if err != nil {
		b.Fatal(err)
	}
	b.ResetTimer()
	for range b.N {
		cmd := exec.Command(binary, "report", dir.Path(), "-o", "json")
		cmd.Stderr = os.Stderr
		begin := time.Now()
		// The verdict of this run is not pass: exit code 4.
		if err := cmd.Run(); err != nil && cmd.ProcessState.ExitCode() != codeInvalid {
			b.Fatal(err)
		}
		b.ReportMetric(time.Since(begin).Seconds(), "s")
		usage := cmd.ProcessState.SysUsage().(*syscall.Rusage)
		b.ReportMetric(float64(usage.Maxrss)/1024, "MiB-peak")
		b.ReportMetric(cmd.ProcessState.UserTime().Seconds()+cmd.ProcessState.SystemTime().Seconds(), "cpu-s")
	}
}

// writeLongRun makes a run of an hour with n requests of 48 kinds, whose latencies are lognormal and rise with the load, and
// 20 000 pods.
func writeLongRun(root string, n int) (*results.Dir, error) {
	const sec = int64(1e9)
	dir, err := results.Create(root, "long", time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
	if err != nil {
		return nil, err
	}
	run := results.Run{Format: results.FormatVersion, ID: dir.ID(), Name: "long", Seed: 1, Provider: "embedded", Outcome: "completed",
		Started: "2026-01-02T03:04:05Z", Ended: "2026-01-02T04:05:05Z", Machine: results.Machine{Cores: 2, CPU: "test"},
		Profile: json.RawMessage(`{"name":"long","hollowNodes":{"count":0}}`),
		Phases:  []results.PhaseSpan{{Name: "boot", End: 10 * sec, Outcome: "ok"}, {Name: "day", Begin: 10 * sec, End: 3610 * sec, Measured: true, Outcome: "ok"}}}
	if err := dir.WriteRun(run); err != nil {
		return nil, err
	}
	if err := writeLongRequests(dir.Path(results.RequestsFile), n); err != nil {
		return nil, err
	}
	pods, err := results.NewWriter[results.PodEvent](dir.Path(results.PodsFile))
	if err != nil {
		return nil, err
	}
	for i := range int64(20_000) {
		at := 10*sec + i*sec/6
		e := results.PodEvent{Source: "watch", Namespace: "load", Name: fmt.Sprintf("pod-%d", i), UID: fmt.Sprintf("00000000-0000-4000-8000-%012d", i), Object: "web", Phase: "day"}
		for j, event := range []string{"created", "scheduled", "running"} {
			e.At, e.Event = at+int64(j)*sec/3, event
			pods.Append(e)
		}
	}
	if err := pods.Close(); err != nil {
		return nil, err
	}
	processes, err := results.NewWriter[results.ProcessSample](dir.Path(results.ProcessesFile))
	if err != nil {
		return nil, err
	}
	for t := range int64(3610) {
		for i, name := range []string{"etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "windtunnel"} {
			processes.Append(results.ProcessSample{At: t * sec, Component: name, PID: int32(i + 1), CPUSeconds: float64(t) * 0.3, RSS: (100 + t) << 20, PSS: (90 + t) << 20})
		}
	}
	return dir, processes.Close()
}

func writeLongRequests(path string, n int) error {
	const sec = int64(1e9)
	w, err := results.NewWriter[results.Request](path)
	if err != nil {
		return err
	}
	random := rand.New(rand.NewPCG(1, 2))
	verbs := []string{"GET", "LIST", "POST", "PUT", "PATCH", "DELETE"}
	resources := []string{"pods", "configmaps", "secrets", "services", "nodes", "namespaces", "deployments", "endpointslices"}
	for i := range n {
		planned := 10*sec + int64(float64(i)/float64(n)*3600e9)
		latency := int64(5e6 * math.Exp(random.NormFloat64()+math.Sin(float64(i)/float64(n)*20)))
		r := results.Request{Planned: planned, Sent: planned + int64(random.IntN(2e6)), Phase: "day", Track: "users", Verb: verbs[random.IntN(len(verbs))],
			Version: "v1", Resource: resources[random.IntN(len(resources))], Scope: "resource", Code: 200, Attempt: 1, BytesIn: 1500,
			Object: fmt.Sprintf("load-%d/object-%d", random.IntN(20), random.IntN(5000)), Identity: fmt.Sprintf("windtunnel:user-%d", random.IntN(100)),
			FlowSchema: "7a1b6d2e-0000-4000-8000-000000000001", PriorityLevel: "7a1b6d2e-0000-4000-8000-000000000002", ResourceVersion: int64(i)}
		r.FirstByte = r.Sent + latency*9/10
		r.Done = r.Sent + latency
		if r.Verb == "LIST" {
			r.Scope = "namespace"
		}
		if random.IntN(1000) == 0 {
			r.Code, r.Error = 409, "conflict"
		}
		w.Append(r)
	}
	return w.Close()
}
