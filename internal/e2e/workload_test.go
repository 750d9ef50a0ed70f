package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"windtunnel/results"
)

// TestUnforeseenWorkload runs a workload that nothing in the harness knows of, written only as data: other kinds, other phases,
// nodes that go down and come back, a component that is killed and started again.
func TestUnforeseenWorkload(t *testing.T) {
	w := windtunnel(t, "run", "-f", filepath.Join(testdata(t), "unforeseen.yaml"), "-o", "json").run(0)
	var summary results.Summary
	if err := json.Unmarshal(w.stdout.Bytes(), &summary); err != nil {
		t.Fatal(err)
	}
	rows := map[string]results.RequestRow{}
	for _, r := range summary.Requests {
		rows[r.Verb+" "+r.Resource+" "+r.Variant] = r
	}
	for _, want := range []string{"POST cronjobs ", "PATCH cronjobs ", "PUT roles ", "GET roles rmw", "DELETE leases ", "GET leases ", "LIST storageclasses "} {
		if r := rows[want]; r.N == 0 || r.Errors > 0 {
			t.Errorf("%s: n %d, errors %v", want, r.N, r.ErrorsBy)
		}
	}
	run, _ := w.record()
	notes := strings.Join(run.Notes, "\n")
	for _, want := range []string{"2 nodes go down", "2 nodes come up", "kube-scheduler is killed", "kube-scheduler is started again"} {
		if !strings.Contains(notes, want) {
			t.Errorf("run.json does not note that %s:\n%s", want, notes)
		}
	}
	events := map[string]int{}
	for e, err := range results.Read[results.NodeEvent](filepath.Join(w.dir(), results.NodesFile)) {
		if err != nil {
			t.Fatal(err)
		}
		events[e.Event]++
	}
	if events["notready"] != 2 || events["ready"] != 4+2 {
		t.Errorf("node events %v: want 2 of 4 nodes to become NotReady and Ready again", events)
	}
}

// TestUpDown: two control planes side by side, each with its kubeconfig, and not a trace after down.
func TestUpDown(t *testing.T) {
	dir := t.TempDir()
	var ups []*invocation
	for _, name := range []string{"a", "b"} {
		config := filepath.Join(dir, name+".kubeconfig")
		up := windtunnel(t, "up", "--kubeconfig", config, "--set", "hollowNodes.count=2")
		up.start()
		if err := <-up.done; err != nil {
			t.Fatalf("%v\n%s", err, &up.stderr)
		}
		ups = append(ups, up)
		up.says("2 hollow nodes", config)
		if info, err := os.Stat(config); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("kubeconfig: %v, %v", info, err)
		}
		if len(up.processes()) == 0 {
			t.Error("nothing is left running")
		}
		again := windtunnel(t, "up", "--kubeconfig", config).run(2)
		again.says("down")
	}
	for i, name := range []string{"a", "b"} {
		config := filepath.Join(dir, name+".kubeconfig")
		down := windtunnel(t, "down", "--kubeconfig", config)
		down.shm = ups[0].shm // the other one may still be there
		down.start()
		if err := <-down.done; err != nil {
			t.Fatalf("%v\n%s", err, &down.stderr)
		}
		if left := ups[i].processes(); len(left) > 0 {
			t.Errorf("down left processes %v", left)
		}
	}
	for _, up := range ups {
		up.shm = ups[0].shm
		up.nothingLeft()
	}
	if entries, _ := os.ReadDir(dir); len(entries) > 0 {
		t.Errorf("down left %v", entries)
	}
}
