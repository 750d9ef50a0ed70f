package observe

import (
	"context"
	"time"

	"windtunnel/results"
)

// pssEvery is how many samples there are to one with the PSS. The kernel took 32 ms for the PSS of a process of 512 MiB, and
// 0.2 ms for all the rest (BenchmarkLook); for that long the process cannot map memory.
const pssEvery = 30

// Sampler looks at processes once in a while.
type Sampler struct {
	pids   func() map[string]int
	clock  results.Clock
	record func(results.ProcessSample)

	first  map[process]uint64 // when each process that was seen had started
	marks  chan chan struct{}
	cancel context.CancelFunc
	done   chan struct{}
}

// process is what a component's samples are about.
type process struct {
	component string
	pid       int
}

// Processes samples the processes that pids names (component to pid; it is asked every time, so that a restarted component is
// followed) at once and then every so often, until ctx ends or Close is called. The first, every thirtieth and each of Mark
// have the PSS. A process that is gone, or whose pid another process has taken over, gives no sample.
func Processes(ctx context.Context, pids func() map[string]int, clock results.Clock, every time.Duration, record func(results.ProcessSample)) *Sampler {
	s := &Sampler{
		pids: pids, clock: clock, record: record, first: map[process]uint64{},
		marks: make(chan chan struct{}), done: make(chan struct{}),
	}
	ctx, s.cancel = context.WithCancel(ctx)
	go func() {
		defer close(s.done)
		s.run(ctx, every)
	}()
	return s
}

// Mark takes a sample with the PSS now, as for the edge of a phase, and returns when it is recorded.
func (s *Sampler) Mark(ctx context.Context) {
	taken := make(chan struct{})
	select {
	case s.marks <- taken:
	case <-ctx.Done():
		return
	case <-s.done:
		return
	}
	select {
	case <-taken:
	case <-s.done:
	}
}

// Close ends the sampling and waits until nothing more is recorded.
func (s *Sampler) Close() {
	s.cancel()
	<-s.done
}

func (s *Sampler) run(ctx context.Context, every time.Duration) {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for n := 0; ; n++ {
		s.sample(n%pssEvery == 0)
	waiting:
		for {
			select {
			case <-ctx.Done():
				return
			case taken := <-s.marks:
				s.sample(true)
				close(taken)
			case <-ticker.C:
				break waiting
			}
		}
	}
}

// sample takes one look at every process.
func (s *Sampler) sample(withPSS bool) {
	for component, pid := range s.pids() {
		if one, ok := s.look(process{component, pid}, withPSS); ok {
			s.record(one)
		}
	}
}

// look takes one look at one process. What fails for a process that is still there, such as the PSS of another user's, stays 0.
func (s *Sampler) look(p process, withPSS bool) (results.ProcessSample, bool) {
	at := s.clock.Now()
	st, err := readStat(p.pid)
	if err != nil {
		return results.ProcessSample{}, false
	}
	if started, seen := s.first[p]; seen && started != st.started {
		return results.ProcessSample{}, false
	}
	s.first[p] = st.started
	one := results.ProcessSample{
		At: at, Component: p.component, PID: int32(p.pid), CPUSeconds: st.cpuSeconds, RSS: st.rss, Threads: st.threads,
	}
	one.FDs, _ = countFDs(p.pid)
	if withPSS {
		one.PSS, _ = readPSS(p.pid)
	}
	return one, true
}
