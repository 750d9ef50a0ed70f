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
				unit: "s", value: *q.MeanWait, least: 0.05, n: q.N})
		}
	}
	for _, f := range s.ServerSide.Figures {
		if g, ok := ofComponent(f); ok {
			all = append(all, g)
		}
	}
	return all
}

// processorFigures are the machine's CPU and each component's part of it.
func processorFigures(s results.Summary) []figure {
	length, machine := measuredSeconds(s), float64(s.Run.Machine.Cores)
	if length == 0 || machine == 0 {
		return nil
	}
	var all []figure
	total, samples := 0.0, int64(0)
	for _, c := range s.Components {
		cores := c.CPUSeconds / length
		total, samples = total+cores, samples+c.Samples
		all = append(all, figure{component: c.Name, name: "cpu", text: "CPU of " + c.Name, unit: "cores", value: cores, least: 0.1 * machine, n: c.Samples})
	}
	// Beyond 90 % there is hardly a moment in which a thread that could run finds a free core.
	return append(all, figure{component: "machine", name: "cpu", text: "CPU of all components together", unit: "cores", value: total, limit: 0.9 * machine, n: samples})
}

func memoryFigures(s results.Summary) []figure {
	if s.Run.Machine.MemoryBytes == 0 {
		return nil
	}
	total, samples := 0.0, int64(0)
	for _, c := range s.Components {
		total, samples = total+float64(c.PeakBytes), samples+c.Samples
	}
	return []figure{{component: "machine", name: "memory", text: "peak memory of all components together", unit: "bytes", value: total,
		limit: 0.9 * float64(s.Run.Machine.MemoryBytes), n: samples}}
}

func priorityFigures(l results.PriorityLevel) []figure {
	name := "priority level " + l.Name
	all := []figure{
		{component: "kube-apiserver", name: name + " rejected", text: "requests that " + name + " turned away (429)", unit: "requests", value: float64(l.Rejected), n: l.Requests + l.Rejected, zero: true},
		{component: "kube-apiserver", name: name + " queued", text: "most requests in the queues of " + name + " at any look", unit: "requests", value: l.MostQueued, least: 10, n: l.Looks},
	}
	if l.MeanWait != nil {
		all = append(all, figure{component: "kube-apiserver", name: name + " wait", text: "mean wait in the queues of " + name, unit: "s", value: *l.MeanWait, least: 0.01, n: l.Requests})
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
		g.limit = fsyncLimit
	case "commit_mean":
		g.limit = commitLimit
	case "db_size_end":
		g.limit = quotaLimit
	case "watchers_terminated":
		g.zero = true
	case "limiter_mean", "attempt_mean", "etcd_request_mean":
		g.least = 0.01
	case "pending_max", "queue_depth_max":
		g.least = 50
	case "inflight_mutating_max", "inflight_read_only_max":
		g.least = 20
	default:
		return g, false
	}
	return g, true
}

func measuredSeconds(s results.Summary) float64 {
	sum := 0.0
	for _, p := range s.Phases {
		if p.Measured && p.End > p.Begin {
			sum += float64(p.End-p.Begin) / 1e9
		}
	}
	return sum
}
