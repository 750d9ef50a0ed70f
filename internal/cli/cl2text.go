package cli

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"windtunnel/profiles"
	"windtunnel/profiles/cl2"
)

// writeCL2Plan prints what a test would do; guest says on which cluster, and what it would be allowed there.
func writeCL2Plan(w io.Writer, name string, plan *cl2.Plan, guest *profiles.Plan) error {
	out := bufio.NewWriter(w)
	fmt.Fprintf(out, "%s: %s, a test of ClusterLoader2's\n\n", plan.Name, name)
	fmt.Fprintf(out, "seed %d · %d nodes · at most %d pods at one time\n", plan.Seed, plan.Nodes, plan.PeakPods)
	fmt.Fprintf(out, "planned: %s of paces and sleeps, and what the system needs to answer\n", short(plan.Duration()))
	fmt.Fprintf(out, "namespaces: %s\n", namespaces(plan.Namespace))
	writeGuest(out, guest)
	if f := plan.ChaosMonkey.NodeFailure; f != nil {
		fmt.Fprintf(out, "node failures: %.4g %% of the nodes every %s, for %s each\n", f.FailureRate*100, f.Interval, f.SimulatedDowntime)
	}
	for _, s := range plan.Steps {
		writeCL2Step(out, s)
	}
	fmt.Fprintln(out, "\noperations on objects, by kind")
	writeCL2Operations(out, plan)
	fmt.Fprintln(out, "\nrequests of the harness, by verb and resource")
	writeCounts(out, plan.Requests())
	return out.Flush()
}

func namespaces(n cl2.Namespace) string {
	text := n.Prefix + "-1"
	if n.Number > 1 {
		text = fmt.Sprintf("%s … %s-%d", text, n.Prefix, n.Number)
	}
	if !n.DeleteAutomanagedNamespaces {
		text += ", which stay"
	}
	return text
}

func writeCL2Step(out io.Writer, s *cl2.PlannedStep) {
	var notes []string
	if s.Duration > 0 {
		notes = append(notes, short(s.Duration))
	}
	if s.Module != "" {
		notes = append(notes, s.Module)
	}
	fmt.Fprintf(out, "\nstep %d %s", s.Number, cmp.Or(s.Name, "without a name"))
	if len(notes) > 0 {
		fmt.Fprintf(out, " (%s)", strings.Join(notes, ", "))
	}
	fmt.Fprintln(out)
	for _, m := range s.Measurements {
		text := m.Method
		if m.Identifier != m.Method {
			text += " " + m.Identifier
		}
		if m.Skip != "" {
			text += " — not measured: " + m.Skip
		}
		fmt.Fprintf(out, "    %-8s %s\n", cmp.Or(m.Action, "call"), text)
	}
	for _, p := range s.Phases {
		fmt.Fprintf(out, "    %-8s %s\n", "objects", phaseText(p))
	}
}

// phaseText is a phase in one line: what, where and at which pace.
func phaseText(p cl2.PlannedPhase) string {
	counts := map[string]int{}
	for _, a := range p.Actions {
		for _, o := range a.Operations {
			counts[string(o.Verb)+" "+o.Resource.Kind]++
		}
	}
	var parts []string
	for _, key := range slices.Sorted(maps.Keys(counts)) {
		parts = append(parts, fmt.Sprintf("%s × %d", key, counts[key]))
	}
	for i, c := range p.Counts {
		if i == 0 {
			parts = append(parts, fmt.Sprintf("and what a LIST of %s with %s finds beyond %d", c.Resource.Name, c.Selector, p.Replicas))
		}
	}
	where := "the cluster"
	switch n := len(p.Namespaces); {
	case n == 1 && p.Namespaces[0] != "":
		where = p.Namespaces[0]
	case n > 1:
		where = fmt.Sprintf("%d namespaces", n)
	}
	return fmt.Sprintf("%s in %s; %s: %s", cmp.Or(strings.Join(parts, ", "), "nothing"), where, p.TuningSet, p.Pace)
}

func writeCL2Operations(out io.Writer, plan *cl2.Plan) {
	tw := tabwriter.NewWriter(out, 0, 8, 2, ' ', tabwriter.AlignRight)
	operations := plan.Operations()
	total := 0
	for _, verb := range []profiles.OperationVerb{profiles.OperationCreate, profiles.OperationPatch, profiles.OperationDelete} {
		for _, kind := range slices.Sorted(maps.Keys(operations[verb])) {
			fmt.Fprintf(tw, "  %d\t %s %s\n", operations[verb][kind], verb, kind)
			total += operations[verb][kind]
		}
	}
	fmt.Fprintf(tw, "  %d\t in all\n", total)
	tw.Flush()
}

// writeCounts prints counts in a column before what they count.
func writeCounts(out io.Writer, counts map[string]int) {
	tw := tabwriter.NewWriter(out, 0, 8, 2, ' ', tabwriter.AlignRight)
	for _, key := range slices.Sorted(maps.Keys(counts)) {
		fmt.Fprintf(tw, "  %d\t %s\n", counts[key], key)
	}
	tw.Flush()
}
