package profiles

import (
	"strings"
	"testing"
)

// TestLatencies: a time of the runtime varies on light nodes, around a median that is not longer than its 99th percentile.
func TestLatencies(t *testing.T) {
	const text = `
apiVersion: windtunnel/v1alpha1
kind: Profile
name: slow
hollowNodes: {count: 2, tier: light}
phases:
  - name: wait
    tracks:
      - name: wait
        steps:
          - pause: 1s
slo: {judged: false}
`
	for _, c := range []struct{ sets, says string }{
		{"containerStart=1s containerStartP99=8s", ""},
		{"containerStart=1s containerStartP99=1s", ""},
		{"containerStart=1s containerStartP99=900ms", "runtime.containerStartP99: the 99th percentile is not below the median"},
		{"sandboxStartP99=1s", "runtime.sandboxStartP99: is a percentile of no distribution without a median"},
		{"containerStop=1s containerStopP99=2s tier=kubelet", "runtime.containerStopP99: the times of nodes of tier kubelet do not vary"},
	} {
		var sets []string
		for _, one := range strings.Fields(c.sets) {
			if strings.HasPrefix(one, "tier") {
				sets = append(sets, "hollowNodes."+one)
			} else {
				sets = append(sets, "hollowNodes.runtime."+one)
			}
		}
		_, err := Load("slow.yaml", []byte(text), sets)
		if c.says == "" && err != nil || c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)) {
			t.Errorf("%s: %v, want %q", c.sets, err, c.says)
		}
	}
}
