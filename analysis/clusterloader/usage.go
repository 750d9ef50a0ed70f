package clusterloader

import (
	"fmt"
	"maps"
	"slices"
	"strconv"

	"go.yaml.in/yaml/v3"

	"windtunnel/analysis/stats"
	"windtunnel/results"
)

// ContainerUsage is what one component took at one percentile, in the shape of ClusterLoader2's summary.
type ContainerUsage struct {
	Name string
	CPU  float64 // cores
	Mem  uint64  // bytes
}

// process tells the processes of a component apart.
type process struct {
	component string
	pid       int32
}

// ResourceUsage are the percentiles 50, 90, 99 and 100 of the CPU time between two samples and of the memory of every component; nil without
// two samples of any process. The samples must be in order of time. What passed between two processes of a component is no usage.
func ResourceUsage(samples []results.ProcessSample) map[string][]ContainerUsage {
	by := map[process][]results.ProcessSample{}
	for _, s := range samples {
		k := process{s.Component, s.PID}
		by[k] = append(by[k], s)
	}
	cores, memory := map[string][]float64{}, map[string][]float64{}
	for p, rs := range by {
		pss := slices.ContainsFunc(rs, func(r results.ProcessSample) bool { return r.PSS > 0 })
		for i, r := range rs {
			switch {
			case !pss:
				memory[p.component] = append(memory[p.component], float64(r.RSS))
			case r.PSS > 0: // which not every sample has
				memory[p.component] = append(memory[p.component], float64(r.PSS))
			}
			if i > 0 && r.At > rs[i-1].At {
				cores[p.component] = append(cores[p.component], (r.CPUSeconds-rs[i-1].CPUSeconds)/seconds(r.At-rs[i-1].At))
			}
		}
	}
	if len(cores) == 0 {
		return nil
	}
	out := map[string][]ContainerUsage{}
	for _, name := range slices.Sorted(maps.Keys(cores)) {
		slices.Sort(cores[name])
		slices.Sort(memory[name])
		for _, q := range []int{50, 90, 99, 100} {
			out[strconv.Itoa(q)] = append(out[strconv.Itoa(q)], ContainerUsage{name, stats.Quantile(cores[name], float64(q)/100), uint64(stats.Quantile(memory[name], float64(q)/100))})
		}
	}
	return out
}

// within are the process samples of a time, of all processes but windtunnel's own.
func (e *evidence) within(w window) []results.ProcessSample {
	var all []results.ProcessSample
	for _, s := range e.processes {
		if s.At >= w.start.At && s.At <= w.gather.At && s.Component != "windtunnel" {
			all = append(all, s)
		}
	}
	return all
}

// constraint is what a component may take at most; 0 is no limit.
type constraint struct {
	CPU    float64 `yaml:"cpuConstraint"`
	Memory uint64  `yaml:"memoryConstraint"`
}

// resourceUsage is what every process took between start and gather, held to the constraints of its component: the run has what the file
// of constraints says in the place of its name. Constraints of components that are not there decide nothing.
func resourceUsage(e *evidence, w window) finding {
	text, err := w.start.params.text("resourceConstraints", "")
	if err != nil {
		return failed(err)
	}
	usage := ResourceUsage(e.within(w))
	f := finding{decides: text != "", empty: usage == nil}
	if usage == nil {
		f.note("there are no samples of processes")
		return f
	}
	f.summaries = []summary{{"ResourceUsageSummary", usage}}
	var limits map[string]constraint
	if err := yaml.Unmarshal([]byte(text), &limits); err != nil {
		f.note("the records do not have the constraints of %s", text)
	}
	judged := false
	for _, u := range usage["99"] {
		limit, limited := limits[u.Name]
		n := 0
		for _, s := range e.within(w) {
			if s.Component == u.Name {
				n++
			}
		}
		judged = judged || limit.CPU > 0 || limit.Memory > 0
		f.usage(u.Name+" CPU p99", u.CPU, "cores", limit.CPU, limited && limit.CPU > 0, n)
		f.usage(u.Name+" memory p99", float64(u.Mem), "bytes", float64(limit.Memory), limited && limit.Memory > 0, n)
	}
	if f.decides && !judged {
		f.empty = true
		f.note("no component that was there has a constraint")
	}
	return f
}

func (f *finding) usage(name string, value float64, unit string, limit float64, limited bool, n int) {
	if !limited {
		f.show(name, value, unit, n)
		return
	}
	f.judge(name, value, unit, limit, false, n)
	if value > limit {
		f.violate("%s", fmt.Sprintf("%s is %g %s, more than %g", name, value, unit, limit))
	}
}
