package export

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"windtunnel/analysis/clusterloader"
	"windtunnel/analysis/stats"
	"windtunnel/results"
)

// File is a file of an export with its path below the export's folder.
type File struct {
	Path string
	Data []byte
}

// PerfData renders a run as the files that ClusterLoader2 would have left, in the folders in which perfdash looks for them:
// <job>/<build>/artifacts, with the number of the build made of the run's start. Latencies are in ms. What windtunnel measures
// otherwise than ClusterLoader2 is said in docs/export.md; what it does not measure has no file. A test of ClusterLoader2's has its own
// summaries, and windtunnel's are not beside them. What cannot be read is returned as damage; the files are made of all else.
func PerfData(d *results.Dir, s results.Summary, job string) (files []File, damage, err error) {
	started, err := time.Parse(time.RFC3339, s.Run.Started)
	if err != nil {
		return nil, nil, fmt.Errorf("export run: the time of its start is not known: %w", err)
	}
	build := fmt.Sprintf("%s/%s/", job, started.UTC().Format("20060102150405"))
	ended := started.Add(time.Duration(s.Run.Seconds * float64(time.Second))).UTC()
	add := func(name string, v any) {
		data, _ := json.MarshalIndent(v, "", "  ") // numbers, strings and maps of them, all finite
		files = append(files, File{build + name, append(data, '\n')})
	}
	run, err := d.ReadRun()
	if err != nil {
		return nil, nil, fmt.Errorf("export run: %w", err)
	}
	measurement := func(name string, v any) { add("artifacts/"+run.TestFile(name, ended, "json"), v) }
	throughput, err1 := schedulingThroughput(d, s.Phases)
	usage, err2 := resourceUsage(d, s.Phases)
	if s.ClusterLoader != nil {
		files = summariesOf(d, run, build+"artifacts/")
	} else {
		if p := podStartup(s.PodStartup); len(p.DataItems) > 0 {
			measurement("PodStartupLatency_PodStartupLatency", p)
		}
		if p := apiResponsiveness(s.Server); len(p.DataItems) > 0 {
			measurement("APIResponsivenessPrometheus_simple", p)
		}
		if throughput != nil {
			measurement("SchedulingThroughput", throughput)
		}
		if usage != nil {
			measurement("ResourceUsageSummary", usage)
		}
	}
	if p := clientResponsiveness(s.Requests); len(p.DataItems) > 0 {
		measurement("ClientAPIResponsiveness", p)
	}
	add("artifacts/cl2-metadata.json", clusterMetadata(s.Run))
	add("started.json", map[string]any{"timestamp": started.Unix()})
	add("finished.json", map[string]any{"timestamp": ended.Unix(), "passed": s.Verdict == results.Pass, "result": prowResult(s.Verdict)})
	return files, errors.Join(err1, err2), nil
}

// summariesOf are the files of a test of ClusterLoader2's, its junit.xml among them, in a folder.
func summariesOf(d *results.Dir, run results.Run, folder string) (files []File) {
	if test := clusterloader.Examine(d, run); test != nil {
		for _, f := range test.Files {
			files = append(files, File{folder + path.Base(f.Name), f.Data})
		}
	}
	return files
}

// PerfdashConfig is the job's configuration for perfdash's --configPath.
func PerfdashConfig(job string) File {
	return File{"perfdash.yaml", fmt.Appendf(nil, `# The job for perfdash --mode=local --logsPath=<this folder> --configPath=<this file>
periodics:
- name: %s
  interval: 24h
  tags:
  - "perfDashPrefix: %s"
  - "perfDashJobType: performance"
`, job, job)}
}

// prowResult is the result word of Prow. Only a pass is a success: a run that is invalid or has no data shows nothing.
func prowResult(v results.Verdict) string {
	if v == results.Pass {
		return "SUCCESS"
	}
	return "FAILURE"
}

func clusterMetadata(r results.RunInfo) map[string]string {
	m := map[string]string{"windtunnel-run": r.ID, "profile": r.Profile, "provider": r.Provider, "nodes": strconv.Itoa(r.Nodes), "seed": strconv.FormatUint(r.Seed, 10)}
	for name, v := range r.Versions {
		m["version-"+name] = v
	}
	return m
}

// percentiles are the three that every item must have; false where one of them is not known, for readers of the format take
// what is missing for 0.
func percentiles(p50, p90, p99 *results.Bounds) (map[string]float64, bool) {
	data := map[string]float64{}
	for name, b := range map[string]*results.Bounds{"Perc50": p50, "Perc90": p90, "Perc99": p99} {
		if b == nil || b.Least > 0 {
			return nil, false
		}
		data[name] = ms(b.Value)
	}
	return data, true
}

// ms is a number of seconds in milliseconds, to the nanosecond.
func ms(seconds float64) float64 { return math.Round(seconds*1e9) / 1e6 }

// podStartup has the transitions that windtunnel measures under ClusterLoader2's names; run_to_watch is run_to_observe.
func podStartup(stages map[string]results.StageQuantiles) clusterloader.PerfData {
	p := clusterloader.PerfData{Version: "1.0"}
	for _, t := range []struct{ name, stage string }{
		{"create_to_schedule", "create_to_schedule"}, {"schedule_to_run", "schedule_to_run"}, {"run_to_watch", "run_to_observe"}, {"pod_startup", "total"},
	} {
		q := stages[t.stage]
		if data, known := percentiles(&q.P50, &q.P90, &q.P99); known && q.N > 0 {
			p.DataItems = append(p.DataItems, clusterloader.DataItem{Data: data, Unit: "ms", Labels: map[string]string{"Metric": t.name}})
		}
	}
	return p
}

// apiResponsiveness is the API server's own histogram over the measured phases, as ClusterLoader2's "simple" query has it.
func apiResponsiveness(rows []results.ServerRow) clusterloader.PerfData {
	p := clusterloader.PerfData{Version: "v1"}
	names := rowNames{}
	for _, r := range rows {
		names.count(r.Verb, r.Group, r.Resource, r.Subresource, r.Scope)
	}
	for _, r := range rows {
		data, known := percentiles(r.P50, r.P90, r.P99)
		if !known {
			continue
		}
		slow := r.N - int64(math.Round(r.Within*float64(r.N)))
		p.DataItems = append(p.DataItems, clusterloader.DataItem{Data: data, Unit: "ms", Labels: map[string]string{
			"Verb": r.Verb, "Resource": names.resource(r.Verb, r.Group, r.Resource, r.Subresource, r.Scope), "Subresource": r.Subresource, "Scope": r.Scope,
			"Count": strconv.FormatInt(r.N, 10), "SlowCount": strconv.FormatInt(slow, 10)}})
	}
	slowestFirst(p.DataItems)
	return p
}

// clientResponsiveness is what the client saw, in the same shape but never under the same name.
func clientResponsiveness(rows []results.RequestRow) clusterloader.PerfData {
	p := clusterloader.PerfData{Version: "v1", Labels: map[string]string{"Source": "client, from the planned instant"}}
	names := rowNames{}
	for _, r := range rows {
		names.count(r.Verb, r.Group, r.Resource, r.Subresource, r.Scope, r.Variant, strconv.FormatBool(r.ClosedLoop))
	}
	for _, r := range rows {
		data, known := percentiles(r.P50, r.P90, r.P99)
		if !known {
			continue
		}
		labels := map[string]string{"Verb": r.Verb, "Resource": names.resource(r.Verb, r.Group, r.Resource, r.Subresource, r.Scope, r.Variant, strconv.FormatBool(r.ClosedLoop)),
			"Subresource": r.Subresource, "Scope": r.Scope, "Count": strconv.FormatInt(r.N, 10)}
		if r.Variant != "" {
			labels["Variant"] = r.Variant
		}
		if r.ClosedLoop {
			labels["Loop"] = "closed"
		}
		p.DataItems = append(p.DataItems, clusterloader.DataItem{Data: data, Unit: "ms", Labels: labels})
	}
	slowestFirst(p.DataItems)
	return p
}

// rowNames tells rows apart that differ only in their API group, for which ClusterLoader2's format has no label: their
// resource then is called resource.group.
type rowNames map[string]int

func rowKey(verb, resource string, rest ...string) string {
	return strings.Join(append([]string{verb, resource}, rest...), "\x00")
}

func (n rowNames) count(verb, _, resource string, rest ...string) {
	n[rowKey(verb, resource, rest...)]++
}

func (n rowNames) resource(verb, group, resource string, rest ...string) string {
	if group != "" && n[rowKey(verb, resource, rest...)] > 1 {
		return resource + "." + group
	}
	return resource
}

// slowestFirst is ClusterLoader2's order.
func slowestFirst(items []clusterloader.DataItem) {
	slices.SortStableFunc(items, func(a, b clusterloader.DataItem) int { return cmp.Compare(b.Data["Perc99"], a.Data["Perc99"]) })
}

// throughputInterval is ClusterLoader2's default, in nanoseconds.
const throughputInterval = int64(5e9)

// schedulingThroughput are quantiles of the pods that were scheduled in each interval of 5 s of the measured phases, per
// second; nil when none was.
func schedulingThroughput(d *results.Dir, phases []results.PhaseSpan) (map[string]float64, error) {
	first := map[string]results.Instant{} // by the pod's UID
	var damage error
	for r, err := range results.Read[results.PodEvent](d.Path(results.PodsFile)) {
		if err != nil {
			damage = unread(results.PodsFile, err)
			break
		}
		if at, known := first[r.UID]; r.Event == "scheduled" && measured(phases, r.At) && (!known || r.At < at) {
			first[r.UID] = r.At
		}
	}
	if len(first) == 0 {
		return nil, damage
	}
	scheduled := slices.Sorted(maps.Values(first))
	begin := scheduled[0]
	rates := make([]float64, (scheduled[len(scheduled)-1]-begin)/throughputInterval+1)
	for _, at := range scheduled {
		rates[(at-begin)/throughputInterval]++
	}
	for i := range rates {
		rates[i] /= float64(throughputInterval) / 1e9
	}
	slices.Sort(rates)
	return map[string]float64{"perc50": stats.Quantile(rates, 0.50), "perc90": stats.Quantile(rates, 0.90), "perc99": stats.Quantile(rates, 0.99), "max": rates[len(rates)-1]}, damage
}

// resourceUsage are percentiles of the CPU time, in cores between two samples, and the memory of every component in the
// measured phases; nil without samples.
func resourceUsage(d *results.Dir, phases []results.PhaseSpan) (map[string][]clusterloader.ContainerUsage, error) {
	var samples []results.ProcessSample
	var damage error
	for r, err := range results.Read[results.ProcessSample](d.Path(results.ProcessesFile)) {
		if err != nil {
			damage = unread(results.ProcessesFile, err)
			break
		}
		if measured(phases, r.At) {
			samples = append(samples, r)
		}
	}
	slices.SortStableFunc(samples, func(a, b results.ProcessSample) int { return cmp.Compare(a.At, b.At) })
	return clusterloader.ResourceUsage(samples), damage
}

func measured(phases []results.PhaseSpan, at results.Instant) bool {
	return slices.ContainsFunc(phases, func(p results.PhaseSpan) bool {
		return p.Measured && p.Begin <= at && (at <= p.End || p.End == 0)
	})
}
