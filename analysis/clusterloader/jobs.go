package clusterloader

import (
	"slices"

	"windtunnel/results"
)

// jobMethod is the measurement of Jobs.
const jobMethod = "JobLifecycleLatency"

// job is what was seen of one: its times by itself, in Unix seconds, and when the watch showed them.
type job struct{ created, started, completed moment }

// moment is one point of its life; stamp is 0 where it has not come to it.
type moment struct {
	stamp int64
	seen  results.Instant
}

// jobs are the Jobs that a measurement has followed up to an instant, and how many of them have failed.
func (e *evidence) jobs(measure string, until results.Instant) (all []*job, failed int) {
	by := map[string]*job{}
	for _, o := range e.objects {
		if o.Measure != measure || o.At > until {
			continue
		}
		j := by[o.UID]
		if j == nil {
			j = &job{}
			by[o.UID] = j
			all = append(all, j)
		}
		switch m := (moment{o.Stamp, o.At}); o.Event {
		case "created":
			j.created = m
		case "started":
			j.started = m
		case "completed":
			j.completed = m
		case "failed":
			failed++
		}
	}
	return all, failed
}

// jobLifecycleLatency is how long Jobs took from one point of their lives to the next, by the times that stand in them. These are whole
// seconds; beside them stands what the harness' watch saw.
func jobLifecycleLatency(e *evidence, w window) finding {
	var f finding
	all, failed := e.jobs(jobMethod+"/"+w.identifier, w.gather.returned())
	data := PerfData{Version: "1.0", DataItems: []DataItem{}}
	for _, t := range []struct {
		name     string
		from, to func(*job) moment
	}{
		{"create_to_start", func(j *job) moment { return j.created }, func(j *job) moment { return j.started }},
		{"start_to_complete", func(j *job) moment { return j.started }, func(j *job) moment { return j.completed }},
	} {
		var stamped, seen []float64
		for _, j := range all {
			from, to := t.from(j), t.to(j)
			if from.stamp != 0 && to.stamp != 0 {
				stamped = append(stamped, float64(to.stamp-from.stamp))
				seen = append(seen, seconds(to.seen-from.seen))
			}
		}
		if len(stamped) == 0 {
			continue // zeros would read as a figure
		}
		slices.Sort(stamped)
		slices.Sort(seen)
		data.DataItems = append(data.DataItems, latencyOf(stamped).item(map[string]string{"Metric": t.name}))
		f.quantiles(t.name, stamped)
		f.quantiles(t.name+" as watched", seen)
	}
	f.note("%d Jobs; their own times are whole seconds", len(all))
	if failed > 0 {
		f.note("%d of them failed and never completed", failed)
	}
	f.summaries = []summary{{jobMethod + "_" + w.identifier, data}}
	return f
}

// quantiles adds those of an ascending sample of seconds, which nothing judges.
func (f *finding) quantiles(name string, ascending []float64) {
	for _, q := range latencyOf(ascending).quantiles() {
		f.show(name+" "+q.name, q.value.Seconds(), "s", len(ascending))
	}
}
