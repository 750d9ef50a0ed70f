package e2e

import (
	"os"
	"path/filepath"
	"testing"
)

// TestBadInput: every kind of bad input is reported with its place, exits with 2 and starts nothing.
func TestBadInput(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	unreadable := filepath.Join(dir, "is-a-directory")
	if err := os.Mkdir(unreadable, 0o755); err != nil {
		t.Fatal(err)
	}
	several := write("several.yaml", `apiVersion: windtunnel/v1alpha1
kind: Profile
name: several
hollowNodes:
  cuont: 3
phases:
  - name: workload
    measured: sure
    tracks:
      - name: users
        steps:
          - requests: {arrivals: {rate: -1, for: 5s}, mix: [{verb: FETCH, resource: pods}]}
`)
	loader := write("loader.yaml", `name: loader
tuningSets: [{name: one, qpsLoad: {qps: 5}}]
steps:
- measurements: [{Method: Sleep, Identifier: pause, Params: {duration: 1s, dration: 2s}}]
`)
	broken := write("broken.yaml", `name: broken
tuningSets: [{name: one, qpsLoad: {qps: 5}}]
steps:
- measurements: [{Method: Slep, Identifier: pause, Params: {duration: 1s}}]
`)
	for _, test := range []struct {
		name string
		args []string
		want []string
	}{
		{"unknown profile", []string{"run", "smoek"}, []string{"smoek", "did you mean smoke"}},
		{"no profile", []string{"run"}, []string{"which profile", "density"}},
		{"two profiles", []string{"run", "smoke", "-f", several}, []string{"not both"}},
		{"no such file", []string{"run", "-f", filepath.Join(dir, "none.yaml")}, []string{"none.yaml"}},
		{"a directory", []string{"validate", unreadable}, []string{"is-a-directory"}},
		{"a binary", []string{"validate", os.Getenv("WINDTUNNEL")}, []string{"windtunnel"}},
		{"an empty file", []string{"validate", write("empty.yaml", "")}, []string{"empty.yaml"}},
		{"many mistakes", []string{"validate", several}, []string{
			several + ":5:", "cuont", "count", several + ":8:", several + ":12:", "FETCH"}},
		{"a mistake in a ClusterLoader2 config", []string{"run", "-f", broken}, []string{broken + ":4:27:", "did you mean \"Sleep\""}},
		{"up with a ClusterLoader2 config", []string{"up", "-f", loader}, []string{"loader.yaml is a file of ClusterLoader2's"}},
		{"mistakes in a ClusterLoader2 config", []string{"validate", "--strict", loader}, []string{loader + ":2:21:", loader + ":4:76:", "did you mean \"duration\""}},
		{"unknown path", []string{"run", "smoke", "--set", "hollowNodes.cuont=3"}, []string{"hollowNodes.cuont", "count"}},
		{"wrong type", []string{"run", "smoke", "--set", "hollowNodes.count=many"}, []string{"hollowNodes.count"}},
		{"no nodes for pods", []string{"run", "smoke", "--set", "hollowNodes.count=0"}, []string{"hollowNodes"}},
		{"more pods than capacity", []string{"run", "density", "--set", "hollowNodes.count=10"}, []string{"pods"}},
		{"a rate of zero", []string{"run", "density", "--set", "phases[1].tracks[1].steps[0].requests.arrivals.rate=0"}, []string{"rate"}},
		{"unknown flag", []string{"run", "smoke", "--quickly"}, []string{"--quickly"}},
		{"unknown verb", []string{"rnu", "smoke"}, []string{"rnu"}},
		{"unknown format", []string{"run", "smoke", "-o", "yaml"}, []string{"text, json, csv, markdown"}},
		{"a kubeconfig that cannot be written", []string{"up", "--kubeconfig", filepath.Join(dir, "none", "a.kubeconfig")}, []string{"write the kubeconfig", "--kubeconfig names another file"}},
		{"nothing is up", []string{"down"}, []string{"nothing is up"}},
		{"down of a kind cluster, dry", []string{"down", "--kind", "windtunnel-none", "--dry-run"}, []string{"--kind names what goes"}},
		{"no run", []string{"report", filepath.Join(dir, "no-run")}, []string{"no-run"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := windtunnel(t, test.args...).run(2)
			w.says(test.want...)
			if entries, _ := os.ReadDir(w.root); len(entries) > 0 {
				t.Errorf("bad input left %v", entries)
			}
		})
	}
}
