package kind

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"

	kindcluster "sigs.k8s.io/kind/pkg/cluster"
)

// ProviderVariable is kind's own environment variable that chooses the container engine.
const ProviderVariable = "KIND_EXPERIMENTAL_PROVIDER"

// clusterLabel is what kind puts on every container of a cluster; its value is the cluster's name.
const clusterLabel = "io.x-k8s.kind.cluster"

// Engine is the container engine that runs the nodes: docker, podman or nerdctl.
type Engine struct{ name string }

// NoEngineError says that no container engine answers.
type NoEngineError struct {
	// Tried are the engines with the answer of each.
	Tried []string
}

// Error names every engine that was tried and what to do.
func (e *NoEngineError) Error() string {
	return "kind needs Docker or Podman, and none answers (" + strings.Join(e.Tried, "; ") + "): start one, or on Debian run .ci/docker start"
}

// FindEngine finds the engine that kind uses: the one that KIND_EXPERIMENTAL_PROVIDER names, else the first of Docker,
// nerdctl and Podman that answers.
func FindEngine(ctx context.Context) (Engine, error) {
	names := []string{"docker", "nerdctl", "podman"}
	if asked := os.Getenv(ProviderVariable); asked != "" {
		names = []string{asked}
	}
	var failure NoEngineError
	for _, name := range names {
		e, err := NewEngine(name)
		if err == nil {
			err = e.answers(ctx)
		}
		if err == nil {
			return e, nil
		}
		failure.Tried = append(failure.Tried, err.Error())
	}
	return Engine{}, &failure
}

// NewEngine is the engine of that name, whether it answers or not.
func NewEngine(name string) (Engine, error) {
	switch name {
	case "docker", "podman", "nerdctl":
		return Engine{name}, nil
	}
	return Engine{}, fmt.Errorf("%s=%s: kind knows docker, podman and nerdctl", ProviderVariable, name)
}

// Name is the name of the engine's program.
func (e Engine) Name() string { return e.name }

// answers asks whether the engine works. Podman may be installed as docker, which kind would misunderstand.
func (e Engine) answers(ctx context.Context) error {
	if _, err := exec.LookPath(e.name); err != nil {
		return fmt.Errorf("%s is not installed", e.name)
	}
	if _, err := e.run(ctx, "info"); err != nil {
		return err
	}
	if e.name == "docker" {
		if version, err := e.run(ctx, "--version"); err != nil || !strings.HasPrefix(version, "Docker version") {
			return errors.New("docker is another program here: " + version)
		}
	}
	return nil
}

// run runs one command of the engine and returns what it printed.
func (e Engine) run(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, e.name, args...)
	var out, complaint bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaint
	if err := cmd.Run(); err != nil {
		if text := lastLine(complaint.String()); text != "" {
			err = errors.New(text)
		}
		return "", fmt.Errorf("%s %s: %w", e.name, args[0], err)
	}
	return strings.TrimSpace(out.String()), nil
}

func lastLine(text string) string {
	text = strings.TrimSpace(text)
	return text[strings.LastIndex(text, "\n")+1:]
}

// provider is kind's library on this engine.
func (e Engine) provider(options ...kindcluster.ProviderOption) *kindcluster.Provider {
	switch e.name {
	case "podman":
		options = append(options, kindcluster.ProviderWithPodman())
	case "nerdctl":
		options = append(options, kindcluster.ProviderWithNerdctl(""))
	default:
		options = append(options, kindcluster.ProviderWithDocker())
	}
	return kindcluster.NewProvider(options...)
}

// cgroup1 tells whether the engine's machine has cgroup v1 only.
func (e Engine) cgroup1(ctx context.Context) (bool, error) {
	format := "{{.CgroupVersion}}"
	if e.name == "podman" {
		format = "{{.Host.CgroupsVersion}}"
	}
	version, err := e.run(ctx, "info", "--format", format)
	if err != nil {
		return false, fmt.Errorf("ask for the version of cgroups: %w", err)
	}
	return strings.TrimPrefix(version, "v") == "1", nil
}

// share gives a running container so many times the share of a busy CPU that a process outside of containers has.
func (e Engine) share(ctx context.Context, name string, times int) error {
	const one = 1024 // as the kernel counts
	if _, err := e.run(ctx, "update", "--cpu-shares", strconv.Itoa(times*one), name); err != nil {
		return fmt.Errorf("set the CPU shares of %s: %w", name, err)
	}
	return nil
}

// container is what the engine knows of a running node.
type container struct {
	id  string
	pid int // of its first process, as the engine's machine counts
}

func (e Engine) inspect(ctx context.Context, name string) (container, error) {
	text, err := e.run(ctx, "inspect", "--format", "{{.Id}} {{.State.Pid}}", name)
	if err != nil {
		return container{}, err
	}
	id, number, _ := strings.Cut(text, " ")
	pid, err := strconv.Atoi(number)
	if err != nil {
		return container{}, fmt.Errorf("%s inspect %s: no pid in %q", e.name, name, text)
	}
	return container{id, pid}, nil
}
