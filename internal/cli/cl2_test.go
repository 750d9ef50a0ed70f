package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const (
	cl2Small    = "../../profiles/cl2/testdata/small/config.yaml"
	cl2Mistakes = "../../profiles/cl2/testdata/mistakes/config.yaml"
)

// TestCL2Plan: a ClusterLoader2 config is told by its shape, planned for the nodes, the seed and the variables that the flags say,
// as text and as JSON.
func TestCL2Plan(t *testing.T) {
	code, out, errs := invoke("plan", "-f", cl2Small, "--set", "hollowNodes.count=20", "--seed", "7")
	if code != codePass {
		t.Fatalf("exit code %d: %s", code, errs)
	}
	for _, want := range []string{
		"seed 7 · 20 nodes", "step 5 Pause (1m30s)", "create Deployment × 8, create NetworkPolicy × 4 in 2 namespaces; random: scattered over 8s",
		"step 7 gathering (modules/measurements.yaml)", "a LIST of persistentvolumeclaims with group=small,tier in (a,b)", "PATCH deployments", "41 in all",
	} {
		if !strings.Contains(regexp.MustCompile(`\t`).ReplaceAllString(out, " "), want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	overrides := filepath.Join(t.TempDir(), "overrides.yaml")
	if err := os.WriteFile(overrides, []byte("GROUP_SIZE: 2\nUNKNOWN: 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	code, out, errs = invoke("plan", "-f", cl2Small, "--testoverrides", overrides, "-o", "json")
	var plans []struct {
		Nodes int
		Steps []struct {
			Phases []struct{ Actions []struct{ Operations []any } }
		}
	}
	if err := json.Unmarshal([]byte(out), &plans); err != nil || code != codePass {
		t.Fatalf("exit code %d, %v: %s", code, err, errs)
	}
	if plans[0].Nodes != 100 || len(plans[0].Steps[1].Phases[0].Actions) != 20 {
		t.Errorf("%d nodes and %d actions, want 100 and, of 2 replicas in 10 namespaces, 20", plans[0].Nodes, len(plans[0].Steps[1].Phases[0].Actions))
	}
	if !strings.Contains(errs, "warnings: 1; windtunnel validate shows them") {
		t.Errorf("the variable that nothing reads is not mentioned: %s", errs)
	}
}

// TestCL2Input: what is refused, and with which exit code.
func TestCL2Input(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	small, err := filepath.Abs(cl2Small)
	if err != nil {
		t.Fatal(err)
	}
	suite := write("suite.yaml", "- identifier: a\n  configPath: "+small+"\n- identifier: b\n  configPath: "+small+"\n")
	unused := write("unused.yaml", "UNKNOWN: 1\n")
	module := write("module.yaml", "steps: []\n")
	asked := write("asked.yaml", "name: x\nsteps:\n- measurements:\n  - Identifier: a\n    Method: GenericPrometheusQuery\n    Params:\n      action: start\n      metricName: M\n"+
		"      metricVersion: v1\n      unit: s\n      queries:\n      - name: A\n        query: sum(a))\n")
	const cannotAsk = "asked.yaml:13:16: steps[0].measurements[0].params.queries[0].query: the query cannot be asked"
	for _, c := range []struct {
		args []string
		code int
		says []string
	}{
		{[]string{"validate", cl2Small}, codePass, []string{"config.yaml: ok\n"}},
		{[]string{"validate", asked}, codeUsage, []string{cannotAsk}},
		{[]string{"plan", "-f", asked}, codeUsage, []string{cannotAsk}},
		{[]string{"run", "-f", asked, "--results", dir}, codeUsage, []string{cannotAsk}},
		{[]string{"validate", cl2Mistakes}, codeUsage, []string{"config.yaml:2:12", "9 problems and 9 warnings", `did you mean "DefaultParam"?`}},
		{[]string{"validate", "--testoverrides", unused, cl2Small}, codePass, []string{"ok; warnings: 1", "unused.yaml:1:1: warning: no file of this test reads the variable UNKNOWN"}},
		{[]string{"validate", "--strict", "--testoverrides", unused, cl2Small}, codeUsage, []string{"unused.yaml:1:1"}},
		{[]string{"validate", suite}, codePass, []string{"config.yaml (a): ok\n", "config.yaml (b): ok\n"}},
		{[]string{"validate", module}, codeUsage, []string{"is a module of a ClusterLoader2 config"}},
		{[]string{"validate", "--set", "hollowNodes.count=0", cl2Small}, codeUsage, []string{"division by zero"}},
		{[]string{"plan", "--testsuite", suite}, codePass, []string{"config.yaml (a), a test", "config.yaml (b), a test"}},
		{[]string{"plan", "-f", suite}, codePass, []string{"config.yaml (b), a test"}},
		{[]string{"plan", "-f", cl2Mistakes}, codeUsage, []string{"config.yaml:2:12", "9 problems"}},
		{[]string{"plan", "-f", cl2Small, "--testsuite", suite}, codeUsage, []string{"not both"}},
		{[]string{"plan", "smoke", "--testoverrides", unused}, codeUsage, []string{"--testoverrides is for ClusterLoader2's configs"}},
		{[]string{"plan", "smoke", "--skip-steps", "x"}, codeUsage, []string{"--skip-steps is for ClusterLoader2's configs"}},
		{[]string{"plan", "-f", cl2Small, "--overwrite-test-config", "Namespace.Prefix=mine", "--skip-steps", "Pause"}, codePass, []string{"namespaces: mine-1"}},
		{[]string{"validate", cl2Small, "--overwrite-test-config", "Namespace.Prefx=mine"}, codeUsage, []string{"--overwrite-test-config:1:1", "namespace.prefix"}},
		{[]string{"plan", "-f", cl2Small, "--set", "name=x"}, codeUsage, []string{`--set:1:1: name: a ClusterLoader2 config says itself what is done: "name" cannot be set`}},
		{[]string{"plan", "-f", cl2Small, "--set", "hollowNodes.cuont=5"}, codeUsage, []string{"cuont", "count"}},
		{[]string{"plan", "-f", cl2Small, "--testoverrides", filepath.Join(dir, "none.yaml")}, codeUsage, []string{"read the overrides", "none.yaml"}},
		{[]string{"run", "-f", cl2Mistakes, "--results", dir}, codeUsage, []string{"config.yaml:2:12", "9 problems"}},
		{[]string{"run", "-f", cl2Small, "--provider", "existing", "--results", dir}, codeUsage, []string{"controlPlane.existing"}},
		{[]string{"plan", "-f", cl2Small, "--provider", "existing", "--set", "controlPlane.existing.kubeconfig=/nowhere", "--set", "controlPlane.existing.image=x"}, codePass,
			[]string{"on the cluster of /nowhere: 1 users in a priority level", "create, delete namespaces"}},
		{[]string{"run", "-f", cl2Small, "--set", "phases=[]", "--results", dir}, codeUsage, []string{`"phases" cannot be set`}},
	} {
		code, out, errs := invoke(c.args...)
		if code != c.code {
			t.Errorf("%v: exit code %d, want %d: %s", c.args, code, c.code, errs)
		}
		for _, want := range c.says {
			if !strings.Contains(out+errs, want) {
				t.Errorf("%v does not say %q:\n%s%s", c.args, want, out, errs)
			}
		}
	}
}
