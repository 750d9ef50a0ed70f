package profiles

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestPlaceOnHollow(t *testing.T) {
	type m = map[string]any
	own := m{"key": "windtunnel/hollow", "operator": "Exists", "effect": "NoSchedule"}
	other := m{"key": "gpu", "operator": "Exists"}
	spec := func(selector m, tolerations ...any) m { return m{"nodeSelector": selector, "tolerations": tolerations} }
	hollow := m{"windtunnel/hollow": "true"}
	for name, c := range map[string]struct {
		kind           string
		manifest, want m
	}{
		"pod":        {"Pod", m{"spec": m{}}, m{"spec": spec(hollow, own)}},
		"deployment": {"Deployment", m{"spec": m{"template": m{"spec": m{}}}}, m{"spec": m{"template": m{"spec": spec(hollow, own)}}}},
		"cron job": {"CronJob", m{"spec": m{"jobTemplate": m{"spec": m{"template": m{"spec": m{}}}}}},
			m{"spec": m{"jobTemplate": m{"spec": m{"template": m{"spec": spec(hollow, own)}}}}}},
		"what the author wants besides": {"Pod", m{"spec": spec(m{"zone": "a"}, other)},
			m{"spec": spec(m{"zone": "a", "windtunnel/hollow": "true"}, other, own)}},
		"the author has spoken":  {"Pod", m{"spec": spec(m{"windtunnel/hollow": "no"}, own)}, m{"spec": spec(m{"windtunnel/hollow": "no"}, own)}},
		"all taints":             {"Pod", m{"spec": spec(hollow, m{"operator": "Exists"})}, m{"spec": spec(hollow, m{"operator": "Exists"})}},
		"another effect":         {"Pod", m{"spec": spec(hollow, m{"operator": "Exists", "effect": "NoExecute"})}, m{"spec": spec(hollow, m{"operator": "Exists", "effect": "NoExecute"}, own)}},
		"no pods":                {"ConfigMap", m{"data": m{}}, m{"data": m{}}},
		"no template, no change": {"Deployment", m{"spec": m{}}, m{"spec": m{}}},
	} {
		placeOnHollow(c.manifest, c.kind)
		if diff := cmp.Diff(c.want, c.manifest); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestMark: what is of the run can be found again, and asks for hollow nodes and volumes where its author has said nothing of either.
func TestMark(t *testing.T) {
	type m = map[string]any
	labels := m{"labels": m{"windtunnel/run": "r"}}
	placed := func(spec m) m {
		spec["nodeSelector"] = m{"windtunnel/hollow": "true"}
		spec["tolerations"] = []any{m{"key": "windtunnel/hollow", "operator": "Exists", "effect": "NoSchedule"}}
		return spec
	}
	for name, c := range map[string]struct {
		kind           string
		manifest, want m
	}{
		"claim":            {"PersistentVolumeClaim", m{"spec": m{}}, m{"metadata": labels, "spec": m{"storageClassName": "windtunnel-hollow"}}},
		"claim of a class": {"PersistentVolumeClaim", m{"spec": m{"storageClassName": ""}}, m{"metadata": labels, "spec": m{"storageClassName": ""}}},
		"stateful set": {"StatefulSet", m{"spec": m{"volumeClaimTemplates": []any{m{"spec": m{}}}, "template": m{"metadata": m{"labels": m{"a": "b"}}, "spec": m{}}}},
			m{"metadata": labels, "spec": m{"volumeClaimTemplates": []any{m{"spec": m{"storageClassName": "windtunnel-hollow"}}},
				"template": m{"metadata": m{"labels": m{"a": "b", "windtunnel/run": "r"}}, "spec": placed(m{})}}}},
		"pod": {"Pod", m{"metadata": m{"name": "p", "labels": nil}, "spec": m{"volumes": []any{m{"emptyDir": m{}}, m{"ephemeral": m{"volumeClaimTemplate": m{"spec": m{}}}}}}},
			m{"metadata": m{"name": "p", "labels": labels["labels"]}, "spec": placed(m{"volumes": []any{m{"emptyDir": m{}},
				m{"ephemeral": m{"volumeClaimTemplate": m{"spec": m{"storageClassName": "windtunnel-hollow"}}}}}})}},
		"no pods": {"Secret", m{"data": m{}}, m{"metadata": labels, "data": m{}}},
	} {
		Mark(c.manifest, c.kind, "r")
		if diff := cmp.Diff(c.want, c.manifest); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestPlacementFollowsTheProvider: the embedded control plane has hollow nodes only, any other has real ones beside them.
func TestPlacementFollowsTheProvider(t *testing.T) {
	load := func(provider string) string {
		t.Helper()
		data, _ := Builtin("smoke")
		p, err := Load("smoke.yaml", data, []string{"controlPlane.provider=" + provider})
		if err != nil {
			t.Fatal(err)
		}
		plan, err := Compile(p)
		if err != nil {
			t.Fatal(err)
		}
		placed := ""
		for _, template := range plan.Objects {
			if strings.Contains(string(template.Manifest), `"nodeSelector":{"windtunnel/hollow":"true"}`) != (template.Pods > 0 && provider != ProviderEmbedded) {
				t.Errorf("%s: %s is placed wrongly: %s", provider, template.Name, template.Manifest)
			}
			placed += template.Name
		}
		return placed
	}
	if load(ProviderEmbedded) == "" || load(ProviderKind) == "" {
		t.Error("the profile has no templates")
	}
}

// TestPodsForRealNodes: a profile may put pods on the real nodes of a cluster; with the embedded control plane there are none.
func TestPodsForRealNodes(t *testing.T) {
	for provider, problems := range map[string]int{ProviderKind: 0, ProviderEmbedded: 1} {
		data, _ := Builtin("smoke")
		p, err := Load("smoke.yaml", data, []string{"controlPlane.provider=" + provider, "objects.web.manifest.spec.template.spec.nodeSelector={windtunnel/hollow: no-such}"})
		if err == nil {
			_, err = Compile(p)
		}
		if got := strings.Count(fmt.Sprint(err), "no node is"); got != problems {
			t.Errorf("%s: %v", provider, err)
		}
	}
}
