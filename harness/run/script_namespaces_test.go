package run

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"windtunnel/profiles"
)

// holding is a client of a cluster with some namespaces.
func holding(t *testing.T, names ...string) kubernetes.Interface {
	t.Helper()
	list := corev1.NamespaceList{}
	for _, name := range names {
		one := corev1.Namespace{}
		one.Name = name
		list.Items = append(list.Items, one)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(list)
	}))
	t.Cleanup(server.Close)
	client, err := kubernetes.NewForConfig(&rest.Config{Host: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// TestMissing: what an older script left is in the way, also where this one would make no namespace of that number, unless it may be there.
func TestMissing(t *testing.T) {
	n := profiles.ScriptNamespaces{Prefix: "a", Names: []string{"a-1", "a-2"}}
	for _, c := range []struct {
		there   string
		refused bool
		made    string // when they may be there
	}{
		{"default", false, "a-1 a-2"}, {"a-2", true, "a-1"}, {"a-7", true, "a-1 a-2"}, {"a-7-b", false, "a-1 a-2"},
	} {
		client := holding(t, "kube-system", c.there)
		n.Existing = false
		if _, err := missing(t.Context(), client, n); err != nil != c.refused || c.refused && !strings.HasSuffix(err.Error(), ": "+c.there) {
			t.Errorf("with %s: %v", c.there, err)
		}
		n.Existing = true
		if made, err := missing(t.Context(), client, n); err != nil || !slices.Equal(made, strings.Fields(c.made)) {
			t.Errorf("with %s, which may be there: %v, %v", c.there, made, err)
		}
	}
}
