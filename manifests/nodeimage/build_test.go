// Package nodeimage tests what makes the node image, as far as that can be done without making one.
package nodeimage

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/mod/modfile"
)

// TestSaysAllThatIsMissing: on a machine with nothing, one line names everything, and nothing is begun.
func TestSaysAllThatIsMissing(t *testing.T) {
	bin := t.TempDir()
	for _, tool := range []string{"bash", "dirname", "mkdir", "head", "cat"} {
		path, err := exec.LookPath(tool)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(path, filepath.Join(bin, tool)); err != nil {
			t.Fatal(err)
		}
	}
	// Nobody in particular: root would not be missing.
	if err := os.WriteFile(filepath.Join(bin, "id"), []byte("#!/bin/sh\necho 1000\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(filepath.Join(bin, "bash"), "build", "windtunnel/test")
	cmd.Env = []string{"PATH=" + bin}
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 5 {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{"go, docker, debootstrap, gcc, jq", "root", "apt-get install"} {
		if !bytes.Contains(out, []byte(want)) {
			t.Errorf("it does not name %q: %s", want, out)
		}
	}
	if bytes.Contains(out, []byte("•")) || bytes.Count(out, []byte("\n")) != 1 {
		t.Errorf("more than one line: %s", out)
	}
}

// TestVersionsAreTheProducts: the image has the Kubernetes that windtunnel is built with, and the base files of the kind that it links.
func TestVersionsAreTheProducts(t *testing.T) {
	ours := required(t, "../../go.mod")
	for file, module := range map[string]string{"kubernetes/go.mod": "k8s.io/kubernetes", "kind/go.mod": "sigs.k8s.io/kind"} {
		if theirs := required(t, file)[module]; theirs == "" || theirs != ours[module] {
			t.Errorf("%s: %s %q, the product has %q", file, module, theirs, ours[module])
		}
	}
}

func required(t *testing.T, file string) map[string]string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	mod, err := modfile.ParseLax(file, data, nil)
	if err != nil {
		t.Fatal(err)
	}
	versions := map[string]string{}
	for _, r := range mod.Require {
		versions[r.Mod.Path] = r.Mod.Version
	}
	return versions
}

// TestSecondBuildMakesNothing: where the image is, a further build checks it and makes nothing.
func TestSecondBuildMakesNothing(t *testing.T) {
	if os.Getenv("WINDTUNNEL_KIND") != "required" {
		t.Skip("THE NODE IMAGE WAS NOT TESTED: it needs root, Docker and make node-image; WINDTUNNEL_KIND=required tests it")
	}
	out, err := exec.Command("./build").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if bytes.Contains(out, []byte("•")) || !strings.Contains(string(out), "✓ windtunnel/node") {
		t.Errorf("something was made again:\n%s", out)
	}
}
