package e2e

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"windtunnel/hollow/stages"
	"windtunnel/profiles"
	"windtunnel/results"
)

// call is one kind of API call of a hollow node in one stage of its life.
type call struct{ stage, who, verb, resource string }

// TestFidelity counts the API calls of hollow nodes in the audit log of the API server and compares them, row by row and in both
// directions, with a file of testdata: what a node's start, its idle life, a pod's start and a pod's stop cost. The runs are side by side,
// for they consist of waiting.
func TestFidelity(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, tier, fidelity, stages, calls string }{
		{"kubelet-kubelet", "kubelet", "kubelet", "[]", "calls.txt"},
		{"light-kubelet", "light", "kubelet", "[]", "calls-light.txt"},
		{"light-stages", "light", "kubelet", quickPull(t), "calls-stages.txt"},
		{"light-minimal", "light", "minimal", "[]", "calls-minimal.txt"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			checkCalls(t, c.calls, "hollowNodes.tier="+c.tier, "hollowNodes.fidelity="+c.fidelity, "hollowNodes.stages="+c.stages)
		})
	}
}

// quickPull is the life cycle pod-slow-pull with no pull longer than 10 s, for the profile's pause to be long enough, as a setting.
func quickPull(t *testing.T) string {
	t.Helper()
	text, _ := stages.Builtin("pod-slow-pull")
	quick := strings.Replace(string(text), "max: 5m", "max: 10s", 1)
	if quick == string(text) {
		t.Fatal("pod-slow-pull has no longest pull of 5m")
	}
	setting, err := json.Marshal([]profiles.StageSource{{Text: quick}})
	if err != nil {
		t.Fatal(err)
	}
	return string(setting)
}

func checkCalls(t *testing.T, file string, settings ...string) {
	const nodes, pods = 10, 100
	args := []string{"run", "-f", filepath.Join(testdata(t), "fidelity.yaml")}
	for _, s := range settings {
		args = append(args, "--set", s)
	}
	w := windtunnel(t, args...).run(0)
	run, ok := w.record()
	if !ok {
		t.Fatal("no run.json")
	}
	counts := auditCalls(t, filepath.Join(w.dir(), "logs", "audit.log"), run)
	per := map[string]float64{"node-start": nodes, "idle": nodes, "pod-start": pods, "pod-stop": pods}
	want := readCalls(t, file)

	var table bytes.Buffer
	tw := tabwriter.NewWriter(&table, 0, 8, 2, ' ', 0)
	fmt.Fprintln(tw, "stage\twho\tverb\tresource\tper node or pod\tallowed")
	for _, c := range keys(counts, want) {
		mean := float64(counts[c]) / per[c.stage]
		bounds, known := want[c]
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s\t%.2f\t%v\n", c.stage, c.who, c.verb, c.resource, mean, bounds)
		switch {
		case !known:
			t.Errorf("%s: %s makes %.2f × %s %s, which testdata/%s does not list", c.stage, c.who, mean, c.verb, c.resource, file)
		case mean < bounds[0]-1e-9 || mean > bounds[1]+1e-9:
			t.Errorf("%s: %s makes %.2f × %s %s, testdata/%s allows %v", c.stage, c.who, mean, c.verb, c.resource, file, bounds)
		}
	}
	tw.Flush()
	t.Logf("calls in the audit log, %d nodes, %d pods:\n%s", nodes, pods, &table)
}

func keys(counts map[call]int, want map[call][2]float64) (all []call) {
	for c := range counts {
		all = append(all, c)
	}
	for c := range want {
		if _, ok := counts[c]; !ok {
			all = append(all, c)
		}
	}
	order := map[string]int{"node-start": 0, "idle": 1, "pod-start": 2, "pod-stop": 3}
	sort.Slice(all, func(i, j int) bool {
		a, b := all[i], all[j]
		if a.stage != b.stage {
			return order[a.stage] < order[b.stage]
		}
		return fmt.Sprint(a) < fmt.Sprint(b)
	})
	return all
}

// readCalls reads a file of testdata: stage, who, verb, resource, least, most.
func readCalls(t *testing.T, name string) map[call][2]float64 {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	want := map[call][2]float64{}
	for lines := bufio.NewScanner(f); lines.Scan(); {
		fields := strings.Fields(strings.Split(lines.Text(), "#")[0])
		if len(fields) == 0 {
			continue
		}
		if len(fields) != 6 {
			t.Fatalf("testdata/%s: %q has %d fields, not 6", name, lines.Text(), len(fields))
		}
		least, err1 := strconv.ParseFloat(fields[4], 64)
		most, err2 := strconv.ParseFloat(fields[5], 64)
		if err1 != nil || err2 != nil {
			t.Fatalf("testdata/%s: %q", name, lines.Text())
		}
		want[call{fields[0], fields[1], fields[2], fields[3]}] = [2]float64{least, most}
	}
	return want
}

// auditCalls counts the calls of kubelets and proxies by the stage in which they were received. A watch is counted when it begins.
func auditCalls(t *testing.T, path string, run results.Run) map[call]int {
	t.Helper()
	base, err := time.Parse(time.RFC3339Nano, run.Started)
	if err != nil {
		t.Fatal(err)
	}
	stages := map[string]string{"hollow": "node-start", "settle": "node-start", "idle": "idle", "pod-start": "pod-start", "pod-stop": "pod-stop"}
	stageAt := func(at time.Time) string {
		offset, stage := at.Sub(base).Nanoseconds(), ""
		for _, p := range run.Phases {
			if offset >= p.Begin { // what comes between two phases belongs to the first
				stage = stages[p.Name]
			}
		}
		return stage
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	counts, seen := map[call]int{}, map[string]bool{}
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var event struct {
			AuditID, Verb            string
			User                     struct{ Username string }
			ObjectRef                struct{ Resource, Subresource string }
			RequestReceivedTimestamp time.Time
		}
		if err := json.Unmarshal(lines.Bytes(), &event); err != nil {
			continue // the last line of a log that is being written
		}
		who := ""
		switch {
		case strings.HasPrefix(event.User.Username, "system:node:"):
			who = "kubelet"
		case event.User.Username == "system:kube-proxy":
			who = "proxy"
		case event.User.Username == "windtunnel:light-nodes":
			who = "shared"
		}
		stage := stageAt(event.RequestReceivedTimestamp)
		if who == "" || stage == "" || seen[event.AuditID] {
			continue
		}
		seen[event.AuditID] = true // a request has an event for each stage of its handling
		resource := event.ObjectRef.Resource
		if event.ObjectRef.Subresource != "" {
			resource += "/" + event.ObjectRef.Subresource
		}
		counts[call{stage, who, event.Verb, resource}]++
	}
	if len(counts) == 0 {
		t.Fatal("the audit log names no call of a hollow node")
	}
	return counts
}
