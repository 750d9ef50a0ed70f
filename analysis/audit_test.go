package analysis

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"windtunnel/results"
)

// audited is a line of an audit log, received at a second of the history and answered some microseconds later. ref are the
// fields of the objectRef.
func audited(stage, user, verb, ref string, code int, at float64, us int64) string {
	base := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	received := base.Add(time.Duration(at * 1e9))
	const micro = "2006-01-02T15:04:05.000000Z"
	if ref != "" {
		ref = `"objectRef":{` + ref + `},`
	}
	return fmt.Sprintf(`{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","stage":%q,"requestURI":"/x/y?z","verb":%q,"user":{"username":%q,"groups":["g"]},%s"responseStatus":{"metadata":{},"code":%d},"requestReceivedTimestamp":%q,"stageTimestamp":%q}`+"\n",
		stage, verb, user, ref, code, received.Format(micro), received.Add(time.Duration(us)*time.Microsecond).Format(micro))
}

const (
	onePod = `"resource":"pods","namespace":"load-0","name":"p","apiVersion":"v1"`
	status = onePod + `,"subresource":"status"`
	done   = "ResponseComplete"
)

func TestAudit(t *testing.T) {
	h := newHistory()
	var log strings.Builder
	for i := range int64(400) {
		log.WriteString(audited(done, "windtunnel:user-1", "get", onePod, 200, 20.001+float64(i)*0.07, 1000+i*149%400)) // in no order: a trend would count as dependence
	}
	for i, line := range []string{
		audited(done, "windtunnel:user-0", "get", onePod, 404, 30, 5),
		audited("Panic", "windtunnel:user-0", "get", onePod, 500, 30, 5),
		audited(done, "windtunnel:user-1", "get", onePod, 200, 19.9, 9e6), // arrived before the measured phase
		audited(done, "windtunnel:user-1", "get", onePod, 200, 50.1, 9e6), // and after it
		audited("ResponseStarted", "windtunnel:user-1", "get", onePod, 200, 30, 9e6),
		audited(done, "system:node:hollow-7", "watch", `"resource":"pods"`, 200, 30, 9e6),
		audited(done, "windtunnel:user-1", "get", onePod+`,"subresource":"log"`, 200, 30, 9e6),
		audited(done, "system:node:hollow-7", "patch", status, 200, 30, 100),
		audited(done, "system:node:hollow-8", "patch", status, 200, 31, 300),
		audited(done, "windtunnel:light-nodes", "patch", status, 200, 31, 200),
		audited(done, "system:serviceaccount:kube-system:replicaset-controller", "create", `"resource":"pods","namespace":"load-0"`, 201, 30, 7),
		audited(done, "system:kube-controller-manager", "create", `"resource":"pods","namespace":"load-0"`, 201, 30, 7),
		audited(done, "system:kube-scheduler", "list", `"resource":"leases","apiGroup":"coordination.k8s.io"`, 200, 30, 7),
		audited(done, "system:kube-proxy", "list", `"resource":"services","namespace":"a"`, 200, 30, 7),
		audited(done, "system:apiserver", "update", `"resource":"leases","apiGroup":"coordination.k8s.io","namespace":"a","name":"b"`, 200, 30, 7),
		audited(done, "windtunnel:observer", "list", `"resource":"pods"`, 200, 30, 7),
		audited(done, "somebody", "get", "", 200, 30, 7),
		"{\"stage\":\"ResponseComplete\"}\n",
		"not JSON\n",
		strings.TrimSuffix(audited(done, "windtunnel:user-1", "get", onePod, 200, 40, 5), "}\n")[:90], // torn, as by SIGKILL
	} {
		if i == 7 { // longer than the reader's buffer
			line = strings.Replace(line, `"groups":["g"]`, `"groups":["`+strings.Repeat("g", 3<<20)+`"]`, 1)
		}
		log.WriteString(line)
	}
	h.audit = log.String()
	s := h.summarize(t)

	rows := map[string]results.AuditRow{}
	for _, r := range s.Audit {
		rows[strings.Join([]string{r.Caller, r.Verb, call{group: r.Group, resource: r.Resource, subresource: r.Subresource}.path(), r.Scope}, " ")] = r
	}
	for name, n := range map[string]int64{
		"windtunnel's users GET pods resource": 402, "nodes PATCH pods/status resource": 3, "kube-controller-manager POST pods resource": 2,
		"kube-scheduler LIST leases.coordination.k8s.io cluster": 1, "proxies LIST services namespace": 1,
		"kube-apiserver PUT leases.coordination.k8s.io resource": 1, "windtunnel's observer LIST pods cluster": 1, "others GET /x ": 1,
	} {
		if rows[name].N != n {
			t.Errorf("%s: n %d, want %d", name, rows[name].N, n)
		}
		delete(rows, name)
	}
	if len(rows) > 0 {
		t.Errorf("rows too many: %v", rows)
	}
	r := s.Audit[0] // the busiest
	if r.Caller != "windtunnel's users" || r.Errors != 2 || !near(r.P50.Value, 0.001199) || !near(r.P99.Value, 0.001395) || !near(*r.Max, 0.001399) {
		t.Errorf("%+v", r)
	}
	if r.P99.Low == nil || r.P99.High == nil || *r.P99.Low > r.P99.Value || *r.P99.High < r.P99.Value {
		t.Errorf("interval %+v", r.P99)
	}
	notes := strings.Join(s.Notes, "\n")
	if !strings.Contains(notes, "logs/audit.log: 3 of 420 lines cannot be read and are left out, the first: line 418: its times make no sense") ||
		!strings.Contains(notes, "2 watches and other streams") {
		t.Errorf("notes %s", notes)
	}
	if s.Verdict != results.Pass {
		t.Errorf("verdict %s: the audit log decides nothing", s.Verdict)
	}
}

func TestAuditMissing(t *testing.T) {
	h := newHistory()
	if s := h.summarize(t); len(s.Audit) > 0 || len(s.Notes) > 0 {
		t.Errorf("%v, notes %v", s.Audit, s.Notes)
	}
	h.profile.ControlPlane.APIServer.Audit = "metadata"
	if s := h.summarize(t); len(s.Notes) != 1 || !strings.Contains(s.Notes[0], "logs/audit.log: missing") {
		t.Errorf("notes %v", s.Notes)
	}
	h.audit, h.run.Started = "{}\n", ""
	if s := h.summarize(t); len(s.Notes) != 1 || !strings.Contains(s.Notes[0], "whose start is unknown") {
		t.Errorf("notes %v", s.Notes)
	}
}

func BenchmarkAudit(b *testing.B) {
	const lines = 1000
	log := strings.Repeat(audited(done, "system:serviceaccount:kube-system:replicaset-controller", "patch", status, 200, 30, 100), lines)
	a := &auditLog{phases: window{{Begin: 0, End: 60 * sec}}, base: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), kinds: map[auditKind]*auditSample{}}
	b.SetBytes(int64(len(log)))
	for b.Loop() {
		a.read(strings.NewReader(log))
	}
	if a.log.Bad > 0 {
		b.Error(a.log.FirstBad)
	}
}
