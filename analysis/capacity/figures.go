package capacity

import (
	"fmt"

	"windtunnel/results"
)

// figures are the numbers of a run by which a part of the system can be seen to give out.
func figures(s results.Summary) []figure {
	all := append(processorFigures(s), memoryFigures(s)...)
	if s.ServerSide == nil {
		return all
	}
	for _, level := range s.ServerSide.PriorityLevels {
		all = append(all, priorityFigures(level)...)
	}
	for _, q := range s.ServerSide.WorkQueues {
		if q.MeanWait != nil {
			all = append(all, figure{component: q.Component, name: "queue " + q.Name, text: fmt.Sprintf("mean wait in the work queue %s", q.Name),
				unit: "s", value: *q.MeanWait, least: 0.05, n: q.N, wait: true})
		}
	}
	for _, f := range s.ServerSide.Figures {
		if g, ok := ofComponent(f); ok {
			all = append(all, g)
		}
	}
	return all
}

// fullMachine is the share of the machine's CPU or memory beyond which it counts as used up: hardly a moment is left in which
// a thread that could run finds a free core.
const fullMachine = 0.9

// processorFigures are the machine's CPU and each component's part of it.
func processorFigures(s results.Summary) []figure {
	length, machine := results.MeasuredSeconds(s.Phases), float64(s.Run.Machine.Cores)
	if length == 0 || machine == 0 || len(s.Components) == 0 {
		return nil
	}
	var all []figure
	sum := figure{component: "machine", name: "cpu", unit: "cores", limit: fullMachine * machine, of: fmt.Sprintf(", 90 %% of the machine's %g", machine)}
	largest := s.Components[0]
	for _, c := range s.Components {
		all = append(all, figure{component: c.Name, name: "cpu", text: "CPU of " + c.Name, unit: "cores", value: c.CPUSeconds / length, least: 0.1 * machine, n: c.Samples})
		sum.value, sum.n = sum.value+c.CPUSeconds/length, sum.n+c.Samples
		if c.CPUSeconds > largest.CPUSeconds {
			largest = c
		}
	}
	sum.text = fmt.Sprintf("CPU of all components together (most of it %s, %.2f cores)", largest.Name, largest.CPUSeconds/length)
	return append(all, sum)
}

func memoryFigures(s results.Summary) []figure {
	if s.Run.Machine.MemoryBytes == 0 {
		return nil
	}
	sum := figure{component: "machine", name: "memory", text: "peak memory of all components together", unit: "bytes",
		limit: fullMachine * float64(s.Run.Machine.MemoryBytes), of: ", 90 % of the machine's"}
	for _, c := range s.Components {
		sum.value, sum.n = sum.value+float64(c.PeakBytes), sum.n+c.Samples
	}
	return []figure{sum}
}

func priorityFigures(l results.PriorityLevel) []figure {
	name := "priority level " + l.Name
	all := []figure{
		{component: "kube-apiserver", name: name + " rejected", text: "requests that " + name + " turned away (429)", unit: "requests", value: float64(l.Rejected), n: l.Requests + l.Rejected, zero: true},
		{component: "kube-apiserver", name: name + " queued", text: "most requests in the queues of " + name + " at any look", unit: "requests", value: l.MostQueued, least: 10, n: l.Looks},
	}
	if l.MeanWait != nil {
		all = append(all, figure{component: "kube-apiserver", name: name + " wait", text: "mean wait in the queues of " + name, unit: "s", value: *l.MeanWait, least: 0.01, n: l.Requests, wait: true})
	}
	if l.Seats > 0 {
		all = append(all, figure{component: "kube-apiserver", name: name + " seats", text: "most seats of " + name + " in use at any look", unit: "seats", value: l.MostSeats, limit: l.Seats, n: l.Looks})
	}
	return all
}

// ofComponent gives a figure of the server side its limit, or the size from which its rise counts.
func ofComponent(f results.ComponentFigure) (figure, bool) {
	g := figure{component: f.Component, name: f.Name, text: f.Text, unit: f.Unit, value: f.Value, n: f.N}
	switch f.Name {
	case "fsync_mean":
		g.limit, g.wait = fsyncLimit, true
	case "commit_mean":
		g.limit, g.wait = commitLimit, true
	case "db_size_end":
		g.limit = quotaLimit
	case "watchers_terminated":
		g.zero = true
	case "limiter_mean", "attempt_mean", "etcd_request_mean":
		g.least, g.wait = 0.01, true
	case "pending_max", "queue_depth_max":
		g.least = 50
	case "inflight_mutating_max", "inflight_read_only_max":
		g.least = 20
	default:
		return g, false
	}
	return g, true
}
