package observe

import (
	"fmt"
	"os"
	"testing"
	"time"

	"windtunnel/results"
)

// BenchmarkScrape is what one reading of each component's chosen metrics costs in CPU time: the component's own and ours.
// What a component spends without being read is measured first and taken off. The intervals in harness/run are chosen from
// these figures.
func BenchmarkScrape(b *testing.B) {
	cluster := suite.Shared(b)
	pids := map[string]int{}
	for _, c := range cluster.Components() {
		pids[c.Name] = c.PID
	}
	for _, one := range cluster.MetricsTargets() {
		target := Target{Component: one.Component, URL: one.URL, Client: one.Client, chooser: newChooser(one.Component, families(one.Component))}
		b.Run(one.Component, func(b *testing.B) { cost(b, target, pids[one.Component]) })
	}
}

// cost reports the CPU time of a component and of this process for each reading.
func cost(b *testing.B, target Target, pid int) {
	const quiet = 3 * time.Second
	before, began := cpu(b, pid), time.Now()
	time.Sleep(quiet)
	idle := (cpu(b, pid) - before) / time.Since(began).Seconds()

	before, own, began := cpu(b, pid), cpu(b, os.Getpid()), time.Now()
	values, size := 0, 0
	for b.Loop() {
		metrics, err := read(b.Context(), target, &results.Scrape{}, false)
		if err != nil {
			b.Fatal(err)
		}
		values = len(metrics)
	}
	took := time.Since(began).Seconds()
	theirs, ours := cpu(b, pid)-before-idle*took, cpu(b, os.Getpid())-own
	var whole results.Scrape
	if _, err := read(b.Context(), target, &whole, true); err != nil {
		b.Fatal(err)
	}
	size = len(whole.Body)
	b.ReportMetric(theirs/float64(b.N)*1e3, "component-ms/op")
	b.ReportMetric(ours/float64(b.N)*1e3, "own-ms/op")
	b.ReportMetric(float64(values), "values")
	b.ReportMetric(float64(size)/1e3, "kB")
}

// cpu is the CPU time of a process in seconds. The kernel counts it in nanoseconds for each thread; /proc/PID/stat, in
// hundredths of a second, is too coarse for a single reading and good enough for the many of a benchmark.
func cpu(b *testing.B, pid int) float64 {
	b.Helper()
	st, err := readStat(pid)
	if err != nil {
		b.Fatal(fmt.Errorf("read the CPU time: %w", err))
	}
	return st.cpuSeconds
}
