package paper

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"windtunnel/profiles"
	"windtunnel/results"
	"windtunnel/results/resultstest"
)

const (
	ms  = int64(time.Millisecond)
	sec = int64(time.Second)
)

// history is a made-up run: what its latencies and start-ups are is known.
type history struct {
	run      results.Run
	profile  profiles.Profile
	requests []results.Request
	pods     []results.PodEvent
	hollow   []results.PodEvent
	random   *rand.Rand
}

// measured phases last 120 s, from 10 s on.
const phaseBegin, phaseEnd = 10 * sec, 130 * sec

func newHistory(name string) *history {
	return &history{random: rand.New(rand.NewPCG(7, 11)),
		run: results.Run{Format: results.FormatVersion, ID: name, Name: name, Seed: 5, Provider: "embedded", Started: "2026-01-02T03:04:05Z", Ended: "2026-01-02T03:06:25Z",
			Outcome: "completed", Versions: map[string]string{"kubernetes": "v1.36.3", "windtunnel": "0.1.0", "gitCommit": "0123456789ab"},
			Machine: results.Machine{OS: "linux/amd64", Kernel: "6.1", CPU: "Made_up & 100 %", Cores: 2, MemoryBytes: 8 << 30, Filesystem: "ext4"},
			Command: []string{"/opt/bin/windtunnel", "run", "-f", "/home/somebody/my profile.yaml", "-o", "json"},
			Limits:  map[string]float64{"kube-scheduler qps": 100},
			Phases:  []results.PhaseSpan{{Name: "prepare", End: phaseBegin, Outcome: "ok"}, {Name: "workload", Begin: phaseBegin, End: phaseEnd, Measured: true, Outcome: "ok"}}},
		profile: profiles.Profile{Name: name, Description: "Made up: 50 % of $nothing_much, with #hashes & {braces} \\ ~tildes^.",
			HollowNodes: profiles.HollowNodes{Count: 10}, SLO: profiles.SLO{PodStartup: "web", MinSamples: 299}}}
}

// call adds n requests of a kind at even distances whose latencies are even quantiles of the given distribution in seconds, in
// random order.
func (h *history) call(verb, resource, scope string, n int, quantile func(p float64) float64) {
	order := h.random.Perm(n)
	for i := range n {
		at := phaseBegin + (phaseEnd-phaseBegin)*int64(i)/int64(n)
		done := at + int64(quantile((float64(order[i])+0.5)/float64(n))*1e9)
		h.requests = append(h.requests, results.Request{Planned: at, Sent: at, FirstByte: done, Done: done, Phase: "workload", Verb: verb, Version: "v1",
			Resource: resource, Scope: scope, Code: 200, Attempt: 1})
	}
}

// pod adds the start-up of a pod of the template web by its stages in seconds.
func (h *history) pod(i int, schedule, run, observe float64) {
	at := phaseBegin + int64(i)*100*ms
	uid := fmt.Sprintf("uid-%d", i)
	watch := func(event string, at int64, node string) {
		h.pods = append(h.pods, results.PodEvent{At: at, Source: "watch", Event: event, Namespace: "team-0", Name: uid, UID: uid, Object: "web", Node: node, Phase: "workload"})
	}
	node := fmt.Sprintf("hollow-%d", i%10)
	ns := func(s float64) int64 { return int64(math.Round(s * 1e9)) }
	watch("created", at, "")
	watch("scheduled", at+ns(schedule), node)
	watch("running", at+ns(schedule+run+observe), node)
	h.hollow = append(h.hollow, results.PodEvent{At: at + ns(schedule+run), Source: "runtime", Event: "started", Namespace: "team-0", Name: uid, UID: uid})
}

// write puts the history on disk.
func (h *history) write(t testing.TB) *results.Dir {
	t.Helper()
	d, err := results.Create(t.TempDir(), "test", time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
	if err != nil {
		t.Fatal(err)
	}
	if h.run.Profile, err = json.Marshal(h.profile); err != nil {
		t.Fatal(err)
	}
	if err := d.WriteRun(h.run); err != nil {
		t.Fatal(err)
	}
	resultstest.Fill(t, d, results.RequestsFile, h.requests)
	resultstest.Fill(t, d, results.PodsFile, h.pods)
	resultstest.Fill(t, d, results.HollowFile(0), h.hollow)
	return d
}

// read writes the history and reads it as an experiment.
func (h *history) read(t testing.TB) *Experiment {
	t.Helper()
	e, err := Read(h.write(t))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// shape is a distribution whose p50, p90 and p99 are known and hardly depend on chance: half of its values lie within 1 % of
// p50, a fifth within 1 % of p90 and the largest within 1 % of p99.
func shape(p50, p90, p99 float64) func(float64) float64 {
	return func(p float64) float64 {
		near := 1 + (p-0.5)/50
		switch {
		case p < 0.25:
			return p50 * (0.5 + p)
		case p < 0.75:
			return p50 * near
		case p < 0.96:
			return p90 * near
		}
		return p99 * near
	}
}

// linear is a distribution with these quantiles that rises evenly between them.
func linear(p50, p90, p99 float64) func(float64) float64 {
	return func(p float64) float64 {
		switch {
		case p < 0.5:
			return p50 * (0.5 + p)
		case p < 0.9:
			return p50 + (p90-p50)*(p-0.5)/0.4
		}
		return p90 + (p99-p90)*(p-0.9)/0.09
	}
}

// agreeing is a load run in which every finding of the source holds; its latencies are all times scale.
func agreeing(scale float64) *history {
	h := newHistory("load-made-up")
	for _, verb := range []string{"GET", "LIST", "PATCH", "POST", "PUT"} {
		scope := "resource"
		if verb == "LIST" {
			scope = "namespace"
		}
		h.call(verb, "pods", scope, 2400, shape(0.005*scale, 0.010*scale, 0.030*scale))
	}
	h.call("DELETE", "pods", "resource", 2400, shape(0.0125*scale, 0.025*scale, 0.075*scale))
	h.call("GET", "configmaps", "resource", 600, shape(0.004*scale, 0.012*scale, 0.05*scale))
	h.call("LIST", "nodes", "cluster", 40, shape(0.02*scale, 0.06*scale, 0.3*scale))
	return h
}

// dense is a density run of 400 pods with three unlike stages; its times are all times scale.
func dense(scale float64) *history {
	h := newHistory("density-made-up")
	order := h.random.Perm(400)
	for i, place := range order {
		x := float64(place) / 400
		h.pod(i, scale*0.1*(1+x), scale*0.4*(1+x*x), scale*0.2*(2-x))
	}
	h.call("GET", "pods", "resource", 400, shape(0.006*scale, 0.020*scale, 0.2*scale))
	h.call("DELETE", "pods", "resource", 400, shape(0.012*scale, 0.050*scale, 0.3*scale))
	h.call("LIST", "pods", "namespace", 300, shape(0.02*scale, 0.09*scale, 0.4*scale))
	h.call("LIST", "pods", "cluster", 20, shape(0.05*scale, 0.2*scale, 0.5*scale))
	failed := &h.requests[3]
	failed.Code, failed.Error = 409, "conflict"
	return h
}

func pair(t testing.TB, scale float64) Input {
	return Input{Density: []*Experiment{dense(scale).read(t)}, Load: []*Experiment{agreeing(scale).read(t)}, Seed: 3}
}
