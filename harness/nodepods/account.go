package nodepods

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"windtunnel/hollow/pod"
	"windtunnel/results"
)

// accountEvery is how often a pod whose process cannot be seen is asked for its account.
const accountEvery = time.Second

// account begins to ask the pods for their accounts, those whose processes cannot be seen here.
func (p *Pack) account() {
	if p.opts.Processes == nil {
		return
	}
	for _, c := range p.Components() {
		if c.PID != 0 {
			continue
		}
		n := ordinal(c.Name)
		p.going.Go(func() {
			for p.isThere(n) && pause(p.follow, accountEvery) {
				if sample, err := p.accountOf(p.follow, n); err == nil { // a gap in the series shows that it failed
					p.opts.Processes(sample)
				}
			}
		})
	}
}

// isThere says whether a pod has not gone.
func (p *Pack) isThere(ordinal int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.now[ordinal] != nil
}

// accountOf is what a pod says of its process. The instant is the middle of the time that the answer took.
func (p *Pack) accountOf(ctx context.Context, ordinal int) (results.ProcessSample, error) {
	ctx, cancel := context.WithTimeout(ctx, statusTime)
	defer cancel()
	before := p.opts.Clock.Now()
	answer, err := p.visit(ctx, podName(ordinal), pod.PathMetrics, nil)
	if err != nil {
		return results.ProcessSample{}, err
	}
	defer answer.Body.Close()
	sample, err := readAccount(answer.Body)
	if err != nil {
		return results.ProcessSample{}, fmt.Errorf("read the account of pod %s: %w", podName(ordinal), err)
	}
	sample.Component, sample.At = componentName(ordinal), before+(p.opts.Clock.Now()-before)/2
	return sample, nil
}

// readAccount reads the process' account in Prometheus' text format.
func readAccount(text io.Reader) (results.ProcessSample, error) {
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(text)
	if err != nil {
		return results.ProcessSample{}, err
	}
	value := func(name string) float64 {
		f := families[name]
		if f == nil || len(f.Metric) != 1 {
			err = fmt.Errorf("there is no %s", name)
			return 0
		}
		m := f.Metric[0]
		return m.GetCounter().GetValue() + m.GetGauge().GetValue()
	}
	s := results.ProcessSample{
		CPUSeconds: value("process_cpu_seconds_total"), RSS: int64(value("process_resident_memory_bytes")),
		FDs: int32(value("process_open_fds")), Threads: int32(value("go_threads")),
	}
	return s, err
}
