package e2e

import (
	"encoding/json"
	"path/filepath"
	"testing"

	"windtunnel/results"
)

// TestServerSide runs a few requests of users on a control plane with an audit log: the log must have every one of them as
// the harness has, no slower than the harness saw them, beside those of the control plane itself; and the components must
// have spoken for themselves.
func TestServerSide(t *testing.T) {
	w := windtunnel(t, "run", "-f", filepath.Join(testdata(t), "audit.yaml"), "-o", "json").run(0)
	var summary results.Summary
	if err := json.Unmarshal(w.stdout.Bytes(), &summary); err != nil {
		t.Fatal(err)
	}
	audit, callers := map[string]results.AuditRow{}, map[string]int64{}
	for _, r := range summary.Audit {
		callers[r.Caller] += r.N
		if r.Caller == "windtunnel's users" {
			audit[r.Verb+" "+r.Resource+" "+r.Scope] = r
		}
	}
	for _, r := range summary.Requests {
		name := r.Verb + " " + r.Resource + " " + r.Scope
		a := audit[name]
		sent := r.N - r.ErrorsBy["dropped"] - r.ErrorsBy["no_target"]
		if a.N > sent || a.N < sent-r.ErrorsBy["canceled"] || a.Errors > r.Errors || a.N == 0 || a.Max == nil || r.Max == nil || *a.Max > *r.Max {
			t.Errorf("%s: the harness has %+v, the audit log %+v", name, r, a)
		}
		delete(audit, name)
	}
	if len(audit) > 0 {
		t.Errorf("users made requests that the harness does not know of: %v", audit)
	}
	for _, caller := range []string{"kube-apiserver", "kube-controller-manager", "windtunnel's observer"} {
		if callers[caller] == 0 {
			t.Errorf("no request of %s in the audit log: %v", caller, callers)
		}
	}
	own := summary.ServerSide
	if own == nil {
		t.Fatal("the components said nothing")
	}
	t.Logf("by caller %v; figures %+v; levels %+v", callers, own.Figures, own.PriorityLevels)
	figures := map[string]results.ComponentFigure{}
	for _, f := range own.Figures {
		figures[f.Component+" "+f.Name] = f
	}
	for _, name := range []string{"etcd db_size_end", "etcd fsync_mean", "etcd requests", "kube-apiserver etcd_request_mean", "kube-controller-manager queue_mean_max"} {
		if f := figures[name]; f.N == 0 || f.Value <= 0 {
			t.Errorf("%s: %+v", name, f)
		}
	}
	let := map[string]int64{}
	for _, l := range own.PriorityLevels {
		let[l.Name] = l.Requests
	}
	// Users are of no flow schema but the last, whose level is global-default.
	if users := callers["windtunnel's users"]; let["global-default"] < users || let["exempt"] == 0 || len(own.WorkQueues) == 0 {
		t.Errorf("%d requests of users; by priority level %v, %d work queues", callers["windtunnel's users"], let, len(own.WorkQueues))
	}
	again := windtunnel(t, "report", w.dir(), "-o", "json").run(0)
	if again.stdout.String() != w.stdout.String() {
		t.Error("windtunnel report gives another summary than the run gave")
	}
}
