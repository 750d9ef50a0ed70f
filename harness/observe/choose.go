package observe

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"windtunnel/results"
)

// chooser takes the values of chosen families out of the metrics of one component.
type chooser struct {
	component string
	samples   map[string]family // by the name of their samples
}

func newChooser(component string, chosen []family) *chooser {
	c := &chooser{component: component, samples: map[string]family{}}
	for _, f := range chosen {
		if f.kind != histogram {
			c.samples[f.name] = f
			continue
		}
		c.samples[f.name+"_sum"], c.samples[f.name+"_count"] = f, f
	}
	return c
}

// choose reads metrics in Prometheus' text format and returns the chosen values, in order of name and labels, with
// everything but the instant. A counter that is still at 0 is left out: most of them always are.
func (c *chooser) choose(from io.Reader) ([]results.Metric, error) {
	kept, err := c.lines(from)
	if err != nil {
		return nil, err
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	parsed, err := parser.TextToMetricFamilies(kept)
	if err != nil {
		return nil, fmt.Errorf("parse the metrics of %s: %w", c.component, err)
	}
	var values []results.Metric
	for name, samples := range parsed {
		f, sums := c.samples[name], map[string]float64{}
		for _, s := range samples.GetMetric() {
			var labels []label
			for _, l := range s.GetLabel() {
				if slices.Contains(f.by, l.GetName()) {
					labels = append(labels, label{l.GetName(), l.GetValue()})
				}
			}
			sums[canonical(labels)] += s.GetUntyped().GetValue()
		}
		for labels, v := range sums {
			if v != 0 || f.kind == gauge {
				values = append(values, results.Metric{Component: c.component, Name: name, Labels: labels, Value: v})
			}
		}
	}
	slices.SortFunc(values, func(a, b results.Metric) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.Labels, b.Labels))
	})
	return values, nil
}

// lines keeps the lines of chosen samples as they are read: nine tenths of what a component shows are buckets of
// histograms, and parsing them would cost more than all else. The lines that say of which type a metric is go too, so that
// the parser takes every line as a value by itself, also those of a histogram without its buckets.
func (c *chooser) lines(from io.Reader) (*bytes.Buffer, error) {
	var kept bytes.Buffer
	in := bufio.NewReaderSize(from, 64<<10)
	for keep, begins := false, true; ; {
		part, err := in.ReadSlice('\n')
		if begins && len(part) > 0 {
			end := bytes.IndexAny(part, "{ ")
			var f family
			f, keep = c.samples[string(part[:max(end, 0)])]
			if keep && f.kind != gauge && bytes.HasSuffix(part, []byte(" 0\n")) {
				keep = false // etcd shows some 700 counters of calls, of which about 10 are ever made
			}
		}
		if keep {
			kept.Write(part)
		}
		begins = err == nil // else the line goes on, or it was the last
		if err == io.EOF {
			return &kept, nil
		}
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return nil, fmt.Errorf("read the metrics of %s: %w", c.component, err)
		}
	}
}

// label is a label of a sample.
type label struct{ name, value string }

// canonical writes labels as Prometheus does, in order of their names; nothing for none.
func canonical(labels []label) string {
	if len(labels) == 0 {
		return ""
	}
	slices.SortFunc(labels, func(a, b label) int { return strings.Compare(a.name, b.name) })
	var b strings.Builder
	for i, l := range labels {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(l.name + `="` + escape(l.value) + `"`)
	}
	return "{" + b.String() + "}"
}

// escape writes a label's value as Prometheus' text format does. Hardly any has what needs it, and a replacer costs more
// than all else here.
func escape(value string) string {
	if !strings.ContainsAny(value, "\\\"\n") {
		return value
	}
	return strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`).Replace(value)
}
