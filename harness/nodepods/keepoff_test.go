package nodepods

import (
	"testing"

	v1 "k8s.io/api/core/v1"
)

func TestIntrudes(t *testing.T) {
	everything := []v1.Toleration{{Operator: v1.TolerationOpExists}}
	affinity := func(terms ...v1.NodeSelectorTerm) *v1.Affinity {
		return &v1.Affinity{NodeAffinity: &v1.NodeAffinity{RequiredDuringSchedulingIgnoredDuringExecution: &v1.NodeSelector{NodeSelectorTerms: terms}}}
	}
	workers := v1.NodeSelectorTerm{MatchExpressions: []v1.NodeSelectorRequirement{{Key: "worker", Operator: v1.NodeSelectorOpExists}}}
	notMasters := v1.NodeSelectorTerm{MatchExpressions: []v1.NodeSelectorRequirement{{Key: "master", Operator: v1.NodeSelectorOpDoesNotExist}}}
	for name, c := range map[string]struct {
		spec v1.PodSpec
		want bool
	}{
		"kube-proxy":          {v1.PodSpec{Tolerations: everything, NodeSelector: map[string]string{v1.LabelOSStable: "linux"}}, true},
		"for one machine":     {v1.PodSpec{Tolerations: everything, NodeSelector: map[string]string{v1.LabelArchStable: "arm64"}}, true},
		"tolerates nothing":   {v1.PodSpec{}, false},
		"tolerates another":   {v1.PodSpec{Tolerations: []v1.Toleration{{Key: "x", Operator: v1.TolerationOpExists}}}, false},
		"tolerates eviction":  {v1.PodSpec{Tolerations: []v1.Toleration{{Operator: v1.TolerationOpExists, Effect: v1.TaintEffectNoExecute}}}, false},
		"asks for hollow":     {v1.PodSpec{Tolerations: []v1.Toleration{{Key: "windtunnel/hollow", Operator: v1.TolerationOpExists}}}, true},
		"by its value":        {v1.PodSpec{Tolerations: []v1.Toleration{{Key: "windtunnel/hollow", Value: "yes"}}}, false},
		"selects workers":     {v1.PodSpec{Tolerations: everything, NodeSelector: map[string]string{"worker": "true"}}, false},
		"requires workers":    {v1.PodSpec{Tolerations: everything, Affinity: affinity(workers)}, false},
		"one term suffices":   {v1.PodSpec{Tolerations: everything, Affinity: affinity(workers, notMasters)}, true},
		"requires no masters": {v1.PodSpec{Tolerations: everything, Affinity: affinity(notMasters)}, true},
	} {
		if got := intrudes(c.spec); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
		kept := c.spec
		kept.Affinity = &v1.Affinity{NodeAffinity: &v1.NodeAffinity{RequiredDuringSchedulingIgnoredDuringExecution: realNodesOnly(c.spec)}}
		if intrudes(kept) {
			t.Errorf("%s: kept off it still intrudes", name)
		}
	}
}
