package load

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"windtunnel/harness/internal/live"
	"windtunnel/profiles"
	"windtunnel/results"
)

// operationOn is an operation on a ConfigMap; a deletion has no body.
func operationOn(verb profiles.OperationVerb, namespace, name, value string) profiles.Operation {
	return profiles.Operation{Verb: verb, Resource: configMaps().Resource, Namespace: namespace, Name: name, Body: func(string) ([]byte, error) {
		return fmt.Appendf(nil, `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":%q,"namespace":%q},"data":{"value":%q}}`, name, namespace, value), nil
	}}
}

// actions are n actions of one operation each, paced.
func actions(pace profiles.Pace, n int, of func(i int) []profiles.Operation) profiles.Batch {
	b := profiles.Batch{Pace: pace}
	at, length := pace.Instants(n, 1)
	for i := range n {
		b.Actions = append(b.Actions, profiles.Action{At: at[i], Operations: of(i)})
	}
	b.Length = length
	return b
}

// TestBatch makes, patches and deletes objects at a real API server.
func TestBatch(t *testing.T) {
	cluster := live.Use(t, suite.Shared(t))
	r := &rig{cluster: cluster, clock: results.NewClock()}
	const path = "/api/v1/namespaces/batch-1"
	cluster.Do(http.MethodPost, "/api/v1/namespaces", "application/json", strings.NewReader(`{"metadata":{"name":"batch-1"}}`))
	t.Cleanup(func() { erase(t, cluster, path) })
	rec := &recorder{}
	client := r.dial(t, rec, 2, 1)
	do := func(b profiles.Batch) BatchOutcome {
		t.Helper()
		rec.all = nil
		outcome, err := client.Batch(t.Context(), Batch{Phase: "workload", Track: "step-1", Batch: b, MaxInFlight: 50})
		if err != nil {
			t.Fatal(err)
		}
		return outcome
	}
	values := func() map[string]string {
		var list struct{ Items []object }
		cluster.Get(path+"/configmaps", &list)
		out := map[string]string{}
		for _, one := range list.Items {
			if one.Metadata.Name != "kube-root-ca.crt" {
				out[one.Metadata.Name] = one.Data["value"]
			}
		}
		return out
	}
	each := func(verb profiles.OperationVerb, value string) func(i int) []profiles.Operation {
		return func(i int) []profiles.Operation {
			return []profiles.Operation{operationOn(verb, "batch-1", fmt.Sprint("a-", i), value), operationOn(verb, "batch-1", fmt.Sprint("b-", i), value)}
		}
	}

	if o := do(actions(profiles.Pace{Kind: profiles.PaceScatter, Period: profiles.Duration(time.Second)}, 5, each(profiles.OperationCreate, "new"))); o.Err() != nil || o.Actions != 5 {
		t.Fatalf("%+v", o)
	}
	if got := values(); len(got) != 10 || got["b-4"] != "new" {
		t.Errorf("there are %v", got)
	}
	checkParts(t, rec.records(profiles.VerbPost), 5)

	// What is there already is as good as made, and the record says what the server said.
	do(actions(profiles.Pace{Kind: profiles.PaceParallel, Workers: 2}, 6, each(profiles.OperationCreate, "late")))
	if got := values(); len(got) != 12 || got["a-1"] != "new" || got["a-5"] != "late" {
		t.Errorf("there are %v", got)
	}
	if classes := byClass(rec.records("")); classes[ClassAlreadyExists] != 10 || classes[""] != 2 {
		t.Errorf("classes %v", classes)
	}

	if o := do(actions(profiles.Pace{Kind: profiles.PaceEven, Rate: 20}, 6, each(profiles.OperationPatch, "changed"))); o.Err() != nil {
		t.Error(o.Err())
	}
	if got := values(); len(got) != 12 || got["a-0"] != "changed" || got["b-5"] != "changed" {
		t.Errorf("there are %v", got)
	}
	if gets, patches := rec.records(profiles.VerbGet), rec.records(profiles.VerbPatch); len(gets) != 12 || len(patches) != 12 || patches[0].Part != 1 || patches[0].Planned < gets[0].Done {
		t.Errorf("%d GETs, %d PATCHes; the first PATCH is %+v", len(gets), len(patches), patches[0])
	}

	do(actions(profiles.Pace{Kind: profiles.PaceParallel, Workers: 3}, 7, each(profiles.OperationDelete, "")))
	if got := values(); len(got) != 0 {
		t.Errorf("left: %v", got)
	}
	if classes := byClass(rec.records("")); classes[ClassNotFound] != 2 || classes[""] != 12 {
		t.Errorf("classes %v", classes)
	}
}

// checkParts: of each action the first request is planned at its instant and the second at the end of the first.
func checkParts(t *testing.T, records []results.Request, actions int) {
	t.Helper()
	var first, second int
	for _, one := range records {
		if one.Phase != "workload" || one.Track != "step-1" || one.Scope != "resource" || one.Resource != "configmaps" || one.ResourceVersion == 0 {
			t.Errorf("record %+v", one)
		}
		if one.Part == 0 {
			first++
			continue
		}
		second++
		if lag := one.Sent - one.Planned; lag > int64(50*time.Millisecond) {
			t.Errorf("%s was sent %v after the first", one.Object, time.Duration(lag))
		}
	}
	if first != actions || second != actions {
		t.Errorf("%d first and %d second requests, want %d of each", first, second, actions)
	}
}

// TestBatchFailures: what the server refuses ends its action, except for deletions, and is counted; the other actions go on.
func TestBatchFailures(t *testing.T) {
	cluster := live.Use(t, suite.Shared(t))
	r := &rig{cluster: cluster, clock: results.NewClock()}
	rec := &recorder{}
	client := r.dial(t, rec, 1, 1)
	broken := operationOn(profiles.OperationCreate, "default", "batch-c", "")
	broken.Body = func(string) ([]byte, error) { return nil, errors.New("no such variable") }
	list := [][]profiles.Operation{
		{operationOn(profiles.OperationCreate, "default", "Not_A_Name", ""), operationOn(profiles.OperationCreate, "default", "batch-never", "")},
		{operationOn(profiles.OperationPatch, "default", "batch-missing", ""), operationOn(profiles.OperationDelete, "default", "batch-missing", "")},
		{broken},
		{operationOn(profiles.OperationCreate, "default", "batch-good", "")},
		{}, // an action that does nothing has its instant all the same
	}
	b := actions(profiles.Pace{Kind: profiles.PaceEven, Rate: 10}, len(list), func(i int) []profiles.Operation { return list[i] })
	begin := time.Now()
	outcome, err := client.Batch(t.Context(), Batch{Phase: "workload", Track: "step-2", Batch: b, MaxInFlight: 5})
	if err != nil || outcome.Actions != 5 || outcome.Failed != 3 {
		t.Fatalf("%+v, error %v", outcome, err)
	}
	if took := time.Since(begin); took < b.Length {
		t.Errorf("the batch was over after %v, its last pause ends at %v", took, b.Length)
	}
	t.Cleanup(func() { erase(t, cluster, "/api/v1/namespaces/default/configmaps/batch-good") })
	for _, part := range []string{"3 of 5 actions failed", "create configmaps default/Not_A_Name", "patch configmaps default/batch-missing", "no such variable"} {
		if !strings.Contains(outcome.Err().Error(), part) {
			t.Errorf("%q lacks %q", outcome.Err(), part)
		}
	}
	want := map[string]int{ClassInvalid: 1, ClassNotFound: 2, ClassInternal: 1, "": 1}
	if got := byClass(rec.records("")); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("classes %v, want %v", got, want)
	}
}

// TestBatchRendering: the time that the harness takes to render an object is no latency of the API, except where it makes the first request of
// an action late that was planned for an instant.
func TestBatchRendering(t *testing.T) {
	const render = 200 * time.Millisecond
	srv := startServer(t, func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"b"}}`)
	})
	slow := func(verb profiles.OperationVerb) profiles.Operation {
		o := operationOn(verb, "a", "b", "")
		body := o.Body
		o.Body = func(string) ([]byte, error) {
			time.Sleep(render)
			return body("")
		}
		return o
	}
	for _, c := range []struct {
		pace  profiles.Pace
		first bool // the first request bears the rendering
	}{
		{profiles.Pace{Kind: profiles.PaceParallel, Workers: 1}, false},
		{profiles.Pace{Kind: profiles.PaceEven, Rate: 100}, true},
	} {
		for _, verb := range []profiles.OperationVerb{profiles.OperationCreate, profiles.OperationPatch} {
			rec := &recorder{}
			client := dialTest(t, srv, 1, 1, rec.record)
			b := actions(c.pace, 1, func(int) []profiles.Operation { return []profiles.Operation{slow(verb), slow(verb)} })
			if outcome, err := client.Batch(t.Context(), Batch{Batch: b, MaxInFlight: 1}); err != nil || outcome.Err() != nil {
				t.Fatalf("%+v, error %v", outcome, err)
			}
			for i, one := range rec.records("") {
				late := time.Duration(one.Sent-one.Planned) >= render
				if late != (c.first && i == 0) || one.Sent < one.Planned {
					t.Errorf("%s %v: request %d was planned %v before it was sent", c.pace.Kind, verb, i, time.Duration(one.Sent-one.Planned))
				}
			}
		}
	}
}

// TestBatchTriesAgain: a server that is busy is asked again, each attempt with its record.
func TestBatchTriesAgain(t *testing.T) {
	var asked atomic.Int32
	srv := startServer(t, func(w http.ResponseWriter, r *http.Request) {
		if asked.Add(1) < 3 {
			w.WriteHeader(http.StatusTooManyRequests)
			return
		}
		w.WriteHeader(http.StatusCreated)
	})
	rec := &recorder{}
	client := dialTest(t, srv, 1, 1, rec.record)
	b := actions(profiles.Pace{Kind: profiles.PaceParallel, Workers: 1}, 1, func(int) []profiles.Operation {
		return []profiles.Operation{operationOn(profiles.OperationCreate, "a", "b", "")}
	})
	if outcome, err := client.Batch(t.Context(), Batch{Batch: b}); err != nil || outcome.Err() != nil {
		t.Fatalf("%+v, error %v", outcome, err)
	}
	got := rec.records("")
	if len(got) != 3 || got[2].Attempt != 3 || got[2].Part != 0 || got[2].Planned-got[1].Done < int64(290*time.Millisecond) {
		t.Errorf("records %+v", got)
	}
}

// TestBatchStops: the end of the context drops what has not been sent, and says so in the records.
func TestBatchStops(t *testing.T) {
	srv := startServer(t, func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusCreated) })
	rec := &recorder{}
	client := dialTest(t, srv, 1, 1, rec.record)
	ctx, cancel := context.WithTimeout(t.Context(), 250*time.Millisecond)
	defer cancel()
	b := actions(profiles.Pace{Kind: profiles.PaceEven, Rate: 10}, 100, func(i int) []profiles.Operation {
		return []profiles.Operation{operationOn(profiles.OperationCreate, "a", fmt.Sprint("b-", i), "")}
	})
	outcome, err := client.Batch(ctx, Batch{Batch: b, MaxInFlight: 10})
	if !errors.Is(err, context.DeadlineExceeded) || outcome.Actions < 2 || outcome.Actions > 4 || rec.count() != outcome.Actions {
		t.Errorf("%+v with %d records, error %v", outcome, rec.count(), err)
	}
}

// TestBatchAfterIdleness: a connection that the server closed before the first request over it is made anew.
func TestBatchAfterIdleness(t *testing.T) {
	srv := startServer(t, func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusCreated) })
	rec := &recorder{}
	client := dialTest(t, srv, 1, 1, rec.record)
	live := client.lanes[0].conns[0].live
	srv.CloseClientConnections()
	for deadline := time.Now().Add(10 * time.Second); !live.State().Closed; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the connection does not learn that it is closed")
		}
	}
	b := actions(profiles.Pace{Kind: profiles.PaceParallel, Workers: 1}, 2, func(i int) []profiles.Operation {
		return []profiles.Operation{operationOn(profiles.OperationCreate, "a", fmt.Sprint("b-", i), "")}
	})
	if outcome, err := client.Batch(t.Context(), Batch{Batch: b}); err != nil || outcome.Err() != nil || rec.count() != 2 {
		t.Errorf("%+v with %d records, error %v", outcome, rec.count(), err)
	}
}
