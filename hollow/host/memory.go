package host

import (
	"context"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

const (
	// leastGrowth is how far beyond what is live the heap may grow in any case. A limit that leaves less than that would have
	// the collector run all the time, so it gives way: the caches of kubelets and proxies grow with the services and endpoints
	// of the cluster, which nobody foretold.
	leastGrowth = 1.6
	governEvery = 5 * time.Second
)

// govern keeps the process's memory limit at what the shard is allowed at the time, or at what its live memory needs if that is more,
// until ctx ends.
func govern(ctx context.Context, allowed func() int64, gcPercent int) {
	debug.SetGCPercent(gcPercent)
	debug.SetMemoryLimit(allowed())
	tick := time.NewTicker(governEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			debug.SetMemoryLimit(memoryLimit(allowed(), readMemory()))
		case <-ctx.Done():
			return
		}
	}
}

// memory is what the process has from the system, in bytes.
type memory struct {
	live    int64 // heap that the last collection found in use
	outside int64 // stacks and the runtime's own
}

func memoryLimit(allowed int64, m memory) int64 {
	return max(allowed, m.outside+int64(leastGrowth*float64(m.live)))
}

func readMemory() memory {
	samples := []metrics.Sample{
		{Name: "/gc/heap/live:bytes"},
		{Name: "/memory/classes/total:bytes"},
		{Name: "/memory/classes/heap/objects:bytes"},
		{Name: "/memory/classes/heap/unused:bytes"},
		{Name: "/memory/classes/heap/free:bytes"},
		{Name: "/memory/classes/heap/released:bytes"},
	}
	metrics.Read(samples)
	value := func(i int) int64 { return int64(samples[i].Value.Uint64()) }
	return memory{live: value(0), outside: value(1) - value(2) - value(3) - value(4) - value(5)}
}
