package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"windtunnel/results"
)

// TestRejected: priority and fairness rejects much of the load by objects that the profile itself has made. Every
// request has its record, which names who rejected it, and the run is invalid.
func TestRejected(t *testing.T) {
	w := windtunnel(t, "run", "-f", filepath.Join(testdata(t), "rejected.yaml")).run(4)
	w.says("too_many_requests", "validity.maxErrors")
	const planned = 4 * 300
	rejected, schemas, levels := 0, map[string]bool{}, map[string]bool{}
	all := w.requests("load", "users")
	for _, r := range all {
		if r.Code != 429 && r.Error != "" || r.Code == 429 && r.Error != "too_many_requests" {
			t.Fatalf("neither rejected nor well: %+v", r)
		}
		if r.Code == 429 {
			rejected++
		}
		schemas[r.FlowSchema], levels[r.PriorityLevel] = true, true
	}
	// How many are rejected depends on how fast the machine lists; a tenth is ten times what a valid run may have.
	if len(all) != planned || rejected < planned/10 {
		t.Errorf("%d records, %d of them rejected: want %d, and a tenth or more rejected", len(all), rejected, planned)
	}
	if len(schemas) != 1 || len(levels) != 1 || schemas[""] || levels[""] {
		t.Errorf("flow schemas %v, priority levels %v: want the profile's own, by their UIDs", schemas, levels)
	}
	for _, r := range w.requests("stock", "fill") {
		if schemas[r.FlowSchema] {
			t.Fatalf("the flow schema was there before it was made: %+v", r)
		}
	}
	others, looks := w.requests("load", "others"), 0
	for _, r := range others {
		if r.Verb == "LIST" {
			looks++
		}
		if r.Code == 429 {
			rejected++
		}
	}
	if looks == 0 || len(others)-looks != 5 {
		t.Errorf("%d looks for targets and %d requests, want 5", looks, len(others)-looks)
	}
	summary := w.summary()
	for _, c := range summary.Validity.Checks {
		if ok := c.Verdict == results.Pass; ok == (c.Name == "errors") {
			t.Errorf("check %s: %s: %s", c.Name, c.Verdict, c.Text)
		}
	}
	for _, l := range summary.ServerSide.PriorityLevels {
		if l.Name == "none-0" && l.Rejected != int64(rejected) {
			t.Errorf("the API server rejected %d, the records have %d", l.Rejected, rejected)
		}
	}
}

// TestNotServed: what the API server does not serve is found before anything is sent to it, with its place in the profile.
func TestNotServed(t *testing.T) {
	profile := filepath.Join(t.TempDir(), "odd.yaml")
	text := `apiVersion: windtunnel/v1alpha1
kind: Profile
name: odd
objects:
  team:
    manifest: {apiVersion: v1, kind: Namespace}
phases:
  - name: load
    measured: true
    tracks:
      - name: users
        steps:
          - reconcile: {object: team, count: 1}
          - requests:
              arrivals: {rate: 5, for: 5s}
              mix:
                - {verb: DELETECOLLECTION, object: team}
                - {verb: LIST, resource: odd.example.com/v1/things, scope: cluster}
                - {verb: LIST, resource: pods, scope: cluster}
slo: {judged: false}
`
	if err := os.WriteFile(profile, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	w := windtunnel(t, "run", "-f", profile).run(2)
	lines := strings.Split(text, "\n")
	w.says(profile+":17:19: ", "namespaces has no deletecollection", strings.TrimSpace(lines[16]), "it has: create, delete, get",
		profile+":18:19: ", "does not serve odd.example.com/v1/things", strings.TrimSpace(lines[17]), "2 problems")
	if run, ok := w.record(); !ok || run.Outcome != "failed" || len(run.Phases) != 1 {
		t.Errorf("run.json: outcome %q, phases %v, readable %v", run.Outcome, run.Phases, ok)
	}
	if all := w.requests("load", "users"); len(all) > 0 {
		t.Errorf("%d requests were sent", len(all))
	}
}
