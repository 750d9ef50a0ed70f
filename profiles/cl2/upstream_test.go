package cl2

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"windtunnel/profiles"
)

// perfTests names the directory clusterloader2/testing of a checkout of github.com/kubernetes/perf-tests, whose configs are other
// people's work and not part of this repository.
const perfTests = "WINDTUNNEL_PERF_TESTS"

// TestUpstream plans the community's own configs, as they are, and compares the counts with those that were made by executing
// ClusterLoader2's own reader at commit 4b34154 of perf-tests; see docs/clusterloader2.md.
func TestUpstream(t *testing.T) {
	dir := os.Getenv(perfTests)
	if dir == "" {
		t.Skipf("SKIPPED: the community's configs were not tried; %s has to name the directory clusterloader2/testing of a checkout of github.com/kubernetes/perf-tests", perfTests)
	}
	type counts struct{ Steps, Namespaces, Create, Patch, Delete int }
	for _, test := range []struct {
		config string
		nodes  int
		want   counts
		pods   int // 0: depends on the seed, or nobody has counted
	}{
		{"density/config.yaml", 100, counts{14, 1, 501, 0, 501}, 3500},
		{"density/config.yaml", 500, counts{14, 5, 505, 0, 505}, 15500},
		{"density/high-density-config.yaml", 10, counts{15, 1, 501, 0, 501}, 0},
		{"load/config.yaml", 2, counts{Steps: 17, Namespaces: 2, Create: 22, Patch: 11, Delete: 22}, 0},
		{"load/config.yaml", 10, counts{17, 2, 106, 35, 106}, 0},
		{"load/config.yaml", 100, counts{29, 2, 1641, 331, 1641}, 0},
		{"load/config.yaml", 500, counts{29, 6, 6193, 1651, 6193}, 0},
		{"huge-service/config.yaml", 10, counts{11, 1, 2, 1, 2}, 1000},
		{"access-tokens/config.yaml", 10, counts{10, 1, 2241, 0, 80}, 0},
		{"batch/config.yaml", 100, counts{3, 1, 338, 0, 0}, 0},
		{"list/config.yaml", 10, counts{12, 1, 10005, 1, 0}, 1},
		{"node-throughput/config.yaml", 10, counts{8, 100, 100, 0, 100}, 100},
		{"pod-startup-latency/config.yaml", 10, counts{8, 30, 30, 0, 30}, 30},
		{"scheduler-throughput/config.yaml", 10, counts{5, 1, 5000, 0, 5000}, 5000},
		{"write-throughput/config.yaml", 10, counts{19, 1, 10006, 2, 10000}, 0},
		{"watch-list/config.yaml", 10, counts{7, 80, 80003, 0, 0}, 0},
		{"request-benchmark/config.yaml", 10, counts{16, 1, 4, 1, 0}, 1},
	} {
		o := options()
		o.Nodes = test.nodes
		begin := time.Now()
		plan, err := Read(filepath.Join(dir, test.config), o).Plan()
		if err != nil {
			t.Errorf("%s: %v", test.config, err)
			continue
		}
		got := counts{Steps: len(plan.Steps), Namespaces: plan.Namespace.Number}
		for verb, kinds := range plan.Operations() {
			for _, n := range kinds {
				switch verb {
				case profiles.OperationCreate:
					got.Create += n
				case profiles.OperationPatch:
					got.Patch += n
				case profiles.OperationDelete:
					got.Delete += n
				}
			}
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s at %d nodes (-want +got):\n%s", test.config, test.nodes, diff)
		}
		if test.pods > 0 && plan.PeakPods != test.pods {
			t.Errorf("%s at %d nodes: %d pods, want %d", test.config, test.nodes, plan.PeakPods, test.pods)
		}
		t.Logf("%s at %d nodes: %+v, %d pods, %v planned; made in %v", test.config, test.nodes, got, plan.PeakPods, plan.Duration(), time.Since(begin).Round(time.Millisecond))
	}
}

// TestUpstreamRefused: load at one node has a time limit of no time at all, which is found before the run, at its place.
func TestUpstreamRefused(t *testing.T) {
	dir := os.Getenv(perfTests)
	if dir == "" {
		t.Skipf("SKIPPED: %s is not set", perfTests)
	}
	o := options()
	o.Nodes = 1
	test := Read(filepath.Join(dir, "load/config.yaml"), o)
	list := test.Problems()
	found := false
	for _, p := range list {
		found = found || p.Message == "timeLimit must be positive" && p.Path == "tuningSets[4].randomizedTimeLimitedLoad.timeLimit" && p.Line > 0
	}
	if test.Err() == nil || !found {
		t.Errorf("problems %v", list)
	}
}
