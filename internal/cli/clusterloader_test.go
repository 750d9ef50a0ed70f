package cli

import (
	"os"
	"strings"
	"testing"

	"windtunnel/results"
)

// TestReportOfATest: the files that ClusterLoader2 leaves are made again from the records, and an error of a step fails the run.
func TestReportOfATest(t *testing.T) {
	d := quietRun(t)
	run, err := d.ReadRun()
	if err != nil {
		t.Fatal(err)
	}
	run.Steps = []results.StepSpan{{Number: 1, Name: "load", Begin: 1, End: 9e9, Error: "2 of 10 creations failed"}}
	for i, action := range []string{"start", "stop", "gather"} {
		run.Marks = append(run.Marks, results.Mark{At: int64(i+1) * 1e9, End: int64(i+1)*1e9 + 1, Step: 1, Method: "Timer", Identifier: "Timer", Action: action, Params: []byte(`{"label":"load"}`)})
	}
	if err := d.WriteRun(run); err != nil {
		t.Fatal(err)
	}
	code, out, errs := invoke("report", d.Path())
	if code != 0 || !strings.Contains(out, "step 1 (load): 2 of 10 creations failed") {
		t.Errorf("%d\n%s%s", code, out, errs)
	}
	data, err := os.ReadFile(d.Path("clusterloader2", "Timer_quiet_2026-01-02T03:04:08Z.json"))
	if err != nil || !strings.Contains(string(data), `"load": 1`) {
		t.Errorf("%s, %v", data, err)
	}
	if _, err := os.Stat(d.Path("clusterloader2", "junit.xml")); err != nil {
		t.Error(err)
	}
	if s, err := d.ReadSummary(); err != nil || s.Verdict != results.Fail || len(s.ClusterLoader.Files) != 2 {
		t.Errorf("%+v, %v", s.ClusterLoader, err)
	}
}
