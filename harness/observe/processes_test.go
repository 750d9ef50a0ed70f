package observe

import (
	"context"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"testing"
	"time"

	"windtunnel/results"
)

// samples keeps the samples of a test.
type samples struct {
	mu  sync.Mutex
	all map[string][]results.ProcessSample
}

func (s *samples) record(one results.ProcessSample) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all == nil {
		s.all = map[string][]results.ProcessSample{}
	}
	s.all[one.Component] = append(s.all[one.Component], one)
}

func (s *samples) of(component string) []results.ProcessSample {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]results.ProcessSample(nil), s.all[component]...)
}

func TestProcesses(t *testing.T) {
	child := exec.Command("sleep", "60")
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	var got samples
	pids := map[string]int{"self": os.Getpid(), "child": child.Process.Pid, "nobody": 1 << 30}
	s := Processes(t.Context(), func() map[string]int { return pids }, results.NewClock(), 20*time.Millisecond, got.record)
	defer s.Close()

	memory := make([]byte, 64<<20)
	for begin := time.Now(); time.Since(begin) < 150*time.Millisecond; { // CPU time for the samples to see
		for i := range memory {
			memory[i]++
		}
	}
	s.Mark(t.Context())
	child.Process.Kill()
	child.Wait()
	dead := len(got.of("child"))
	time.Sleep(100 * time.Millisecond)
	s.Close()

	self := got.of("self")
	first, last := self[0], self[len(self)-1]
	if len(self) < 5 || first.PID != int32(os.Getpid()) || last.At-first.At < int64(200*time.Millisecond) {
		t.Fatalf("%d samples from %+v to %+v", len(self), first, last)
	}
	if used := last.CPUSeconds - first.CPUSeconds; used < 0.03 || used > 5 {
		t.Errorf("%.2f s of CPU between first and last sample", used)
	}
	if last.RSS < 64<<20 || last.RSS > 4<<30 || last.Threads < 2 || last.FDs < 3 || last.FDs > 1000 {
		t.Errorf("sample %+v", last)
	}
	if first.PSS <= 0 || self[1].PSS != 0 {
		t.Errorf("PSS %d in the first sample and %d in the second, want it in the first only", first.PSS, self[1].PSS)
	}
	marked := false
	for _, one := range self {
		marked = marked || one.PSS > 64<<20
	}
	if !marked {
		t.Error("no sample has the PSS of the mark")
	}
	if n := len(got.of("child")); dead == 0 || n > dead+1 {
		t.Errorf("%d samples of a process after it ended", n-dead)
	}
	if n := len(got.of("nobody")); n != 0 {
		t.Errorf("%d samples of a process that never was", n)
	}
	runtime.KeepAlive(memory)
}

// TestProcessOfAnotherTime: a pid that another process has taken over is not sampled.
func TestProcessOfAnotherTime(t *testing.T) {
	s := &Sampler{clock: results.NewClock(), first: map[process]uint64{}}
	self := process{"self", os.Getpid()}
	if _, ok := s.look(self, false); !ok {
		t.Fatal("no sample of this process")
	}
	s.first[self]--
	if _, ok := s.look(self, false); ok {
		t.Error("a process that started at another time was sampled")
	}
}

func TestMarkAfterTheEnd(t *testing.T) {
	s := Processes(t.Context(), func() map[string]int { return nil }, results.NewClock(), time.Hour, func(results.ProcessSample) {})
	s.Close()
	s.Mark(context.Background()) // returns
}

func TestParseStat(t *testing.T) {
	line := "4711 (a) b (c d) S 1 2 3 4 5 6 7 8 9 10 250 150 13 14 15 16 37 18 987654 20 1000 22 23"
	got, err := parseStat([]byte(line))
	want := stat{started: 987654, cpuSeconds: 4, threads: 37, rss: 1000 * int64(os.Getpagesize())}
	if err != nil || got != want {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	for _, bad := range []string{"", "4711 sleep S 1", "4711 (sleep) S 1 2 3", "4711 (sleep) S 1 2 3 4 5 6 7 8 9 10 x 150 13 14 15 16 37 18 987654 20 1000"} {
		if _, err := parseStat([]byte(bad)); err == nil {
			t.Errorf("no error of %q", bad)
		}
	}
}

// BenchmarkLook is what one sample of a process costs, without and with its PSS.
func BenchmarkLook(b *testing.B) {
	memory := make([]byte, 512<<20) // the size of a process with 250 hollow nodes
	for i := 0; i < len(memory); i += 4096 {
		memory[i] = 1
	}
	s := &Sampler{clock: results.NewClock(), first: map[process]uint64{}}
	for name, pss := range map[string]bool{"stat": false, "stat and PSS of 512 MiB": true} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, ok := s.look(process{"self", os.Getpid()}, pss); !ok {
					b.Fatal("no sample")
				}
			}
		})
	}
	runtime.KeepAlive(memory)
}
