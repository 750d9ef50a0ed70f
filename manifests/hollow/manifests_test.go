package hollow

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

// TestObjectsAreThoseOfKustomize: what the harness applies and what `kubectl apply -k` applies are the same.
func TestObjectsAreThoseOfKustomize(t *testing.T) {
	made, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), ".")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{}
	for _, r := range made.Resources() {
		object, err := r.Map()
		if err != nil {
			t.Fatal(err)
		}
		want[r.GetKind()+" "+r.GetNamespace()+"/"+r.GetName()] = normal(object)
	}
	objects, err := Objects()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]any{}
	for _, o := range objects {
		got[o.GetKind()+" "+o.GetNamespace()+"/"+o.GetName()] = normal(o.Object)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("objects (-kustomize +ours):\n%s", diff)
	}
	if len(got) != 9 {
		t.Errorf("%d objects", len(got))
	}
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
