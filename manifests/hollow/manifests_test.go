package hollow

import (
	"maps"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

// TestObjectsAreThoseOfKustomize: what the harness applies and what `kubectl apply -k` applies are the same.
func TestObjectsAreThoseOfKustomize(t *testing.T) {
	for _, c := range []struct {
		folders []string
		extras  []Extra
		count   int
	}{
		{[]string{"."}, nil, 9},
		{[]string{".", "minimal"}, []Extra{Minimal}, 15},
		{[]string{".", "minimal", "stages"}, []Extra{Minimal, Stages}, 17},
	} {
		want := map[string]any{}
		for _, folder := range c.folders {
			maps.Copy(want, rendered(t, folder))
		}
		objects, err := Objects(c.extras...)
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]any{}
		for _, o := range objects {
			got[o.GetKind()+" "+o.GetNamespace()+"/"+o.GetName()] = normal(o.Object)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%v: objects (-kustomize +ours):\n%s", c.folders, diff)
		}
		if len(got) != c.count {
			t.Errorf("%v: %d objects", c.folders, len(got))
		}
	}
}

// TestVariantsHaveWhatTheirNodesNeed: the folders for light nodes change how many and what they are, the pods' size and
// environment (harness/nodepods holds these against the harness' own), and nothing else.
func TestVariantsHaveWhatTheirNodesNeed(t *testing.T) {
	for variant, folders := range map[string][]string{"hollow-light": {"."}, "hollow-minimal": {".", "minimal"}} {
		want := map[string]any{}
		for _, folder := range folders {
			maps.Copy(want, rendered(t, folder))
		}
		got := rendered(t, filepath.Join("..", variant))
		for _, all := range []map[string]any{want, got} {
			delete(all["ConfigMap windtunnel/hollow-nodes"].(map[string]any), "data")
			spec := all["StatefulSet windtunnel/hollow-nodes"].(map[string]any)["spec"].(map[string]any)
			delete(spec, "replicas")
			container := spec["template"].(map[string]any)["spec"].(map[string]any)["containers"].([]any)[0].(map[string]any)
			delete(container, "resources")
			delete(container, "env")
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-its parts +it):\n%s", variant, diff)
		}
	}
}

// rendered are the objects that kustomize makes of a folder, by kind, namespace and name.
func rendered(t *testing.T, folder string) map[string]any {
	t.Helper()
	made, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), folder)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]any{}
	for _, r := range made.Resources() {
		object, err := r.Map()
		if err != nil {
			t.Fatal(err)
		}
		all[r.GetKind()+" "+r.GetNamespace()+"/"+r.GetName()] = normal(object)
	}
	return all
}

// normal makes all numbers of one type.
func normal(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for key := range v {
			v[key] = normal(v[key])
		}
	case []any:
		for i := range v {
			v[i] = normal(v[i])
		}
	case int:
		return float64(v)
	case int64:
		return float64(v)
	}
	return v
}
