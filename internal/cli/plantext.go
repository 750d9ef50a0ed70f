package cli

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"windtunnel/harness/existing"
	"windtunnel/profiles"
)

// curveBins is the width of the drawing of a phase's rate.
const curveBins = 60

// writePlan prints what a run would do.
func writePlan(w io.Writer, plan *profiles.Plan) error {
	out := bufio.NewWriter(w)
	p, estimate := plan.Profile, plan.Estimate()
	fmt.Fprintf(out, "%s\n\n", strings.TrimSuffix(p.Name+": "+p.Description, ": "))
	fmt.Fprintf(out, "seed %d · %d hollow nodes (tier %s) · at most %d pods at one time\n", p.Seed, estimate.Nodes, p.HollowNodes.Tier, estimate.Pods)
	fmt.Fprintf(out, "planned: %s, and what the system needs to answer · about %.1f GB of memory · %d open files in the largest process\n",
		short(estimate.Duration), float64(estimate.Memory)/1e9, estimate.Files)
	fmt.Fprintf(out, "limits: %s\n", limits(p.ControlPlane))
	writeGrace(out, plan)
	writeGuest(out, plan)
	for _, phase := range plan.Outline() {
		writePhase(out, plan, phase)
	}
	if len(estimate.Requests) > 0 {
		fmt.Fprintln(out, "\nrequests of the harness, by verb and resource")
		writeCounts(out, estimate.Requests)
	}
	if closedLoops(plan) {
		fmt.Fprintln(out, "  and as many of the closed loops as the system answers")
	}
	return out.Flush()
}

// writeGrace says, where a plan breaks nodes, how long one may be silent before it counts as lost: a fault that is shorter leaves it Ready.
func writeGrace(out io.Writer, plan *profiles.Plan) {
	if !plan.Profile.ControlPlane.Made() || !hasStep(plan, func(s profiles.Step) bool { return s.Fault != nil && (s.Fault.Nodes != nil || s.Fault.NodesDown > 0) }) {
		return
	}
	grace := "50s, Kubernetes' default"
	if arg, set := plan.Profile.ControlPlane.ControllerManager.Args["node-monitor-grace-period"]; set {
		grace = arg
	}
	fmt.Fprintf(out, "nodes: lost after %s without a renewal (node-monitor-grace-period); one that is back sooner stays Ready\n", grace)
}

// writeGuest prints what a run would be allowed to do on a cluster that exists; nothing for any other.
func writeGuest(out io.Writer, plan *profiles.Plan) {
	cp := plan.Profile.ControlPlane
	if cp.Existing == nil || cp.Provider != profiles.ProviderExisting {
		return
	}
	fmt.Fprintf(out, "on the cluster of %s: %d users in a priority level of %d shares, after a baseline of %s; they may\n",
		cp.Existing.Kubeconfig, existing.Users(plan), cp.Existing.Shares, cp.Existing.Baseline)
	for _, line := range existing.Rights(plan) {
		fmt.Fprintf(out, "  %s\n", line)
	}
}

// closedLoops tells whether the plan has users, whose requests nobody can count before they are answered.
func closedLoops(plan *profiles.Plan) bool {
	return hasStep(plan, func(s profiles.Step) bool { return s.Requests != nil && s.Requests.ClosedLoop != nil })
}

// hasStep tells whether a plan has a step that is so.
func hasStep(plan *profiles.Plan, is func(profiles.Step) bool) bool {
	for _, phase := range plan.Phases {
		for _, track := range phase.Tracks {
			for _, step := range track.Steps {
				if is(step) {
					return true
				}
			}
		}
	}
	return false
}

// limits says what the components' own client limits are; they shape the load as much as the profile does.
func limits(c profiles.ControlPlane) string {
	if !c.Made() {
		return "those that the cluster was made with, which nobody here knows"
	}
	one := func(name string, client profiles.Client) string {
		if client.QPS == 0 {
			return name + " Kubernetes' default"
		}
		return fmt.Sprintf("%s %g requests/s, burst %d", name, client.QPS, client.Burst)
	}
	return one("controller-manager", c.ControllerManager) + " · " + one("scheduler", c.Scheduler)
}

func writePhase(out io.Writer, plan *profiles.Plan, phase profiles.PhaseOutline) {
	measured := ""
	if phase.Measured {
		measured = ", measured"
	}
	fmt.Fprintf(out, "\nphase %s (%s%s)\n", phase.Name, short(phase.Duration), measured)
	for _, track := range phase.Tracks {
		background := ""
		if track.Background {
			background = " (to the end of the phase)"
		}
		fmt.Fprintf(out, "  track %s%s\n", track.Name, background)
		for _, step := range track.Steps {
			fmt.Fprintf(out, "    %-9s %s\n", step.Kind, step.Text)
		}
	}
	if curve := plan.Curve(phase.Name, curveBins); curve != nil {
		top := slices.Max(curve)
		fmt.Fprintf(out, "  rate      %s  0 … %.3g/s over %s\n", sparkline(curve, top), top, short(phase.Duration.Round(time.Second)))
	}
}

// sparkline draws values from 0 to top as bars of eighths.
func sparkline(values []float64, top float64) string {
	bars := []rune("▁▂▃▄▅▆▇█")
	var b strings.Builder
	for _, v := range values {
		if v <= 0 || top <= 0 {
			b.WriteByte(' ')
			continue
		}
		b.WriteRune(bars[min(len(bars)-1, int(v/top*float64(len(bars))))])
	}
	return b.String()
}
