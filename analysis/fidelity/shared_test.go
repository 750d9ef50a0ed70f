package fidelity

import (
	"bytes"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"windtunnel/internal/golden"
	"windtunnel/results"
)

// asShared makes of the fixture's nodes such as share a user: what fidelity minimal sends is left of it, and one watch of all pods.
func asShared(user string) func(line) []line {
	watched := false
	return func(l line) []line {
		verb, object := l.text("verb"), l.text("objectRef", "resource")+"/"+l.text("objectRef", "subresource")
		switch {
		case l.text("user", "username") == "system:kube-proxy":
			return nil
		case !strings.HasPrefix(l.text("user", "username"), "system:node:"):
			return []line{l}
		case verb == "create" && (object == "nodes/" || object == "leases/"), verb == "update" && object == "leases/", verb == "delete" && object == "pods/", verb == "patch":
		case verb == "watch" && object == "pods/" && l.text("stage") == "ResponseStarted" && !watched:
			watched = true
			l["requestURI"] = "/api/v1/pods?fieldSelector=spec.nodeName%21%3D&watch=true"
		default:
			return nil
		}
		l["user"] = map[string]any{"username": user}
		return []line{l}
	}
}

// TestSharedUser: nodes that share a user are known by their Nodes and Leases, and all that it sends is counted over them; it is compared
// with nodes of the same kind as others are, and with those that have identities it differs in whose calls they are.
func TestSharedUser(t *testing.T) {
	r := recorded(t, asShared(lightNodes))
	var b bytes.Buffer
	if err := r.Write(&b); err != nil {
		t.Fatal(err)
	}
	golden.Check(t, filepath.Join("testdata", "recording-shared.json"), b.String())
	rules, err := DefaultRules()
	if err != nil {
		t.Fatal(err)
	}
	required := []string{PartCalls, PartBodies, PartOrder, PartWatches}
	if c := Compare(r, r, rules, required); c.Verdict != results.Pass || len(c.Calls) < 15 {
		t.Errorf("held against itself: %s of %d counts; %+v", c.Verdict, len(c.Calls), c.Parts)
	}
	c := Compare(recorded(t, nil), r, rules, required)
	for _, who := range []string{Kubelet, Shared} {
		is := func(row CallRow) bool {
			return row.Stage == "pod-stop" && row.Kind == Kind{Who: who, Verb: "DELETE", Resource: "pods"}
		}
		if i := slices.IndexFunc(c.Calls, is); i < 0 || c.Calls[i].Verdict != results.Fail || c.Calls[i].Per != perPod || c.Calls[i].A+c.Calls[i].B != 1 {
			t.Errorf("the pods' end by %s: row %d of %+v", who, i, c.Calls)
		}
	}
}

// TestStagesCalls: what the shared user writes of the pods of kubelets is found, and so are its latencies.
func TestStagesCalls(t *testing.T) {
	labelled := func(l line) []line { // a stage labels each pod that is deleted
		if !l.kubelet("delete", "pods", "") {
			return []line{l}
		}
		label := line{}
		for key, value := range l {
			label[key] = value
		}
		label["user"], label["verb"], label["auditID"] = map[string]any{"username": lightNodes}, "patch", l.text("auditID")+"-label"
		return []line{label, l}
	}
	c := compared(t, labelled)
	if got := failed(c.Calls); !slices.Equal(got, []string{"pod-stop: PATCH pods"}) || c.Verdict != results.Fail {
		t.Errorf("%s, rows %v", c.Verdict, got)
	}
	measured := func(r Recording) bool {
		return slices.ContainsFunc(r.Metrics, func(m Metric) bool { return strings.HasPrefix(m.Name, "PATCH pods, ") && m.N == 24 })
	}
	if measured(recorded(t, nil)) || !measured(recorded(t, labelled)) {
		t.Error("the latencies of the shared user are not among everybody's")
	}
	some := recorded(t, labelled, "hollow-1", "hollow-2")
	if slices.ContainsFunc(some.Stages, func(s Stage) bool { return slices.ContainsFunc(s.Calls, func(c Calls) bool { return c.Who == Shared }) }) ||
		!strings.Contains(strings.Join(some.Notes, "\n"), "12 calls of the user that nodes share (windtunnel:light-nodes) are left out") {
		t.Errorf("two of six nodes: %v", some.Notes)
	}
}

// TestSharedUserInPods: in pods the nodes of fidelity minimal act as the pods' account, which is nobody's elsewhere.
func TestSharedUserInPods(t *testing.T) {
	if _, err := Record(fixture(t, asShared(podsAccount)), Options{}); !errors.Is(err, ErrNoData) {
		t.Errorf("the pods' account of a run without pods: %v", err)
	}
	d := fixture(t, asShared(podsAccount))
	run, err := d.ReadRun()
	if err != nil {
		t.Fatal(err)
	}
	run.Provider = "kind"
	run.Profile = bytes.Replace(run.Profile, []byte(`"tier": "kubelet"`), []byte(`"tier":"light","fidelity":"minimal"`), 1)
	if err := d.WriteRun(run); err != nil {
		t.Fatal(err)
	}
	if r, err := Record(d, Options{}); err != nil || r.Source.Chosen != 6 {
		t.Errorf("%v, %d nodes", err, r.Source.Chosen)
	}
}
