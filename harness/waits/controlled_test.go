package waits

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"windtunnel/profiles"
)

// trackerOf follows nothing: a test tells it and its graph what happens.
func trackerOf(kind string, act profiles.ControlledAct) *tracker {
	act.Resource, _ = profiles.ResourceFor("batch/v1", kind)
	if kind != "Job" {
		act.Resource, _ = profiles.ResourceFor("apps/v1", kind)
	}
	g := &graph{news: newNews(), known: map[types.UID]podState{}, owners: map[types.UID]map[string]tally{}, below: map[types.UID]map[types.UID]replicaSet{}}
	return &tracker{act: act, graph: g, news: newNews(), present: map[string]bool{}, operations: map[string]*operation{}}
}

func controllerOf(kind, uid, spec, status string) *unstructured.Unstructured {
	o := &unstructured.Unstructured{}
	text := fmt.Sprintf(`{"apiVersion":"x/v1","kind":%q,"metadata":{"name":"c","namespace":"n","uid":%q},"spec":%s,"status":%s}`, kind, uid, spec, status)
	if err := o.UnmarshalJSON([]byte(text)); err != nil {
		panic(err)
	}
	return o
}

// ended tells whether the only operation has ended, and the verdict then.
func (t *tracker) ended(now time.Time) (bool, error) {
	t.look(now)
	if !t.operations["n/c"].done {
		return false, nil
	}
	return true, t.verdict(map[string]bool{"n/c": true})
}

// TestJobsEnd: a Job that completes has done all that it was to do, and one that fails never will, which no time limit has to tell.
func TestJobsEnd(t *testing.T) {
	const spec = `{"parallelism":2,"completions":2}`
	follow := func(condition string) (*tracker, *unstructured.Unstructured) {
		track, job := trackerOf("Job", profiles.ControlledAct{Timeout: time.Hour}), controllerOf("Job", "u", spec, `{}`)
		track.changed(nil, job)
		if done, _ := track.ended(time.Now()); done {
			t.Error("a Job without pods has all of them")
		}
		return track, controllerOf("Job", "u", spec, `{"conditions":[{"type":"`+condition+`","status":"True"}]}`)
	}
	track, complete := follow("Complete")
	track.changed(complete, complete)
	if done, err := track.ended(time.Now()); !done || err != nil {
		t.Errorf("complete: done %v, error %v", done, err)
	}
	track, failed := follow("Failed")
	track.changed(failed, failed)
	done, err := track.ended(time.Now())
	if !done || err == nil || !strings.Contains(err.Error(), "n/c (it has failed)") || errors.Is(err, ErrTimeout) {
		t.Errorf("failed: done %v, error %v", done, err)
	}
}

// TestNoOperationTimeout: an operation without a limit goes on.
func TestNoOperationTimeout(t *testing.T) {
	for _, limit := range []time.Duration{0, time.Minute} {
		track := trackerOf("ReplicaSet", profiles.ControlledAct{Timeout: limit})
		track.changed(nil, controllerOf("ReplicaSet", "u", `{"replicas":1}`, `{}`))
		done, err := track.ended(time.Now().Add(time.Hour))
		if done != (limit > 0) || errors.Is(err, ErrTimeout) != (limit > 0) {
			t.Errorf("after an hour with the limit %v: done %v, error %v", limit, done, err)
		}
	}
}

// TestTimeoutOfDeletions: a deletion and a change to fewer replicas have the same time as any other operation. The original gave them twice
// as much until October 2022.
func TestTimeoutOfDeletions(t *testing.T) {
	const limit = time.Minute
	many, few := controllerOf("ReplicaSet", "u", `{"replicas":5}`, `{}`), controllerOf("ReplicaSet", "u", `{"replicas":1}`, `{}`)
	for _, deleted := range []bool{false, true} {
		track := trackerOf("ReplicaSet", profiles.ControlledAct{Timeout: limit})
		track.graph.set("pod", &podState{owner: "u"})
		track.changed(nil, many)
		if deleted {
			track.changed(many, nil)
		} else {
			track.changed(many, few)
		}
		if early, _ := track.ended(time.Now().Add(limit - time.Second)); early {
			t.Errorf("deleted %v: it has ended before its time was over", deleted)
		}
		if done, err := track.ended(time.Now().Add(limit + time.Second)); !done || !errors.Is(err, ErrTimeout) {
			t.Errorf("deleted %v: done %v, error %v after its time was over", deleted, done, err)
		}
	}
}

// TestAnotherOfTheName: an object that took the place of another, whose deletion was not heard of, begins its own operation.
func TestAnotherOfTheName(t *testing.T) {
	track := trackerOf("ReplicaSet", profiles.ControlledAct{Timeout: time.Hour})
	first, second := controllerOf("ReplicaSet", "a", `{"replicas":0}`, `{}`), controllerOf("ReplicaSet", "b", `{"replicas":0}`, `{}`)
	track.changed(nil, first)
	if done, _ := track.ended(time.Now()); !done {
		t.Fatal("no pods are wanted and there are none")
	}
	track.changed(first, first.DeepCopy())
	if !track.operations["n/c"].done {
		t.Error("what changes nothing began an operation")
	}
	track.changed(first, second)
	if track.operations["n/c"].done {
		t.Error("the second object has the operation of the first")
	}
}

// TestMargin: with a margin it is enough when almost all pods run and are of the latest template, as long as there are not too many.
func TestMargin(t *testing.T) {
	for _, c := range []struct {
		updated, missing, old, oldReady, ended, margin int
		enough                                         bool
	}{
		{updated: 5, enough: true}, {updated: 4, missing: 1}, {updated: 4, missing: 1, margin: 1, enough: true},
		{updated: 4, old: 1, margin: 1, enough: true}, {updated: 4, oldReady: 1, margin: 1, enough: true}, {updated: 4, oldReady: 1},
		{updated: 3, oldReady: 2, margin: 1}, {updated: 5, old: 1, margin: 1},
		{updated: 5, ended: 1, margin: 1, enough: true}, {updated: 4, missing: 1, ended: 2, margin: 1}, {updated: 5, ended: 2, enough: true},
	} {
		track := trackerOf("StatefulSet", profiles.ControlledAct{Timeout: time.Hour, Updated: true, Margin: c.margin})
		n := 0
		add := func(number int, s podState) {
			s.owner = "u"
			for range number {
				n++
				track.graph.set(types.UID(fmt.Sprint("pod-", n)), &s)
			}
		}
		add(c.updated, podState{revision: "new", ready: true})
		add(c.missing, podState{revision: "new"})
		add(c.old, podState{revision: "old"})
		add(c.oldReady, podState{revision: "old", ready: true})
		add(c.ended, podState{revision: "new", inactive: true})
		track.changed(nil, controllerOf("StatefulSet", "u", `{"replicas":5}`, `{"updateRevision":"new"}`))
		if done, err := track.ended(time.Now()); done != c.enough || err != nil {
			t.Errorf("%+v: done %v, error %v", c, done, err)
		}
	}
}

// TestDeletedJobs: a Job that has finished stays so when it is deleted, as its TTL does, until there is another of its name.
func TestDeletedJobs(t *testing.T) {
	j := &jobs{news: newNews(), finished: map[string]bool{}}
	running, finished := controllerOf("Job", "u", `{}`, `{}`), controllerOf("Job", "u", `{}`, `{"conditions":[{"type":"Failed","status":"True"}]}`)
	for i, step := range []struct {
		old, now *unstructured.Unstructured
		want     bool
	}{{nil, running, false}, {running, finished, true}, {finished, nil, true}, {nil, running, false}, {running, nil, false}} {
		if step.now == nil {
			j.changed(step.old, nil)
		} else {
			j.changed(step.old, step.now)
		}
		if j.finished["n/c"] != step.want {
			t.Errorf("step %d: finished %v", i, !step.want)
		}
	}
}
