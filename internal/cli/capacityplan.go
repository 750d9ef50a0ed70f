package cli

import (
	"fmt"
	"slices"
	"text/tabwriter"
	"time"

	"windtunnel/analysis/capacity"
	"windtunnel/profiles"
	"windtunnel/results"
)

// capacityPlan is the shape of capacity --plan -o json.
type capacityPlan struct {
	Profile string          `json:"profile"`
	Axis    string          `json:"axis"`
	Unit    string          `json:"unit"`
	Search  capacity.Search `json:"search"`
	Levels  []levelPlan     `json:"levels"`
	// Least and Most are the runs and the time of the cheapest and the dearest search, by where the edge is, when every run
	// has a verdict and every level always the same; of a sweep both are the same.
	Least searchCost `json:"least"`
	Most  searchCost `json:"most"`
}

type levelPlan struct {
	Level    float64           `json:"level"`
	Sets     []string          `json:"sets"`
	Duration time.Duration     `json:"duration"` // of one run, with overhead
	Estimate profiles.Estimate `json:"estimate"`
}

type searchCost struct {
	Runs     int           `json:"runs"`
	Duration time.Duration `json:"duration"`
}

// planCapacity prints what a search would do.
func (a *app) planCapacity(s *search, output string) error {
	plan, err := s.plan()
	if err != nil {
		return err
	}
	if output == "json" {
		return writeJSON(a.out, plan)
	}
	fmt.Fprintf(a.out, "capacity of %s along %s: %s\n\n", plan.Profile, plan.Axis, s.record.Description)
	w := tabwriter.NewWriter(a.out, 0, 8, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "%s\tone run\tnodes\tpods\tmemory GB\trequests\t\n", plan.Axis)
	for _, l := range plan.Levels {
		requests := 0
		for _, n := range l.Estimate.Requests {
			requests += n
		}
		fmt.Fprintf(w, "%.10g\t%s\t%d\t%d\t%.1f\t%d\t\n", l.Level, short(l.Duration), l.Estimate.Nodes, l.Estimate.Pods, float64(l.Estimate.Memory)/1e9, requests)
	}
	w.Flush()
	fmt.Fprintln(a.out)
	for _, set := range plan.Levels[len(plan.Levels)-1].Sets {
		fmt.Fprintf(a.out, "at %.10g %s: %s\n", plan.Levels[len(plan.Levels)-1].Level, plan.Unit, set)
	}
	if len(plan.Search.Levels) > 0 {
		fmt.Fprintf(a.out, "\n%d levels, %d runs of each: %d runs, about %s\n", len(plan.Levels), plan.Search.Repeats, plan.Most.Runs, short(plan.Most.Duration))
	} else {
		fmt.Fprintf(a.out, "\nthe search tries some of these and levels between them: %d to %d runs, about %s to %s, by where the edge is\n",
			plan.Least.Runs, plan.Most.Runs, short(plan.Least.Duration), short(plan.Most.Duration))
	}
	fmt.Fprintf(a.out, "%d of %d runs that pass show with %g %% confidence that at least %.1f %% of runs do\n", plan.Search.Repeats, plan.Search.Repeats,
		100*plan.Search.Confidence, 100*plan.Search.Shows())
	return nil
}

func (s *search) plan() (capacityPlan, error) {
	r := s.record
	out := capacityPlan{Profile: r.Profile, Axis: r.Axis, Unit: r.Unit, Search: r.Search}
	costs := map[float64]time.Duration{}
	cost := func(level float64) (levelPlan, error) {
		plan, err := s.at(level, r.Source.Seed)
		if err != nil {
			return levelPlan{}, fmt.Errorf("%s at %g: %w", r.Axis, level, err)
		}
		sets, err := s.base.AtLevel(r.Axis, level)
		e := plan.Estimate()
		costs[level] = e.Duration + overhead
		return levelPlan{Level: level, Sets: sets, Duration: costs[level], Estimate: e}, err
	}
	levels := slices.Clone(r.Search.Levels)
	if len(levels) == 0 {
		for level := r.Search.First(); level < r.Search.Last(); level *= 2 {
			levels = append(levels, level)
		}
		levels = append(levels, r.Search.Last())
	}
	for _, level := range levels {
		l, err := cost(level)
		if err != nil {
			return out, err
		}
		out.Levels = append(out.Levels, l)
	}
	// Search a system whose edge is just below each of the levels, and one that has none.
	for _, edge := range append(slices.Clone(levels), 2*levels[len(levels)-1]) {
		total, err := s.rehearse(edge-r.Search.Step/2, func(level float64) (time.Duration, error) {
			if _, known := costs[level]; !known {
				if _, err := cost(level); err != nil {
					return 0, err
				}
			}
			return costs[level], nil
		})
		if err != nil {
			return out, err
		}
		if out.Most.Runs == 0 || total.Duration < out.Least.Duration {
			out.Least = total
		}
		if total.Duration > out.Most.Duration {
			out.Most = total
		}
	}
	return out, nil
}

// rehearse adds up the search of a system that passes below an edge and fails above it.
func (s *search) rehearse(edge float64, cost func(level float64) (time.Duration, error)) (searchCost, error) {
	var total searchCost
	var history []capacity.Outcome
	for {
		next := s.record.Search.Next(history)
		if next.Done {
			return total, nil
		}
		verdict := results.Pass
		if next.Level > edge {
			verdict = results.Fail
		}
		history = append(history, capacity.Outcome{Level: next.Level, Stage: next.Stage, Verdict: verdict})
		took, err := cost(next.Level)
		if err != nil {
			return total, err
		}
		total.Runs++
		total.Duration += took
	}
}
