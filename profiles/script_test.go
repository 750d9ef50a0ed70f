package profiles

import "testing"

// TestNamespacesLike: whatever has the prefix and a number from 1 is called as a script's namespaces are, and nothing else is.
func TestNamespacesLike(t *testing.T) {
	n := ScriptNamespaces{Prefix: "test-a.b", Names: []string{"test-a.b-1"}}
	for name, want := range map[string]bool{
		"test-a.b-1": true, "test-a.b-17": true, "test-a.b-100": true, "test-a.b-0": false, "test-a.b-01": false, "test-a.b-": false, "test-a.b": false,
		"test-a.b-1-too": false, "my-test-a.b-1": false, "test-axb-1": false, "test-a.b-1x": false,
	} {
		if got := n.Like(name); got != want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
