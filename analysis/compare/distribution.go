package compare

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"windtunnel/analysis"
	"windtunnel/analysis/stats"
	"windtunnel/results"
)

// DistributionsFile is the file of a reference run that stands in for its records.
const DistributionsFile = "distributions.json"

// Distribution is how one row of a run is spread, as its quantile function: Values[k] is what all but one in OneIn(k) values
// are at or below, by nearest rank, in the unit and to 4 digits. It goes as far into the tail as n values reach.
type Distribution struct {
	Section string    `json:"section"` // client | pod_startup
	Row     string    `json:"row"`
	Unit    string    `json:"unit"`
	N       int64     `json:"n"`
	Values  []float64 `json:"values"`
}

// perDecade is how many quantiles a distribution has from one in 1 to one in 10, from one in 10 to one in 100, and so on.
const perDecade = 24

// OneIn is the place of a distribution's k-th value: 1 for the least, 2 for the median, 100 for p99.
func OneIn(k int) float64 { return math.Pow(10, float64(k)/perDecade) }

// distribution sums up values in any order, which it sorts; there must be one.
func distribution(section, row string, values []float64) Distribution {
	slices.Sort(values)
	d := Distribution{Section: section, Row: row, Unit: "s", N: int64(len(values))}
	for k := 0; OneIn(k) <= float64(len(values))*(1+1e-9); k++ {
		// Rounded to what a drawing shows; the text of 4 digits is a number.
		v, _ := strconv.ParseFloat(strconv.FormatFloat(stats.Quantile(values, 1-1/OneIn(k)), 'g', 4, 64), 64)
		d.Values = append(d.Values, v)
	}
	return d
}

// Distributions are those of the client's latencies and the pods' start-up of a run, in order of their names.
func (r Run) Distributions() ([]Distribution, error) {
	if reduced, err := isReduced(r.dir); err != nil || reduced {
		if err != nil {
			return nil, err
		}
		var ds []Distribution
		data, err := os.ReadFile(r.dir.Path(DistributionsFile))
		if err != nil {
			return nil, fmt.Errorf("read distributions: %w", err)
		}
		if err := json.Unmarshal(data, &ds); err != nil {
			return nil, fmt.Errorf("read %s: %w", r.dir.Path(DistributionsFile), err)
		}
		return ds, nil
	}
	return distributionsOf(r.dir)
}

func distributionsOf(dir *results.Dir) ([]Distribution, error) {
	requests, err := analysis.MeasuredRequests(dir)
	if err != nil {
		return nil, err
	}
	rows := map[string][]float64{}
	for m := range requests {
		if !m.Answered {
			continue
		}
		row := rowName(m.Verb, results.ResourcePath(m.Group, m.Resource, m.Subresource), m.Scope, m.Variant)
		if m.ClosedLoop {
			row += " (closed loop)"
		}
		rows[row] = append(rows[row], m.Latency)
	}
	var ds []Distribution
	for _, row := range slices.Sorted(maps.Keys(rows)) {
		ds = append(ds, distribution("client", row, rows[row]))
	}
	pods, err := analysis.PodStartups(dir)
	if err != nil || len(pods) == 0 {
		return ds, err
	}
	stages := map[string]func(analysis.PodStartup) float64{
		"create_to_schedule": func(p analysis.PodStartup) float64 { return p.CreateToSchedule },
		"schedule_to_run":    func(p analysis.PodStartup) float64 { return p.ScheduleToRun },
		"run_to_observe":     func(p analysis.PodStartup) float64 { return p.RunToObserve },
		"total":              func(p analysis.PodStartup) float64 { return p.Total },
	}
	for _, stage := range slices.Sorted(maps.Keys(stages)) {
		values := make([]float64, len(pods))
		for i, p := range pods {
			values[i] = stages[stage](p)
		}
		ds = append(ds, distribution("pod_startup", stage, values))
	}
	return ds, nil
}

// Reduce writes what a comparison needs of a run to a new directory of its name below root: run.json without the command lines,
// whose arguments are paths of a machine, summary.json, and the distributions in place of the records. That is tens of kilobytes, small
// enough to be committed.
func Reduce(dir *results.Dir, root string) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("reduce run %s: %w", dir.ID(), err)
		}
	}()
	run, err := dir.ReadRun()
	if err != nil {
		return err
	}
	summary, err := summaryOf(dir)
	if err != nil {
		return err
	}
	distributions, err := Run{dir: dir}.Distributions()
	if err != nil {
		return err
	}
	run.Components, run.Command = nil, nil
	if run.Test != nil {
		run.Test.Path = "" // it may lie anywhere on the machine
	}
	path := filepath.Join(root, dir.ID())
	if err := os.MkdirAll(root, 0o755); err != nil {
		return err
	}
	if err := os.Mkdir(path, 0o755); err != nil {
		return err
	}
	// run.json comes last: a directory without it is no run.
	for _, f := range []struct {
		name  string
		value any
	}{{DistributionsFile, distributions}, {results.SummaryFile, summary}, {results.RunFile, run}} {
		data, err := json.Marshal(f.value)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(path, f.name), append(data, '\n'), 0o644); err != nil {
			return err
		}
	}
	return nil
}
