package e2e

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"windtunnel/results"
)

// TestScriptSuite runs a suite of ClusterLoader2's: each scenario has a run directory and a verdict of its own, the second is run though the
// first has failed, and the first decides the exit code. Its measurements read metrics of the components as they are.
func TestScriptSuite(t *testing.T) {
	w := windtunnel(t, "run", "--testsuite", "suite.yaml", "--set", "hollowNodes.count=3", "--set", "hollowNodes.tier=light", "--set", patient, "--seed", "5")
	w.cmd.Dir = filepath.Join(testdata(t), "script") // paths in a suite are seen from the working directory
	w.run(3).says("measured.yaml (strict) (1 of 2)", "measured.yaml (fair) (2 of 2)")
	dirs, err := results.List(w.root)
	if err != nil || len(dirs) != 2 {
		t.Fatalf("%d run directories, %v", len(dirs), err)
	}
	verdicts := map[string]results.Verdict{}
	for _, d := range dirs {
		run, err := d.ReadRun()
		if err != nil || run.Test == nil || run.Outcome != "completed" {
			t.Fatalf("%s: %+v, %v", d.ID(), run, err)
		}
		s, err := d.ReadSummary()
		if err != nil || s.ClusterLoader == nil {
			t.Fatalf("%s: %v", d.ID(), err)
		}
		verdicts[run.Test.Identifier] = s.Verdict
		if s.ClusterLoader.Verdict != s.Verdict || run.Test.Name != "Measured_Test" || run.Name != "measured-test-"+run.Test.Identifier {
			t.Errorf("%s, the test %s, of %+v under the name %s", s.Verdict, s.ClusterLoader.Verdict, *run.Test, run.Name)
		}
		suiteMeasurements(t, s.ClusterLoader.Measurements)
		suiteFiles(t, d, run.Test.Identifier)
		suiteFaults(t, d)
	}
	if want := map[string]results.Verdict{"strict": results.Fail, "fair": results.Pass}; !maps.Equal(verdicts, want) {
		t.Errorf("verdicts %v, want %v", verdicts, want)
	}
}

// suiteMeasurements: what a measurement found was found among something.
func suiteMeasurements(t *testing.T, all []results.Measurement) {
	t.Helper()
	seen := map[string]results.MeasuredValue{}
	for _, m := range all {
		if len(m.Errors) > 0 || m.Skip != "" {
			t.Errorf("%s: %v, %s", m.Method, m.Errors, m.Skip)
		}
		for _, v := range m.Values {
			seen[m.Method+" "+v.Name] = v
		}
	}
	for name, least := range map[string]float64{
		"GenericPrometheusQuery ConfigMaps": 19, "SchedulingThroughput max": 1, "EtcdMetrics maxDatabaseSize": 1 << 12, "EtcdMetrics backendCommitDuration p99": 0,
		"TestMetrics EtcdMetrics maxDatabaseSize": 1 << 12, "TestMetrics EtcdMetrics walFsyncDuration p99": 0,
	} {
		if v, ok := seen[name]; !ok || v.N == 0 || v.Value < least {
			t.Errorf("%s is %+v, want at least %g; there are %v", name, v, least, slices.Sorted(maps.Keys(seen)))
		}
	}
}

// suiteFiles: files have the config's own name and the scenario's identifier, as perfdash looks for them, and the report the config's path.
func suiteFiles(t *testing.T, d *results.Dir, identifier string) {
	t.Helper()
	for _, what := range []string{"GenericPrometheusQuery Made", "SchedulingThroughput", "EtcdMetrics", "SchedulingMetrics"} {
		if found, err := filepath.Glob(d.Path("clusterloader2", what+"_Measured_Test_"+identifier+"_20*Z.json")); err != nil || len(found) == 0 {
			t.Errorf("no file %s of %s: %v", what, identifier, err)
		}
	}
	report, err := os.ReadFile(d.Path("clusterloader2", "junit.xml"))
	if title := `name="` + identifier + ` overall (measured.yaml)"`; err != nil || !strings.Contains(string(report), title) {
		t.Errorf("%v, no %s in\n%s", err, title, report)
	}
}

// suiteFaults: the config's own chaosMonkey has had nodes, and given them back.
func suiteFaults(t *testing.T, d *results.Dir) {
	t.Helper()
	n := map[string]int{}
	for e, err := range results.Read[results.NodeEvent](d.Path(results.NodesFile)) {
		if err != nil {
			t.Fatal(err)
		}
		n[e.Event]++
	}
	if n["broken"] == 0 || n["broken"] != n["mended"] {
		t.Errorf("node events %v", n)
	}
}
