package fidelity

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"windtunnel/internal/golden"
	"windtunnel/results"
)

// TestRecording: what the fixture's nodes sent is what a kubelet sends, and a recording survives its file.
func TestRecording(t *testing.T) {
	r := recorded(t, nil)
	var b bytes.Buffer
	if err := r.Write(&b); err != nil {
		t.Fatal(err)
	}
	golden.Check(t, filepath.Join("testdata", "recording.json"), b.String())
	back, err := Read("it", &b)
	if err != nil {
		t.Fatal(err)
	}
	rules, err := DefaultRules()
	if err != nil {
		t.Fatal(err)
	}
	c := Compare(r, back, rules, Parts())
	if c.Verdict != results.Pass || len(failed(c.Calls))+len(c.Order) > 0 {
		t.Errorf("a recording differs from itself: %v %v", failed(c.Calls), c.Order)
	}
	for _, p := range c.Parts {
		if p.Rows == 0 || p.Matched != p.Rows {
			t.Errorf("%+v", p)
		}
	}
}

// TestMissingCall: whichever call a node leaves out, its row differs and no other does; what may not be missed is stated here.
func TestMissingCall(t *testing.T) {
	// Sent when the node's list of images has changed, which falls into one of the first two stages; and a stage of 16 s, such as
	// this fixture's, may well have one renewal or none.
	mayBeMissed := []string{"pod-start: PATCH nodes/status", "pod-update: PATCH nodes/status", "pod-update: PUT leases.coordination.k8s.io"}
	base := recorded(t, nil)
	tried := 0
	for i, stage := range base.Stages {
		for _, calls := range stage.Calls {
			name := stage.Name + ": " + calls.Kind.String()
			if slices.Contains(mayBeMissed, name) {
				continue
			}
			tried++
			without := base
			without.Stages = slices.Clone(base.Stages)
			without.Stages[i].Calls = slices.DeleteFunc(slices.Clone(stage.Calls), func(c Calls) bool { return c.Kind == calls.Kind })
			rules, err := DefaultRules()
			if err != nil {
				t.Fatal(err)
			}
			c := Compare(base, without, rules, Parts())
			if got := failed(c.Calls); c.Verdict != results.Fail || !slices.Equal(got, []string{name}) {
				t.Errorf("without %s: verdict %s, rows %v", name, c.Verdict, got)
			}
		}
	}
	if tried < 35 {
		t.Errorf("only %d kinds of calls were left out", tried)
	}
}

// TestMutatedLog: one change of what nodes send is found in the log itself and named.
func TestMutatedLog(t *testing.T) {
	drop := func(verb, resource, sub string) func(line) []line {
		return func(l line) []line {
			if l.kubelet(verb, resource, sub) {
				return nil
			}
			return []line{l}
		}
	}
	again := func(verb, resource, sub string) func(line) []line {
		return func(l line) []line {
			if l.kubelet(verb, resource, sub) {
				return []line{l, l}
			}
			return []line{l}
		}
	}
	for _, c := range []struct {
		what   string
		change func(line) []line
		calls  []string
		open   int
	}{
		{"no token", drop("create", "serviceaccounts", "token"), []string{"pod-start: POST serviceaccounts/token"}, 0},
		{"no DELETE", drop("delete", "pods", ""), []string{"pod-stop: DELETE pods"}, 0},
		{"no CSINode", drop("create", "csinodes", ""), []string{"node-start: POST csinodes.storage.k8s.io"}, 0},
		{"no watch of RuntimeClasses", drop("watch", "runtimeclasses", ""),
			[]string{"node-start: WATCH runtimeclasses.node.k8s.io", "node-loss: WATCH runtimeclasses.node.k8s.io"}, 6},
		{"DELETE twice", again("delete", "pods", ""), []string{"pod-stop: DELETE pods"}, 0},
		{"renewals twice", again("update", "leases", ""), []string{"idle: PUT leases.coordination.k8s.io", "pod-start: PUT leases.coordination.k8s.io",
			"pod-stop: PUT leases.coordination.k8s.io", "node-start: PUT leases.coordination.k8s.io",
			"node-loss: PUT leases.coordination.k8s.io"}, 0},
	} {
		got := compared(t, c.change)
		rows := failed(got.Calls)
		slices.Sort(rows)
		slices.Sort(c.calls)
		if !slices.Equal(rows, c.calls) || got.Verdict != results.Fail {
			t.Errorf("%s: verdict %s, rows %v, want %v", c.what, got.Verdict, rows, c.calls)
		}
		if open := failed(got.Watches); len(open) != c.open {
			t.Errorf("%s: open watches that differ: %v", c.what, open)
		}
	}
}

// TestOrder: a node that deletes a pod before it has looked at it for the last time is found by the order alone.
func TestOrder(t *testing.T) {
	c := compared(t, func(l line) []line {
		// A DELETE that came half a second earlier came before the last GET.
		if l.kubelet("delete", "pods", "") {
			l["requestReceivedTimestamp"] = earlier(t, l.text("requestReceivedTimestamp"))
		}
		return []line{l}
	})
	p := part(t, c, PartOrder)
	if p.Verdict != results.Fail || len(failed(c.Calls)) > 0 || c.Verdict != results.Fail {
		t.Fatalf("%+v, rows %v", p, failed(c.Calls))
	}
	var all []string
	for _, r := range c.Order {
		all = append(all, fmt.Sprintf("%s: %s before %s, %s", r.Stage, r.Before, r.After, r.Of))
	}
	if !slices.Contains(all, "pod-stop: GET pods before DELETE pods, end") {
		t.Errorf("%v", all)
	}
}

// TestBodies: bodies that are much larger fail their own rows and no count.
func TestBodies(t *testing.T) {
	c := compared(t, func(l line) []line {
		if l.kubelet("create", "nodes", "") {
			l["requestObject"].(map[string]any)["padding"] = strings.Repeat("x", 5000)
		}
		return []line{l}
	})
	if p := part(t, c, PartBodies); p.Verdict != results.Fail || p.Rows-p.Matched != 1 || len(failed(c.Calls)) > 0 {
		t.Errorf("%+v, rows %v", p, failed(c.Calls))
	}
	if c = compared(t, func(l line) []line { delete(l, "requestObject"); return []line{l} }); len(failed(c.Calls)) == 0 {
		t.Error("events without bodies have no reason, and no row says so")
	}
}

// TestChosenNodes: what is real and what is hollow is told apart by name, in one run; a proxy that says where it is counts there.
func TestChosenNodes(t *testing.T) {
	const real = "worker-1"
	rename := func(l line) []line {
		text := strings.ReplaceAll(l.text("requestURI"), "hollow-3", real)
		l["requestURI"] = text
		switch user := l.text("user", "username"); user {
		case "system:node:hollow-3":
			l["user"] = map[string]any{"username": "system:node:" + real}
		case "system:kube-proxy": // as a real one does, it watches its own node
			if l.text("objectRef", "resource") == "servicecidrs" {
				l["objectRef"] = map[string]any{"resource": "nodes", "name": "hollow-1"}
				l["requestURI"] = "/api/v1/nodes?fieldSelector=metadata.name%3Dhollow-1&watch=true"
			}
		}
		return []line{l}
	}
	one := recorded(t, rename, "worker-*")
	if one.Source.Chosen != 1 || one.Stages[0].Nodes != 1 || one.Stages[0].Proxied != 0 {
		t.Errorf("%+v %+v", one.Source, one.Stages[0])
	}
	for _, c := range one.Stages[0].Calls {
		if c.Who == Proxy {
			t.Errorf("the proxy of another node counts: %+v", c)
		}
		if strings.Contains(c.Detail, real) {
			t.Errorf("the node's name is in %s", c.Kind)
		}
	}
	rest := recorded(t, rename)
	watches := func(c Calls) bool { return c.Kind == Kind{Proxy, "WATCH", "nodes", "metadata.name=NODE"} && c.N == 6 }
	if !slices.ContainsFunc(rest.Stages[0].Calls, watches) {
		t.Errorf("the proxies' watches of their nodes are not one row: %+v", rest.Stages[0].Calls)
	}
	if rest.Source.Chosen != 5 || !strings.Contains(strings.Join(rest.Notes, "\n"), "calls of 1 other nodes (worker-1) are left out") {
		t.Errorf("%+v %v", rest.Source, rest.Notes)
	}
	first := true
	said := recorded(t, func(l line) []line {
		if l.text("user", "username") == "system:kube-proxy" && first {
			first = l.text("stage") != "ResponseComplete"
			l["user"] = map[string]any{"username": proxyAccount, "extra": map[string]any{nodeNameKey: []any{real}}}
		}
		return rename(l)
	}, real)
	if said.Stages[0].Proxied != 1 {
		t.Errorf("a proxy that says where it is: %+v", said.Stages[0])
	}
	_, err := Record(fixture(t, nil), Options{Nodes: []string{"elsewhere-*"}})
	if !errors.Is(err, ErrNoData) || !strings.Contains(err.Error(), "hollow-0") {
		t.Errorf("no node of that name: %v", err)
	}
	if _, err = Record(fixture(t, nil), Options{Nodes: []string{"[z"}}); !errors.Is(err, path.ErrBadPattern) {
		t.Errorf("a bad pattern: %v", err)
	}
}

// TestNoAuditLog is no data, and not a match.
func TestNoAuditLog(t *testing.T) {
	d := fixture(t, nil)
	if err := os.Remove(d.Path(results.AuditFile)); err != nil {
		t.Fatal(err)
	}
	if _, err := Record(d, Options{}); !errors.Is(err, ErrNoData) {
		t.Errorf("%v", err)
	}
}
