package fidelity

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"windtunnel/results"
)

// reference reads a recording of results/reference/fidelity.
func reference(t *testing.T, name string) Recording {
	t.Helper()
	f, err := os.Open(filepath.Join("..", "..", "results", "reference", "fidelity", name+"-v1.36.3.json"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := Read(f.Name(), f)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// lightGaps are the known differences of light nodes.
func lightGaps(t *testing.T) []Gap {
	t.Helper()
	f, err := os.Open(filepath.Join("..", "..", "results", "reference", "fidelity", "light-gaps.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	gaps, err := ReadGaps(f.Name(), f)
	if err != nil {
		t.Fatal(err)
	}
	return gaps
}

// likeReal holds the light nodes' recording against the real node's.
func likeReal(t *testing.T) Comparison {
	t.Helper()
	rules, err := DefaultRules()
	if err != nil {
		t.Fatal(err)
	}
	c := Compare(reference(t, "real-kubelet"), reference(t, "light"), rules, []string{PartCalls, PartBodies, PartOrder, PartWatches})
	for _, g := range c.Except(lightGaps(t)) {
		t.Errorf("the gap %+v is none", g)
	}
	return c
}

// TestLightIsLikeARealNode: what light nodes were recorded to send is what a real one sent, but for the gaps that are listed.
func TestLightIsLikeARealNode(t *testing.T) {
	c := likeReal(t)
	for _, r := range c.Calls {
		if r.Verdict == results.Fail && r.Gap == "" {
			t.Errorf("%s: %s %s: %.2f of the real node, %.2f of light ones, within %.2f", r.Stage, r.Who, r.Kind, r.A, r.B, r.Within)
		}
		if r.Bodies == results.Fail && r.BodiesGap == "" {
			t.Errorf("%s: %s %s: %.0f bytes of the real node, %.0f of light ones", r.Stage, r.Who, r.Kind, *r.BytesA, *r.BytesB)
		}
	}
	for _, r := range c.Watches {
		if r.Verdict == results.Fail {
			t.Errorf("%s: %s %s: %.2f open on the real node, %.2f on light ones", r.Stage, r.Who, r.Kind, r.A, r.B)
		}
	}
	for _, r := range c.Order {
		t.Errorf("%s: %s before %s always on %s, %d of %d on the other", r.Stage, r.Before, r.After, r.Always, r.Held, r.Both)
	}
	if c.Verdict != results.Pass || len(c.Calls) < 45 || len(c.Watches) < 50 {
		t.Errorf("%s of %d counts and %d watches", c.Verdict, len(c.Calls), len(c.Watches))
	}
}

// TestGaps: a gap excuses its row and no other, in its part and no other, and says when it is none.
func TestGaps(t *testing.T) {
	row := func(c Comparison, gap Gap) (Comparison, []Gap) {
		unused := c.Except([]Gap{gap})
		return c, unused
	}
	differs := func() Comparison { // a token less for each pod
		return compared(t, func(l line) []line {
			if l.kubelet("create", "serviceaccounts", "token") {
				return nil
			}
			return []line{l}
		})
	}
	gap := Gap{Stage: "pod-start", Who: Kubelet, Verb: "POST", Resource: "serviceaccounts/token", Part: PartCalls, Why: "no tokens"}
	if c := differs(); part(t, c, PartCalls).Verdict != results.Fail || c.Verdict != results.Fail {
		t.Fatalf("without tokens the calls are %+v", part(t, c, PartCalls))
	}
	c, unused := row(differs(), gap)
	if p := part(t, c, PartCalls); p.Verdict != results.Pass || !strings.HasSuffix(p.Text, "; 1 more differ as is known") || len(unused) != 0 {
		t.Errorf("with the gap the calls are %+v, unused %v", p, unused)
	}
	for _, change := range []func(*Gap){
		func(g *Gap) { g.Stage = "pod-stop" }, func(g *Gap) { g.Who = Proxy }, func(g *Gap) { g.Part = PartBodies }, func(g *Gap) { g.Resource = "pods" },
	} {
		other := gap
		change(&other)
		c, unused := row(differs(), other)
		if part(t, c, PartCalls).Verdict != results.Fail || !slices.Equal(unused, []Gap{other}) {
			t.Errorf("the gap %+v excuses a row that is not its own", other)
		}
	}
	for text, says := range map[string]string{
		"gaps: [{stage: x, part: order, why: y}]": "part", "gaps: [{stage: x, part: calls}]": "why", "gaps: [{phase: x}]": "phase", "gaps: {": "yaml",
	} {
		if _, err := ReadGaps("gaps.yaml", strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), says) || !strings.Contains(err.Error(), "gaps.yaml") {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// likeTable shows each call of the real node, of light nodes and of hollow ones.
func likeTable(t *testing.T) string {
	t.Helper()
	c, hollow := likeReal(t), reference(t, "kubelet")
	rules, err := DefaultRules()
	if err != nil {
		t.Fatal(err)
	}
	second := Compare(reference(t, "real-kubelet"), hollow, rules, []string{PartCalls})
	var b strings.Builder
	fmt.Fprintf(&b, "\nKubernetes %s; %d runs of light nodes, %d of hollow ones. ≠ marks a known difference from the real node.\n\n", c.A.Kubernetes, len(c.B.Runs), len(hollow.Source.Runs))
	b.WriteString("| stage | who | call | per | real | light | hollow | within | bytes real | bytes light | why it may differ, or does |\n|---|---|---|---|---:|---:|---:|---:|---:|---:|---|\n")
	for _, r := range c.Calls {
		other := "0.00"
		if i := slices.IndexFunc(second.Calls, func(s CallRow) bool { return s.Stage == r.Stage && s.Kind == r.Kind }); i >= 0 {
			other = fmt.Sprintf("%.2f", second.Calls[i].B)
		}
		light, bytes, within, why := fmt.Sprintf("%.2f", r.B), size(r.BytesB), "", []string{}
		if r.Within > 0 {
			within = fmt.Sprintf("%.2f", r.Within)
		}
		if r.Why != "" {
			why = append(why, r.Why)
		}
		if r.Gap != "" {
			light, why = "≠ "+light, []string{r.Gap}
		}
		if r.BodiesGap != "" {
			bytes, why = "≠ "+bytes, append(why, "size: "+r.BodiesGap)
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %.2f | %s | %s | %s | %s | %s | %s |\n", r.Stage, r.Who, r.Kind, r.Per, r.A, light, other, within, size(r.BytesA), bytes, strings.Join(why, "; "))
	}
	b.WriteString("\n")
	return b.String()
}

func size(v *float64) string {
	if v == nil {
		return ""
	}
	return fmt.Sprintf("%.0f", *v)
}
