package paper

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"windtunnel/profiles"
	"windtunnel/results"
)

func environment(in Input) []Block {
	blocks := []Block{
		para("The objectives are those of Kubernetes' SIG Scalability ", cite("slos"), ", in ", table("1"), " with what was measured. Two rules of judgement are in this paper: an objective is judged by its measured share or quantile itself, as it is defined, and the table says whether the whole interval agrees; a finding of the source is judged by the whole interval, so that it can stay undecided. The cluster as it was simulated, and the machine that carried all of it, control plane, hollow nodes and users, are described by ", table("2"), ". The control plane is the real one, each component a process of its own."),
	}
	blocks = append(append(blocks, sloTables(in.all())...), clusterTable(in.all()))
	var notes List
	for _, e := range in.all() {
		for _, c := range e.Summary.Conditions {
			if !c.Holds {
				notes = append(notes, para(strong(e.Name), ", ", code(c.Name), ": ", c.Text, limits(c)))
			}
		}
	}
	if len(notes) > 0 {
		blocks = append(blocks, para("The objectives have preconditions of their own ", cite("slos"), ". Those that were not kept:"), notes)
	}
	return blocks
}

// limits says how far a condition was missed; empty for one that is a matter of yes or no.
func limits(c results.Condition) string {
	if c.Unit == "1" {
		return ""
	}
	return fmt.Sprintf(": %s, the limit is %s (%s)", short(c.Measured), short(c.Limit), c.Unit)
}

// clusterTable is table 2: the simulated cluster of every run, one column each.
func clusterTable(all []*Experiment) Table {
	t := Table{Number: "2", Caption: para("The simulated cluster and the machine that carried it."), Header: []string{""}, Left: []int{0}}
	for i, e := range all {
		t.Header = append(t.Header, e.Name)
		t.Wide = append(t.Wide, i+1)
	}
	row := func(name string, say func(*Experiment) string) {
		cells, any := []string{name}, false
		for _, e := range all {
			said := say(e)
			any = any || said != ""
			if said == "" {
				said = none
			}
			cells = append(cells, said)
		}
		if any {
			t.Rows = append(t.Rows, cells)
		}
	}
	row("run", func(e *Experiment) string { return e.Run.ID })
	row("verdict of the run", func(e *Experiment) string { return string(e.Summary.Verdict) })
	row("hollow nodes", func(e *Experiment) string { return count(int64(e.Summary.Run.Nodes)) })
	row("tier of the nodes", func(e *Experiment) string {
		if h := e.Profile.HollowNodes; h.Tier == profiles.TierLight {
			return h.Tier + ", fidelity " + h.Fidelity
		}
		return ""
	})
	row("pods in all", func(e *Experiment) string { return count(int64(e.Summary.Run.Pods)) })
	row("start-ups of pods that were measured", func(e *Experiment) string { return count(int64(len(e.Pods))) })
	row("most pods on one node at a time (measured)", (*Experiment).mostPodsPerNode)
	row("kubelet's maxPods", func(e *Experiment) string { return positive(float64(e.Profile.HollowNodes.MaxPods)) })
	row("capacity of a node", func(e *Experiment) string { return pairs(e.Profile.HollowNodes.Capacity) })
	row("kube-proxies", func(e *Experiment) string {
		if e.Profile.HollowNodes.Proxy != nil && !*e.Profile.HollowNodes.Proxy {
			return "none"
		}
		return "one per node"
	})
	row("measured phases", func(e *Experiment) string { return duration(e.measuredSeconds()) })
	row("seed", func(e *Experiment) string { return fmt.Sprint(e.Run.Seed) })
	row("control plane", func(e *Experiment) string { return e.Run.Provider })
	names := map[string]bool{}
	for _, e := range all {
		for name := range e.Run.Versions {
			names[name] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		row(versionName(name), func(e *Experiment) string { return e.Run.Versions[name] })
	}
	limits := map[string]bool{}
	for _, e := range all {
		for name := range e.Run.Limits {
			limits[name] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(limits)) {
		row(name, func(e *Experiment) string { return positive(e.Run.Limits[name]) })
	}
	row("etcd WAL fsync before a write is answered", func(e *Experiment) string {
		if e.Profile.ControlPlane.Etcd.Fsync != nil && !*e.Profile.ControlPlane.Etcd.Fsync {
			return "no"
		}
		return "yes"
	})
	row("machine", func(e *Experiment) string {
		m := e.Run.Machine
		return fmt.Sprintf("%d × %s, %s", m.Cores, m.CPU, gibibytes(m.MemoryBytes))
	})
	row("system", func(e *Experiment) string { return e.Run.Machine.OS + ", kernel " + release(e.Run.Machine.Kernel) })
	row("file system of the store", func(e *Experiment) string { return e.Run.Machine.Filesystem })
	return t
}

// versionName is how table 2 calls a version that a run has recorded.
func versionName(key string) string {
	switch key {
	case "kubernetes":
		return "Kubernetes"
	case "go":
		return "Go"
	case "gitCommit":
		return "commit of windtunnel"
	}
	return key
}

// release is the numeric version of a kernel; what a distribution or a host appends says nothing to a reader.
func release(kernel string) string {
	if number := regexp.MustCompile(`^[0-9]+(\.[0-9]+)*`).FindString(kernel); number != "" {
		return number
	}
	return kernel
}

// positive is a number, "" for 0.
func positive(v float64) string {
	if v == 0 {
		return ""
	}
	return short(v)
}

func pairs(m map[string]string) string {
	var words []string
	for _, name := range slices.Sorted(maps.Keys(m)) {
		words = append(words, name+" "+m[name])
	}
	return strings.Join(words, ", ")
}
