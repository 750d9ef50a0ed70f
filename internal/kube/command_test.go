package kube

import (
	"runtime/debug"
	"strings"
	"testing"

	clientversion "k8s.io/client-go/pkg/version"
	"k8s.io/component-base/version"
)

// TestVersion: a plain build must say which Kubernetes it holds. (A test's own build information names no modules.)
func TestVersion(t *testing.T) {
	if before := version.Get().GitVersion; !strings.HasPrefix(before, unsetVersion) {
		t.Skipf("linker flags have set the version %s", before)
	}
	setVersion(&debug.BuildInfo{Deps: []*debug.Module{{Path: "k8s.io/api", Version: "v0.98.7"}, {Path: kubernetesModule, Version: "v1.98.7"}}})
	got := version.Get()
	if got.GitVersion != "v1.98.7" || got.Major != "1" || got.Minor != "98" || strings.Contains(got.GitCommit, "$") {
		t.Errorf("the components say %+v, want v1.98.7", got)
	}
	if got := clientversion.Get().GitVersion; got != "v1.98.7" {
		t.Errorf("clients say %s, want v1.98.7", got)
	}
	var stdout, stderr strings.Builder
	if code := Main([]string{"version"}, &stdout, &stderr); code != 0 || !strings.HasPrefix(stdout.String(), "kubernetes v1.98.7\n") {
		t.Errorf("exit code %d, %q, %q", code, &stdout, &stderr)
	}
}

func TestMainReportsErrors(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"nothing"}, `unknown command "nothing"`},
		{[]string{"hollow-nodes"}, `"config" not set`},
		{[]string{"hollow-nodes", "--config", "/nonexistent"}, "/nonexistent"},
	} {
		var stdout, stderr strings.Builder
		if code := Main(c.args, &stdout, &stderr); code != 1 || !strings.Contains(stderr.String(), c.want) {
			t.Errorf("%v: exit code %d and %q, want 1 and an error with %q", c.args, code, &stderr, c.want)
		}
	}
}
