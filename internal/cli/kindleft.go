package cli

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"

	"windtunnel/harness/kind"
	"windtunnel/harness/run"
)

// downKind deletes a kind cluster that windtunnel made and that no supervisor owns any more.
func (a *app) downKind(ctx context.Context, name string) error {
	engine, err := kind.FindEngine(ctx)
	if err != nil {
		return &run.EnvironmentError{Err: err}
	}
	left, err := kind.Left(ctx, engine)
	if err != nil {
		return &run.EnvironmentError{Err: err}
	}
	for _, one := range left {
		if one == name {
			if err := kind.Delete(ctx, engine, name); err != nil {
				return &run.EnvironmentError{Err: err}
			}
			fmt.Fprintln(a.out, "down")
			return nil
		}
	}
	return usageError{fmt.Errorf("%s is no kind cluster that windtunnel left (they are: %s)", name, orNone(left))}
}

func orNone(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}

// leftHint says which kind clusters are left and how to remove them; "" when there are none or no container engine answers.
func leftHint(ctx context.Context) string {
	engine, err := kind.FindEngine(ctx)
	if err != nil {
		return ""
	}
	left, err := kind.Left(ctx, engine)
	if err != nil || len(left) == 0 {
		return ""
	}
	var commands []string
	for _, name := range left {
		commands = append(commands, "windtunnel down --kind "+name)
	}
	return "kind clusters that were kept, or left when everything was killed, stay until: " + strings.Join(commands, "; ")
}

// sysResource is the number of the capability without which a container cannot be privileged.
const sysResource = 24

// checkKind is advice, not a condition: only the provider kind needs a container engine.
func checkKind(ctx context.Context) checked {
	const name = "kind"
	engine, err := kind.FindEngine(ctx)
	if err != nil {
		return checked{name, "not usable, which only --provider kind needs: " + err.Error(), true}
	}
	text := engine.Name() + " answers"
	if capabilityMissing(sysResource) && engine.Name() == "docker" {
		runtime, err := exec.CommandContext(ctx, "docker", "info", "--format", "{{.DefaultRuntime}}").Output()
		if err == nil && strings.TrimSpace(string(runtime)) == "runc" {
			text += "; this machine lacks CAP_SYS_RESOURCE, which kind's privileged containers ask for: where the Docker daemon lacks it, too, start one by .ci/docker start"
		}
	}
	if hint := leftHint(ctx); hint != "" {
		text += "; " + hint
	}
	return checked{name, text, true}
}

// capabilityMissing tells whether no process here can have a capability.
func capabilityMissing(number int) bool {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return false
	}
	for line := range strings.Lines(string(status)) {
		if hex, ok := strings.CutPrefix(line, "CapBnd:"); ok {
			bits, err := strconv.ParseUint(strings.TrimSpace(hex), 16, 64)
			return err == nil && bits>>number&1 == 0
		}
	}
	return false
}
