package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"windtunnel/analysis/fidelity"
	"windtunnel/results"
)

// recording is a small recording in a file; dropped leaves its last kind of calls out.
func recording(t *testing.T, dropped bool) string {
	t.Helper()
	r := fidelity.Recording{Format: fidelity.FormatVersion, Source: fidelity.Source{Runs: []string{"x"}, Script: "fidelity", Audit: "request", Nodes: []string{"hollow-*"}, Chosen: 10},
		Metrics: []fidelity.Metric{{Group: fidelity.API, Name: "GET pods p50", Seconds: 0.01, N: 100, Runs: 1}}}
	kinds := []fidelity.Kind{{Who: fidelity.Kubelet, Verb: "POST", Resource: "nodes"}, {Who: fidelity.Kubelet, Verb: "POST", Resource: "csinodes.storage.k8s.io"}}
	s := fidelity.Stage{Name: "node-start", Nodes: 10, NodeSeconds: 100, Order: []fidelity.Pair{{A: "POST csinodes.storage.k8s.io", B: "POST nodes", Both: 10}},
		Watches: []fidelity.Open{{Kind: fidelity.Kind{Who: fidelity.Kubelet, Verb: "WATCH", Resource: "pods"}, N: 10}}}
	for i, k := range kinds {
		if !dropped || i == 0 {
			s.Calls = append(s.Calls, fidelity.Calls{Kind: k, N: 10, Sized: 10, Bytes: 1000})
		}
	}
	r.Stages = []fidelity.Stage{s}
	f, err := os.Create(filepath.Join(t.TempDir(), "r.json"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := r.Write(f); err != nil {
		t.Fatal(err)
	}
	return f.Name()
}

// TestFidelityCodes: 0 when B matches, 3 when it does not and the row is named, 2 for what makes no sense, 4 for nothing to tell by.
func TestFidelityCodes(t *testing.T) {
	whole, part := recording(t, false), recording(t, true)
	quiet := quietRun(t).Path()
	gaps := func(text string) string {
		path := filepath.Join(t.TempDir(), "gaps.yaml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return " --gaps " + path
	}
	known := gaps("gaps: [{stage: node-start, resource: csinodes.storage.k8s.io, part: calls, why: no plugins}]")
	for _, c := range []struct {
		args string
		code int
		says string
	}{
		{whole + " " + whole, codePass, "MATCHES"},
		{whole + " " + part, codeViolated, "✗  node-start  kubelet  POST csinodes.storage.k8s.io"},
		{whole + " -- " + part + " " + part, codeViolated, "DIFFERS FROM"},
		{"--reference " + whole + " " + part + " --require order,watches,latencies", codePass, "(not required)"},
		{"--reference " + whole + " " + part, codeViolated, "1 of 2 counts match"},
		{whole + " " + part + known, codePass, "≠  node-start  kubelet  POST csinodes.storage.k8s.io"},
		{whole + " " + part + known, codePass, "no plugins"},
		{whole + " " + whole + known, codePass, "says that the calls of csinodes.storage.k8s.io differ in the stage"},
		{whole + " " + part + gaps("gaps: [{stage: pod-stop, part: calls, why: x}]"), codeViolated, "1 of 2 counts match"},
		{whole + " " + part + gaps("gaps: [{stage: pod-stop}]"), codeUsage, "gap 1 is of part"},
		{whole + " " + part + " --gaps /nowhere", codeUsage, "no such file"},
		{whole + " " + part + " --require everything", codeUsage, "there is no such part (calls, bodies, order, watches, latencies)"},
		{whole, codeUsage, "give two runs"},
		{"", codeUsage, "what is side B?"},
		{"--a hollowNodes.count=1", codeUsage, "what is side B?"},
		{"--reference " + whole, codeUsage, "what is side B?"},
		{"--reference " + whole + " --a seed=1 --b seed=2", codeUsage, "either --reference or --a"},
		{"--a seed=1 " + whole + " " + whole, codeUsage, "either --a or runs"},
		{"--b hollowNodes.count=x", codeUsage, "hollowNodes.count"},
		{"smoke --b seed=2", codeUsage, "smoke: no such file"},
		{"--b controlPlane.apiServer.audit=none", codeUsage, "keeps no audit log"},
		{whole + " " + whole + " --b-nodes x", codeUsage, "its nodes were chosen when it was made"},
		{whole + " " + filepath.Join(t.TempDir(), "none"), codeUsage, "no such file"},
		{whole + " " + quiet, codeInvalid, "it has no logs/audit.log"},
		{"record " + quiet, codeInvalid, "it has no logs/audit.log"},
		{"record " + whole, codeUsage, "is a file, not a run directory"},
	} {
		code, out, errs := invoke(append([]string{"fidelity"}, strings.Fields(c.args)...)...)
		if code != c.code || !strings.Contains(out+errs, c.says) {
			t.Errorf("fidelity %s: exit code %d, want %d and %q\n%s%s", c.args, code, c.code, c.says, out, errs)
		}
	}
}

// TestFidelityFormats: each form of output has the row that differs, and none has colours or words of another.
func TestFidelityFormats(t *testing.T) {
	whole, part := recording(t, false), recording(t, true)
	for format, want := range map[string]string{
		"csv":      "calls,node-start,kubelet,POST,csinodes.storage.k8s.io,,node,1,0,0,0,0,100,,fail,,",
		"markdown": "| ✗ | node-start | kubelet | POST csinodes.storage.k8s.io | node | 1.00 | 0.00 |",
		"text":     "✗  node-start  kubelet  POST csinodes.storage.k8s.io  node  1.00  0.00",
	} {
		code, out, errs := invoke("fidelity", whole, part, "-o", format)
		if code != codeViolated || !strings.Contains(out, want) || strings.Contains(out, "\x1b") {
			t.Errorf("%s: exit code %d, no %q in\n%s%s", format, code, want, out, errs)
		}
	}
	_, out, _ := invoke("fidelity", whole, part, "-o", "json")
	var c fidelity.Comparison
	if err := json.Unmarshal([]byte(out), &c); err != nil || c.Verdict != results.Fail || len(c.Calls) != 2 || len(c.Parts) != 5 {
		t.Errorf("%v: %+v", err, c)
	}
	if _, all, _ := invoke("fidelity", whole, whole, "--all"); !strings.Contains(all, "GET pods p50") || !strings.Contains(all, "WATCH pods") {
		t.Errorf("--all leaves out:\n%s", all)
	}
}
