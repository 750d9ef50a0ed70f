// Package harnesstest lets the tests of packages of the harness boot the real thing: a supervisor that is the test
// binary itself, and a control plane of windtunnel-kube. It is imported by tests only.
package harnesstest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"windtunnel/harness/controlplane"
	"windtunnel/harness/supervise"
	"windtunnel/profiles"
)

// supervisorEnv makes a test binary the supervisor, as the hidden subcommand makes windtunnel.
const supervisorEnv = "WINDTUNNEL_TEST_SUPERVISE"

// kubeEnv holds the path of the windtunnel-kube to test with; the Makefile sets it.
const kubeEnv = "WINDTUNNEL_KUBE"

// Suite is what the tests of one package share.
type Suite struct {
	// Spec is what is booted for Shared. Its audit level is set where it has none.
	Spec profiles.ControlPlane

	dir  string // temporary, removed when the tests are over
	kube string
	sup  *supervise.Supervisor
	one  *controlplane.Cluster
	err  error // of the boot of one
}

// Run is the body of TestMain, given the process's streams: it runs the tests and ends what they shared, or is the
// supervisor. It returns the exit code.
func (s *Suite) Run(m *testing.M, stdin io.Reader, stdout, stderr io.Writer) int {
	if os.Getenv(supervisorEnv) != "" {
		if err := supervise.Serve(context.Background(), stdin, stdout); err != nil {
			fmt.Fprintln(stderr, err)
			return 1
		}
		return 0
	}
	code := m.Run()
	if s.sup != nil {
		if err := s.sup.Close(context.Background()); err != nil {
			fmt.Fprintln(stderr, "close the shared control plane:", err)
			code = 1
		}
	}
	if s.dir != "" {
		if err := os.RemoveAll(s.dir); err != nil {
			fmt.Fprintln(stderr, err)
			code = 1
		}
	}
	return code
}

// SupervisorOptions make the running test binary a supervisor. Its TestMain must call Suite.Run.
func SupervisorOptions(t testing.TB) supervise.Options {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return supervise.Options{Executable: self, Args: []string{}, Env: []string{supervisorEnv + "=1"}}
}

// Supervisor starts a supervisor that ends with the test.
func Supervisor(t testing.TB) *supervise.Supervisor {
	t.Helper()
	sup, err := supervise.Start(t.Context(), SupervisorOptions(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := sup.Close(context.Background()); err != nil {
			t.Errorf("close supervisor: %v", err)
		}
	})
	return sup
}

// Kube is the path of the windtunnel-kube to test with: that of $WINDTUNNEL_KUBE where the file exists, else one that is
// built now, which takes minutes when nothing of Kubernetes is compiled yet.
func (s *Suite) Kube(t testing.TB) string {
	t.Helper()
	if s.kube == "" {
		kube, err := s.findKube()
		if err != nil {
			t.Fatal(err)
		}
		s.kube = kube
	}
	return s.kube
}

func (s *Suite) findKube() (string, error) {
	if path := os.Getenv(kubeEnv); path != "" {
		if _, err := os.Stat(path); err == nil {
			return path, nil
		}
	}
	dir, err := s.tempDir()
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "windtunnel-kube")
	build := exec.Command("go", "build", "-o", path, "windtunnel/cmd/windtunnel-kube")
	build.Env = append(os.Environ(), "CGO_ENABLED=0") // as the Makefile builds it, or all of Kubernetes is compiled again
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build windtunnel-kube: %w\n%s", err, out)
	}
	return path, nil
}

// Shared is a control plane for all tests of the package, booted when first asked for. Tests leave it as they found it.
func (s *Suite) Shared(t testing.TB) *controlplane.Cluster {
	t.Helper()
	if s.one == nil && s.err == nil {
		s.err = s.bootShared(t)
	}
	if s.err != nil {
		t.Fatal(s.err)
	}
	return s.one
}

// SharedSupervisor owns the shared control plane.
func (s *Suite) SharedSupervisor(t testing.TB) *supervise.Supervisor {
	t.Helper()
	s.Shared(t)
	return s.sup
}

func (s *Suite) bootShared(t testing.TB) error {
	kube := s.Kube(t)
	dir, err := s.tempDir()
	if err != nil {
		return err
	}
	// Not the test's context: it ends with the test.
	ctx := context.Background()
	if s.sup, err = supervise.Start(ctx, SupervisorOptions(t)); err != nil {
		return err
	}
	if s.Spec.APIServer.Audit == "" {
		s.Spec.APIServer.Audit = "metadata"
	}
	s.one, err = controlplane.Boot(ctx, s.sup, controlplane.Options{
		Spec:       s.Spec,
		KubeBinary: kube, LogDir: filepath.Join(dir, "logs"), Progress: func(s string) { t.Log(s) },
	})
	return err
}

func (s *Suite) tempDir() (string, error) {
	if s.dir == "" {
		dir, err := os.MkdirTemp("", "windtunnel-test-*")
		if err != nil {
			return "", errors.New("make directory for the tests")
		}
		s.dir = dir
	}
	return s.dir, nil
}
