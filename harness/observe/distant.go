package observe

import (
	"sync"

	"windtunnel/results"
)

// The metrics of a process about itself, as Prometheus' client libraries name them.
const (
	metricStart = "process_start_time_seconds"
	metricCPU   = "process_cpu_seconds_total"
	metricRSS   = "process_resident_memory_bytes"
	metricFDs   = "process_open_fds"
)

// Distant makes samples of processes that are not of this machine, from what they say of themselves in their metrics.
type Distant struct {
	mu   sync.Mutex
	pids map[string]map[float64]int32 // of each component, by the start of the process
}

// NewDistant is about the components without a PID.
func NewDistant(components []results.Component) *Distant {
	d := &Distant{pids: map[string]map[float64]int32{}}
	for _, c := range components {
		if c.PID == 0 {
			d.pids[c.Name] = map[float64]int32{}
		}
	}
	return d
}

// Sample makes a sample of one look at a component; ok is false for a component whose processes are known, and for one that does not say.
// The first process of a component that is seen has the PID 0, the next -1, and so on.
func (d *Distant) Sample(look []results.Metric) (one results.ProcessSample, ok bool) {
	if len(look) == 0 {
		return one, false
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	processes, distant := d.pids[look[0].Component]
	if !distant {
		return one, false
	}
	var start float64
	one.At, one.Component = look[0].At, look[0].Component
	for _, m := range look {
		switch m.Name {
		case metricStart:
			start = m.Value
		case metricCPU:
			one.CPUSeconds, ok = m.Value, true
		case metricRSS:
			one.RSS = int64(m.Value)
		case metricFDs:
			one.FDs = int32(m.Value)
		}
	}
	pid, known := processes[start]
	if !known {
		pid = -int32(len(processes))
		processes[start] = pid
	}
	one.PID = pid
	return one, ok
}
