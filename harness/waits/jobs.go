package waits

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"windtunnel/profiles"
	"windtunnel/results"
)

// jobs are the Jobs that have finished since the start.
type jobs struct {
	selection profiles.Selection
	news      *news
	record    func(event string, stamp int64, of *unstructured.Unstructured) // nil where nobody wants it

	mu       sync.Mutex
	finished map[string]bool // keys; those of Jobs that were deleted since, as their TTL does, stay until there is another of the name
}

// changed hears of a Job.
func (j *jobs) changed(before, now metav1.Object) {
	old, _ := before.(*unstructured.Unstructured)
	u, ok := now.(*unstructured.Unstructured)
	if j.record != nil {
		j.transitions(old, u)
	}
	if !ok {
		return
	}
	j.mu.Lock()
	j.finished[keyOf(u)] = hasCondition(u, "Complete=True", failedJob)
	j.mu.Unlock()
	j.news.tell()
}

// transitions records what has happened to a Job from one event to the next; before and now are nil where there is none.
func (j *jobs) transitions(before, now *unstructured.Unstructured) {
	if before != nil && (now == nil || now.GetUID() != before.GetUID()) { // or another of the same name, after a gap in the watch
		j.record("deleted", 0, before)
		before = nil
	}
	if now == nil {
		return
	}
	if before == nil {
		j.record("created", now.GetCreationTimestamp().Unix(), now)
		before = &unstructured.Unstructured{}
	}
	for _, step := range []struct{ event, field string }{{"started", "startTime"}, {"completed", "completionTime"}} {
		if at := stampOf(now, step.field); at != 0 && stampOf(before, step.field) == 0 {
			j.record(step.event, at, now)
		}
	}
	if hasCondition(now, failedJob) && !hasCondition(before, failedJob) {
		j.record("failed", 0, now)
	}
}

// failedJob is the condition of a Job that will not complete.
const failedJob = "Failed=True"

// stampOf is a time in an object's status, Unix seconds; 0 where there is none.
func stampOf(o *unstructured.Unstructured, field string) int64 {
	text, _, _ := unstructured.NestedString(o.Object, "status", field)
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return 0
	}
	return at.Unix()
}

// finishedJobs begins to watch Jobs, or waits until all that there are have finished.
func (w *Waits) finishedJobs(ctx context.Context, key string, act profiles.JobsAct) error {
	resource, _ := profiles.ResourceFor("batch/v1", "Job")
	w.mu.Lock()
	known := w.jobs[key]
	w.mu.Unlock()
	if act.Moment == profiles.MomentStart {
		if known != nil {
			return nil
		}
		j := &jobs{selection: act.Selection, news: newNews(), finished: map[string]bool{}}
		if act.Record {
			j.record = func(event string, stamp int64, of *unstructured.Unstructured) {
				w.record(results.ObjectEvent{
					Measure: key, Group: resource.Group, Version: resource.Version, Resource: resource.Name,
					Namespace: of.GetNamespace(), Name: of.GetName(), UID: string(of.GetUID()), Event: event, Stamp: stamp,
				})
			}
		}
		if err := w.follow(w.life, resource, act.Selection, j.changed); err != nil {
			return err
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		w.jobs[key] = j
		return nil
	}
	if known == nil {
		return errors.New("it has not been started")
	}
	ctx, cancel := within(ctx, act.Timeout)
	defer cancel()
	keys, _, err := w.keysOf(ctx, resource, known.selection)
	if err != nil {
		return err
	}
	return await(ctx, known.news, func() (bool, string) {
		known.mu.Lock()
		defer known.mu.Unlock()
		finished := 0
		for key := range keys {
			if known.finished[key] {
				finished++
			}
		}
		return finished == len(keys), fmt.Sprintf("%d of %d Jobs have finished", finished, len(keys))
	})
}
