package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"windtunnel/results"
)

// TestAPIServerDown kills the API server under load and starts it again. The plan does not wait for it: what was due
// meanwhile was sent and failed, and the records say so.
func TestAPIServerDown(t *testing.T) {
	w := windtunnel(t, "run", "-f", filepath.Join(testdata(t), "apiserver-down.yaml"), "--set", "validity.maxErrors=0.9").run(0)
	const rate, before, during, after = 30, 1 * 30, 7 * 30, 3 * 30 // as in the profile
	outage := w.requests("outage", "users")
	if len(outage) != during {
		t.Fatalf("%d records of %d planned requests", len(outage), during)
	}
	by := map[string]int{}
	for i, r := range outage {
		by[r.Error]++
		if planned := int64(i) * 1e9 / rate; max(r.Planned-outage[0].Planned-planned, planned-r.Planned+outage[0].Planned) > 1 {
			t.Errorf("request %d was planned %d ns after the first, not %d: the outage moved the plan", i, r.Planned-outage[0].Planned, planned)
		}
		answered := r.Code != 0 && r.FirstByte >= r.Sent && r.Done >= r.FirstByte
		broken := r.Error == "connection" && r.Done >= r.Sent
		if r.Sent < r.Planned || !answered && !broken {
			t.Errorf("request %d: %+v", i, r)
		}
		// Before it is ready again, an API server knows no roles yet, and answers 403.
		if !slices.Contains([]string{"", "connection", "unavailable", "forbidden", "too_many_requests"}, r.Error) {
			t.Errorf("request %d has the class %s", i, r.Error)
		}
		if i < before/2 && r.Error != "" {
			t.Errorf("request %d, before the API server was killed, has the class %s", i, r.Error)
		}
	}
	// Nobody listens for a second at the very least.
	if by["connection"] < rate {
		t.Errorf("classes %v: want at least %d connection", by, rate)
	}
	late := w.requests("outage", "accident")
	if answered := slices.IndexFunc(late, func(r results.Request) bool { return r.Error != "connection" }); len(late) != rate || answered >= 0 {
		t.Errorf("%d of %d requests of a step that began in the outage, the first that failed otherwise is number %d", len(late), rate, answered)
	}
	well := w.requests("after", "again")
	if broken := slices.IndexFunc(well, func(r results.Request) bool { return r.Error != "" }); len(well) != after || broken >= 0 {
		t.Errorf("%d of %d requests after the restart, the first that failed is number %d", len(well), after, broken)
	}

	summary := w.summary()
	if summary.Verdict != results.Pass || summary.Validity.Verdict != results.Pass {
		t.Errorf("with the errors allowed for: verdict %q, validity %q", summary.Verdict, summary.Validity.Verdict)
	}
	w.says("kube-apiserver is killed", "kube-apiserver is started again", "kube-apiserver was restarted in phase outage",
		"the watch of pods was interrupted", "watches missed nothing")
	var servers []results.Component
	run, _ := w.record()
	for _, c := range run.Components {
		if c.Name == "kube-apiserver" {
			servers = append(servers, c)
		}
	}
	if len(servers) != 2 || servers[0].Exit == "" || servers[0].PID == servers[1].PID {
		t.Errorf("run.json has these API servers: %+v", servers)
	}

	// The same records are judged by the limit that a profile has without a word.
	w.rejudge("maxErrors", 0.01)
	windtunnel(t, "report", w.dir()).run(0).says("INVALID", "connection", "validity.maxErrors")
	if v := w.summary(); v.Verdict != results.Invalid || failed(v.Validity) != "errors" {
		t.Errorf("verdict %q by the check %q, want invalid by errors alone", v.Verdict, failed(v.Validity))
	}
}

// failed names the checks that a run did not pass.
func failed(v results.Validity) (name string) {
	for _, c := range v.Checks {
		if c.Verdict != results.Pass {
			name += c.Name
		}
	}
	return name
}

// rejudge changes a limit of validity in the profile that run.json holds.
func (w *invocation) rejudge(limit string, value float64) {
	w.t.Helper()
	path := filepath.Join(w.dir(), "run.json")
	data, err := os.ReadFile(path)
	if err != nil {
		w.t.Fatal(err)
	}
	var run map[string]any
	if err := json.Unmarshal(data, &run); err != nil {
		w.t.Fatal(err)
	}
	run["profile"].(map[string]any)["validity"].(map[string]any)[limit] = value
	if data, err = json.Marshal(run); err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		w.t.Fatal(err)
	}
}
