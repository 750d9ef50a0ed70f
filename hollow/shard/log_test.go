package shard

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

func TestLoggerLimitsEachPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out strings.Builder
		logger := NewLogger(&out, nil).WithValues("node", "n-1")
		for i := range 1000 {
			logger.Error(errors.New("broken"), "it went wrong", "try", i) // one place
			logger.V(4).Info("never")
		}
		logger.Info("another place")
		lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
		if len(lines) != siteBurst+1 {
			t.Fatalf("%d lines, want %d of the first place and one of the second:\n%s", len(lines), siteBurst, &out)
		}
		for _, want := range []string{" E log_test.go:", "it went wrong", `err="broken"`, `node="n-1"`, `try="0"`} {
			if !strings.Contains(lines[0], want) {
				t.Errorf("%q is not in %q", want, lines[0])
			}
		}
		if !strings.Contains(lines[siteBurst], " I log_test.go:") || !strings.Contains(lines[siteBurst], "another place") {
			t.Errorf("last line %q", lines[siteBurst])
		}
	})
}

func TestLoggerSaysHowMuchWasLeftOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out strings.Builder
		logger := NewLogger(&out, nil)
		for i := range 20 {
			if i == 19 {
				time.Sleep(time.Second)
			}
			logger.Info("same\nplace")
		}
		lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
		if len(lines) != siteBurst+1 {
			t.Fatalf("%d lines, want %d:\n%s", len(lines), siteBurst+1, &out)
		}
		if want := fmt.Sprintf("(%d more like this were left out before it)", 19-siteBurst); !strings.Contains(lines[siteBurst], want) {
			t.Errorf("%q is not in %q", want, lines[siteBurst])
		}
	})
}

func TestLoggerHearsTheKubelet(t *testing.T) {
	var out strings.Builder
	var heard []string
	logger := NewLogger(&out, func(uid string) { heard = append(heard, uid) }).WithValues("node", "n-1")
	logger.V(sandboxReadyLevel).Info("something else", "podUID", types.UID("u-1"))
	logger.V(sandboxReadyLevel).Info(sandboxReadyMessage, "pod", "p", "podUID", types.UID("u-2"))
	if len(heard) != 1 || heard[0] != "u-2" || out.Len() != 0 {
		t.Errorf("heard %q, wrote %q; want u-2 and nothing", heard, &out)
	}
}

// The kubelet must say what the logger listens for, or each pod waits in vain.
func TestKubeletSaysThatASandboxIsReady(t *testing.T) {
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "k8s.io/kubernetes").Output()
	if err != nil {
		t.Fatalf("find the kubelet's source: %v", err)
	}
	source, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(dir)), "pkg/kubelet/kubelet.go"))
	if err != nil {
		t.Fatal(err)
	}
	if want := fmt.Sprintf("logger.V(%d).Info(%q", sandboxReadyLevel, sandboxReadyMessage); !strings.Contains(string(source), want) {
		t.Errorf("%s is not in the kubelet's source", want)
	}
}
