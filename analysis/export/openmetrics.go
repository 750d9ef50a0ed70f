package export

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	dto "github.com/prometheus/client_model/go"

	"windtunnel/results"
)

// OpenMetrics writes a run as OpenMetrics text with time stamps, for `promtool tsdb create-blocks-from openmetrics`: CPU,
// memory and descriptors of every process and the chosen metrics of the components as they were measured, and the figures of
// the summary at the end of the measured phases. Every series has the label run; those about a process have its component
// as job. What cannot be read is returned as damage; all else is written.
func OpenMetrics(w io.Writer, d *results.Dir, s results.Summary) (damage, err error) {
	run, err := d.ReadRun()
	if err != nil {
		return nil, fmt.Errorf("export run: %w", err)
	}
	started, err := time.Parse(time.RFC3339, run.Started)
	if err != nil {
		return nil, fmt.Errorf("export run: the time of its start is not known: %w", err)
	}
	e := metrics{families: families{}, run: label{"run", d.ID()}, started: started}
	damage = errors.Join(e.processes(d), e.scraped(d))
	e.summary(s)
	return damage, e.families.write(w)
}

// metrics gathers the metrics of a run.
type metrics struct {
	families families
	run      label
	started  time.Time // of instant 0
}

func (e *metrics) at(i results.Instant, value float64) point {
	return point{ms: e.started.Add(time.Duration(i)).UnixMilli(), value: value}
}

// processes are the samples of every process.
func (e *metrics) processes(d *results.Dir) error {
	for r, err := range results.Read[results.ProcessSample](d.Path(results.ProcessesFile)) {
		if err != nil {
			return unread(results.ProcessesFile, err)
		}
		labels := []label{e.run, {"job", r.Component}, {"pid", strconv.Itoa(int(r.PID))}}
		e.families.add("windtunnel_process_cpu_seconds_total", dto.MetricType_COUNTER, "CPU time of the process, user and system.", e.at(r.At, r.CPUSeconds), labels...)
		e.families.gauge("windtunnel_process_resident_memory_bytes", "Resident set size of the process.", e.at(r.At, float64(r.RSS)), labels...)
		if r.PSS > 0 {
			e.families.gauge("windtunnel_process_proportional_memory_bytes", "Proportional set size of the process.", e.at(r.At, float64(r.PSS)), labels...)
		}
		e.families.gauge("windtunnel_process_open_fds", "Open file descriptors of the process.", e.at(r.At, float64(r.FDs)), labels...)
		e.families.gauge("windtunnel_process_threads", "Threads of the process.", e.at(r.At, float64(r.Threads)), labels...)
	}
	return nil
}

// scraped are the chosen metrics under their own names.
func (e *metrics) scraped(d *results.Dir) error {
	var bad error
	for r, err := range results.Read[results.Metric](d.Path(results.MetricsFile)) {
		if err != nil {
			return errors.Join(unread(results.MetricsFile, err), bad)
		}
		labels, err := parseLabels(r.Labels)
		if err == nil && !isMetricName(r.Name) {
			err = fmt.Errorf("the name %q makes no sense", r.Name)
		}
		if err != nil {
			bad = errors.Join(bad, fmt.Errorf("%s: a value of %s at %.3f s: %w", results.MetricsFile, r.Name, float64(r.At)/1e9, err))
			continue
		}
		kind := dto.MetricType_UNTYPED // the records do not say, and a part of a histogram alone has no type in OpenMetrics
		if strings.HasSuffix(r.Name, "_total") {
			kind = dto.MetricType_COUNTER
		}
		labels = slices.DeleteFunc(labels, func(l label) bool { return l.name == "job" || l.name == "run" })
		e.families.add(r.Name, kind, "As the component showed it on /metrics; labels that were not chosen are summed up.", e.at(r.At, r.Value),
			append(labels, e.run, label{"job", r.Component})...)
	}
	return bad
}

// unread is what ended the reading of a file, named as it is called in the run. A file that is not there is one without
// records.
func unread(name string, err error) error {
	var damage *results.Damage
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case errors.As(err, &damage):
		damage.File = name
	}
	return err
}

// summary are the figures of the summary, at the end of the last measured phase.
func (e *metrics) summary(s results.Summary) {
	end := results.Instant(s.Run.Seconds * 1e9)
	for _, p := range s.Phases {
		labels := []label{e.run, {"phase", p.Name}, {"measured", strconv.FormatBool(p.Measured)}}
		const name, help = "windtunnel_phase", "1 when a phase of the run begins, 0 when it ends."
		e.families.gauge(name, help, e.at(p.Begin, 1), labels...)
		if p.End != 0 {
			e.families.gauge(name, help, e.at(p.End, 0), labels...)
		}
		if p.Measured && p.End != 0 {
			end = p.End
		}
	}
	info := []label{{"profile", s.Run.Profile}, {"provider", s.Run.Provider}, {"outcome", s.Run.Outcome}, {"seed", strconv.FormatUint(s.Run.Seed, 10)}}
	for _, name := range slices.Sorted(maps.Keys(s.Run.Versions)) {
		info = append(info, label{"version_" + labelName(name), s.Run.Versions[name]})
	}
	g := func(name, help string, v float64, labels ...label) {
		e.families.gauge(name, help, e.at(end, v), append([]label{e.run}, labels...)...)
	}
	g("windtunnel_run_info", "What was run; always 1.", 1, info...)
	g("windtunnel_run_duration_seconds", "How long the run took.", s.Run.Seconds)
	g("windtunnel_run_nodes", "Hollow nodes of the run.", float64(s.Run.Nodes))
	g("windtunnel_run_pods", "Pods that the run made.", float64(s.Run.Pods))
	for _, v := range []results.Verdict{results.Pass, results.Fail, results.NoData, results.Invalid, results.NotJudged} {
		g("windtunnel_verdict", "The verdict on the run: 1 for the one that holds, 0 for the others.", one(v == s.Verdict), label{"verdict", string(v)})
	}
	for _, c := range s.Validity.Checks {
		g("windtunnel_check_passed", "Whether the run passed a check of its validity.", one(c.Verdict == results.Pass), label{"check", c.Name})
	}
	e.slos(g, s.SLOs)
	for stage, q := range s.PodStartup {
		if q.N > 0 {
			quantiles(g, "windtunnel_pod_startup", "Pod start-up of a stage, from create_to_schedule to total", q.N, &q.P50, &q.P90, &q.P99, label{"stage", stage})
		}
	}
	for _, r := range s.Requests {
		loop := "open"
		if r.ClosedLoop {
			loop = "closed"
		}
		row := []label{{"verb", r.Verb}, {"group", r.Group}, {"resource", r.Resource}, {"subresource", r.Subresource}, {"scope", r.Scope}, {"variant", r.Variant}, {"loop", loop}}
		quantiles(g, "windtunnel_request_latency", "What the client saw, from the planned instant, of answers with a 2xx code", r.Answered, r.P50, r.P90, r.P99, row...)
		for class, n := range r.ErrorsBy {
			g("windtunnel_request_errors", "Requests of a row that failed, by class.", float64(n), append(slices.Clone(row), label{"class", class})...)
		}
	}
	for _, r := range s.Server {
		row := []label{{"verb", r.Verb}, {"group", r.Group}, {"resource", r.Resource}, {"subresource", r.Subresource}, {"scope", r.Scope}}
		quantiles(g, "windtunnel_server_latency", "What the API server's SLI histogram says; low and high are the bucket's edges", r.N, r.P50, r.P90, r.P99, row...)
		g("windtunnel_server_within_ratio", "Part of the answers within the SLO's threshold, by the API server's SLI histogram.", r.Within, row...)
	}
}

func (e *metrics) slos(g func(string, string, float64, ...label), slos []results.SLOResult) {
	for _, r := range slos {
		row := []label{{"slo", r.Expression}, {"required", strconv.FormatBool(r.Required)}}
		g("windtunnel_slo_verdict", "The verdict on an objective, in the label; always 1.", 1, append(slices.Clone(row), label{"verdict", string(r.Verdict)})...)
		g("windtunnel_slo_samples", "On how many answers or pods the verdict rests.", float64(r.N), row...)
		if r.Measured != nil {
			g("windtunnel_slo_within_ratio", "Part of the answers or pods within the threshold.", *r.Measured, row...)
		}
	}
}

// quantiles adds quantiles with their bounds and n. They are gauges and no summary, which would need a sum that nobody has.
func quantiles(g func(string, string, float64, ...label), name, help string, n int64, p50, p90, p99 *results.Bounds, labels ...label) {
	g(name+"_samples", help+": how many there are.", float64(n), labels...)
	for q, b := range map[string]*results.Bounds{"0.5": p50, "0.9": p90, "0.99": p99} {
		if b == nil || b.Least > 0 { // too few values for it
			continue
		}
		of := append(slices.Clone(labels), label{"quantile", q})
		g(name+"_seconds", help+".", b.Value, of...)
		if b.Low != nil {
			g(name+"_low_seconds", help+": the lower bound.", *b.Low, of...)
		}
		if b.High != nil {
			g(name+"_high_seconds", help+": the upper bound.", *b.High, of...)
		}
	}
}

func one(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// labelName makes a label's name of anything.
func labelName(s string) string {
	return strings.Map(func(c rune) rune {
		if isLabelName("a" + string(c)) {
			return c
		}
		return '_'
	}, s)
}
