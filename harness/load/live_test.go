package load

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"windtunnel/harness/internal/live"
	"windtunnel/profiles"
	"windtunnel/results"
)

// TestLive sends every kind of request to a real API server and reads back what it did.
func TestLive(t *testing.T) {
	cluster := live.Use(t, suite.Shared(t))
	r := &rig{cluster: cluster, clock: results.NewClock()}
	t.Cleanup(func() {
		erase(t, cluster, "/api/v1/namespaces/team-0", "/api/v1/namespaces/team-1", "/api/v1/namespaces/late-0")
	})
	t.Run("reconcile", r.reconcile)
	t.Run("mix", r.mix)
	t.Run("conflict", r.conflict)
	t.Run("by resource", r.byResource)
	t.Run("closed loop", r.crowd)
	t.Run("paced reconcile", r.paced)
	t.Run("reconcile insists", r.insists)
	t.Run("reconcile refused", r.refused)
	t.Run("reconcile down to nothing", r.removes)
}

// rig is a control plane with the templates of the test.
type rig struct {
	cluster *live.Cluster
	clock   results.Clock
}

// erase deletes what is at the paths and waits until it is gone, for the next test that uses the control plane.
func erase(t *testing.T, cluster *live.Cluster, paths ...string) {
	for _, path := range paths {
		cluster.Do(http.MethodDelete, path, "", nil)
	}
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(100 * time.Millisecond) {
		paths = slices.DeleteFunc(paths, func(path string) bool { return cluster.Get(path, &object{}) == http.StatusNotFound })
		if len(paths) == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Errorf("%v are still there after a minute", paths)
			return
		}
	}
}

func (r *rig) dial(t *testing.T, rec *recorder, identities, connections int) *Client {
	t.Helper()
	o := Options{
		Server: r.cluster.Server(), CA: r.cluster.CA(), Connections: connections, Run: "test", Clock: r.clock, Record: rec.record,
	}
	for i := range identities {
		name := fmt.Sprintf("windtunnel:user-%d", i)
		id := r.cluster.User(name)
		o.Identities = append(o.Identities, id)
	}
	client, err := Dial(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

func teams() profiles.Template {
	return profiles.Template{
		Name:     "team",
		Resource: profiles.Resource{Version: "v1", Name: "namespaces", Kind: "Namespace"},
		Manifest: []byte(`{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"${name}","labels":{"windtunnel/run":"${run}"}}}`),
	}
}

// object is what the tests read of an object.
type object struct {
	Metadata struct {
		Name, Namespace, ResourceVersion string
		Labels, Annotations              map[string]string
	}
	Data map[string]string
}

// list reads back the ConfigMaps that templates made.
func (r *rig) list(path string) []object {
	var list struct{ Items []object }
	r.cluster.Get(path, &list)
	return list.Items
}

const ofRun = "?labelSelector=windtunnel/run%3Dtest"

func (r *rig) reconcile(t *testing.T) {
	rec := &recorder{}
	client := r.dial(t, rec, 1, 1)
	if _, err := client.Reconcile(t.Context(), Reconcile{Phase: "prepare", Track: "objects", Template: teams(), Count: 2, MaxInFlight: 10}); err != nil {
		t.Fatal(err)
	}
	outcome, err := client.Reconcile(t.Context(), Reconcile{Phase: "prepare", Track: "objects", Template: configMaps(), Count: 40, MaxInFlight: 10})
	if err != nil {
		t.Fatal(err)
	}
	if outcome.Planned != 40 || outcome.Pools["config"] != (profiles.Pool{First: 0, Next: 40}) {
		t.Errorf("outcome %+v", outcome)
	}
	got := r.list("/api/v1/configmaps" + ofRun)
	if len(got) != 40 {
		t.Fatalf("%d ConfigMaps, want 40", len(got))
	}
	for _, one := range got {
		number := one.Data["number"]
		var index int
		fmt.Sscan(number, &index)
		if one.Metadata.Name != "config-"+number || one.Metadata.Namespace != fmt.Sprintf("team-%d", index%2) {
			t.Errorf("ConfigMap %+v", one)
		}
	}
	for _, one := range rec.records("") {
		if one.Verb != "POST" || one.Code != http.StatusCreated || one.Error != "" || one.Attempt != 1 || one.Track != "objects" ||
			one.Scope != "resource" || one.FlowSchema == "" || one.PriorityLevel == "" || one.BytesOut == 0 || one.BytesIn == 0 {
			t.Fatalf("record %+v", one)
		}
	}
}

// mix sends every verb at once, with instances coming and going.
func (r *rig) mix(t *testing.T) {
	rec := &recorder{}
	client := r.dial(t, rec, 3, 2)
	stream := Stream{
		Phase: "workload", Track: "users",
		Requests: profiles.Requests{
			Arrivals: &profiles.Arrivals{Process: "poisson", Rate: 150, For: profiles.Duration(4 * time.Second)}, Identities: 3, MaxInFlight: 100,
		},
		Objects: map[string]profiles.Template{"config": configMaps(), "team": teams()},
		Pools:   map[string]profiles.Pool{"config": {Next: 40}, "team": {Next: 2}},
		Seed:    3,
	}
	for _, verb := range []string{"GET", "LIST", "POST", "PUT", "PATCH", "DELETE"} {
		stream.Requests.Mix = append(stream.Requests.Mix, profiles.Request{Verb: verb, Object: "config", Weight: 1})
	}
	outcome, err := client.Stream(t.Context(), stream)
	if err != nil {
		t.Fatal(err)
	}
	all := rec.records("")
	codes := map[string]int{}
	identities := map[string]bool{}
	firsts := 0
	for _, one := range all {
		key := one.Verb + " " + one.Variant + " " + one.Error
		codes[key]++
		identities[one.Identity] = true
		// A PUT is planned when its GET is done.
		if one.Verb != "PUT" {
			firsts++
		}
	}
	lag := latencies(slices.DeleteFunc(slices.Clone(all), func(one results.Request) bool { return one.Sent == 0 }),
		func(one results.Request) int64 { return one.Sent - one.Planned })
	t.Logf("%d planned: %v; lag p50 %v p99 %v max %v", outcome.Planned, codes, quantile(lag, 0.5), quantile(lag, 0.99), quantile(lag, 1))
	if firsts != outcome.Planned {
		t.Errorf("%d records of %d planned instants", firsts, outcome.Planned)
	}
	for _, key := range []string{"GET  ", "LIST  ", "POST  ", "GET rmw ", "PATCH  ", "DELETE  "} {
		if codes[key] < 40 {
			t.Errorf("%d × %q", codes[key], key)
		}
	}
	// Writes of one object at a time collide, and more often on a machine that is slow.
	got := byClass(all)
	if codes["PUT  "] < 20 || got[ClassConflict] != codes["PUT  conflict"] {
		t.Errorf("PUTs: %d good, %d in conflict of %d", codes["PUT  "], codes["PUT  conflict"], got[ClassConflict])
	}
	if lost := got[ClassNotFound] + got[ClassNoTarget]; lost > len(all)/20 || got[""]+got[ClassConflict]+lost != len(all) {
		t.Errorf("records by class %v", got)
	}
	if len(identities) != 3 {
		t.Errorf("identities %v", identities)
	}
	if codes["POST  "] > 0 {
		r.holds(t, outcome.Pools["config"], rec)
	}
}

// holds checks that the server has what the outcome says, and that writes were real.
func (r *rig) holds(t *testing.T, pool profiles.Pool, rec *recorder) {
	t.Helper()
	got := r.list("/api/v1/configmaps" + ofRun)
	if len(got) != pool.Size() {
		t.Errorf("%d ConfigMaps, the outcome says %+v", len(got), pool)
	}
	touched := map[string]bool{}
	for _, one := range got {
		touched[one.Metadata.Namespace+"/"+one.Metadata.Name] = one.Metadata.Annotations[touchedAnnotation] != ""
		if one.Data["number"] == "" || one.Metadata.Labels["windtunnel/object"] != "config" {
			t.Errorf("a write lost something: %+v", one)
		}
	}
	for _, verb := range []string{"PUT", "PATCH"} {
		for _, one := range rec.records(verb) {
			if is, exists := touched[one.Object]; exists && !is && one.Error == "" {
				t.Errorf("%s of %s left no trace", verb, one.Object)
			}
		}
	}
}

// conflict has many PUTs at one object at the same time.
func (r *rig) conflict(t *testing.T) {
	rec := &recorder{}
	client := r.dial(t, rec, 1, 1)
	template := configMaps()
	client.runs(t, "POST", template, 1000, 1)
	client.runs(t, "PUT", template, 1000, 40)
	puts := rec.records("PUT")
	got := byClass(puts)
	if len(puts) != 40 || got[""] == 0 || got[ClassConflict] == 0 || got[""]+got[ClassConflict] != 40 {
		t.Errorf("PUTs by class %v, want some of 40 without error and the rest in conflict", got)
	}
	gets := map[int64]bool{}
	for _, one := range rec.records("GET") {
		gets[one.Done] = one.Variant == VariantRead
	}
	for _, one := range puts {
		if !gets[one.Planned] {
			t.Fatalf("a PUT is planned at %d, when no GET was done", one.Planned)
		}
	}
	client.runs(t, "POST", template, 1000, 1)
	if got := rec.records("POST")[1]; got.Error != ClassAlreadyExists || got.Code != http.StatusConflict {
		t.Errorf("second POST: %+v", got)
	}
	client.runs(t, "DELETE", template, 1000, 2)
	if got := byClass(rec.records("DELETE")); got[""] != 1 || got[ClassNotFound] != 1 {
		t.Errorf("DELETEs by class %v", got)
	}
	client.runs(t, "PUT", template, 1000, 1)
	puts = rec.records("PUT")
	if got := puts[len(puts)-1]; got.Error != ClassNoTarget || got.Sent != 0 {
		t.Errorf("PUT of what is gone: %+v", got)
	}
}

// runs sends n requests to one instance, 10 at a time.
func (c *Client) runs(t *testing.T, verb string, template profiles.Template, index, n int) {
	t.Helper()
	st := &step{client: c, phase: "workload", track: "users"}
	op, err := st.byTemplate(profiles.Request{Verb: verb}, template)
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.run(t.Context(), 10, func(_ context.Context, d *dispatcher) (int, error) {
		return c.feed(d, reconciliation{op: op, first: index, count: n}), nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// byResource reads what no template made.
func (r *rig) byResource(t *testing.T) {
	rec := &recorder{}
	client := r.dial(t, rec, 1, 1)
	outcome, err := client.Stream(t.Context(), Stream{Requests: profiles.Requests{
		Arrivals: &profiles.Arrivals{Rate: 100, For: profiles.Duration(time.Second)}, MaxInFlight: 50,
		Mix: []profiles.Request{
			{Verb: "GET", Resource: "namespaces", Weight: 1},
			{Verb: "LIST", Resource: "namespaces", Weight: 1},
			{Verb: "GET", Resource: "rbac.authorization.k8s.io/v1/clusterroles", Weight: 1},
			{Verb: "LIST", Resource: "configmaps", Weight: 1},
			{Verb: "LIST", Resource: "discovery.k8s.io/v1/endpointslices", Scope: "cluster", Weight: 1},
			{Verb: "GET", Resource: "persistentvolumes", Weight: 1},
		},
	}, Seed: 5})
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	objects := map[string]bool{}
	for _, one := range rec.records("") {
		seen[strings.TrimSpace(strings.Join([]string{one.Verb, one.Resource, one.Scope, one.Variant, one.Error}, " "))]++
		objects[one.Resource+" "+one.Object] = true
	}
	for _, want := range []string{
		"GET namespaces resource", "LIST namespaces cluster", "GET clusterroles resource", "LIST configmaps namespace",
		"LIST endpointslices cluster", "GET persistentvolumes resource  no_target",
		"LIST namespaces cluster targets", "LIST clusterroles cluster targets", "LIST configmaps cluster targets", "LIST persistentvolumes cluster targets",
	} {
		if seen[want] == 0 {
			t.Errorf("no record of %q", want)
		}
	}
	if len(seen) != 10 || outcome.Planned != 100 {
		t.Errorf("planned %d, records %v", outcome.Planned, seen)
	}
	for _, want := range []string{"configmaps kube-system", "namespaces default", "endpointslices "} {
		if !objects[want] {
			t.Errorf("no request to %q", want)
		}
	}
}

// paced creates in an open loop and checks the instants.
func (r *rig) paced(t *testing.T) {
	rec := &recorder{}
	client := r.dial(t, rec, 1, 1)
	_, err := client.Reconcile(t.Context(), Reconcile{
		Template: configMaps(), Pool: profiles.Pool{First: 2000, Next: 2000}, Count: 50, MaxInFlight: 10,
		Arrivals: &profiles.Arrivals{Rate: 50},
	})
	if err != nil {
		t.Fatal(err)
	}
	all := rec.records("POST")
	if len(all) != 50 || byClass(all)[""] != 50 {
		t.Fatalf("%d records by class %v", len(all), byClass(all))
	}
	for i, one := range all {
		if want := all[0].Planned + int64(i)*int64(20*time.Millisecond); one.Planned != want {
			t.Errorf("POST %d is planned %d ns from where it should be", i, one.Planned-want)
		}
	}
	_, err = client.Reconcile(t.Context(), Reconcile{
		Template: configMaps(), Pool: profiles.Pool{First: 2000, Next: 2050}, Count: 0, MaxInFlight: 10,
		Arrivals: &profiles.Arrivals{Rate: 100, For: profiles.Duration(200 * time.Millisecond)},
	})
	if err == nil || !strings.Contains(err.Error(), "30 of 50 instances of config still to come") {
		t.Errorf("error %v, want that 30 of 50 are left", err)
	}
	if got := len(rec.records("DELETE")); got != 20 {
		t.Errorf("%d DELETEs, want 20", got)
	}
}

// insists creates into a namespace that comes to be a little later, and over instances that are there.
func (r *rig) insists(t *testing.T) {
	rec := &recorder{}
	client := r.dial(t, rec, 1, 1)
	template := configMaps()
	template.In, template.Namespaces = "late", 1
	late := make(chan int, 1)
	go func() {
		time.Sleep(300 * time.Millisecond)
		code, _ := r.cluster.Do("POST", "/api/v1/namespaces", "application/json", strings.NewReader(`{"metadata":{"name":"late-0"}}`))
		late <- code
	}()
	if _, err := client.Reconcile(t.Context(), Reconcile{Template: template, Count: 3, MaxInFlight: 10}); err != nil {
		t.Fatal(err)
	}
	if code := <-late; code != http.StatusCreated {
		t.Fatalf("namespace: %d", code)
	}
	all := rec.records("POST")
	got := byClass(all)
	if got[ClassNotFound] < 3 || got[""] != 3 || len(r.list("/api/v1/namespaces/late-0/configmaps"+ofRun)) != 3 {
		t.Errorf("records by class %v", got)
	}
	attempts := map[string][]int32{}
	for _, one := range all {
		attempts[one.Object] = append(attempts[one.Object], one.Attempt)
		if one.Attempt > 1 && one.Sent-one.Planned > int64(200*time.Millisecond) {
			t.Errorf("a pause counts as lag: %+v", one)
		}
	}
	for object, numbers := range attempts {
		if !slices.IsSorted(numbers) || numbers[0] != 1 || int(numbers[len(numbers)-1]) != len(numbers) {
			t.Errorf("attempts at %s: %v", object, numbers)
		}
	}
	if _, err := client.Reconcile(t.Context(), Reconcile{Template: template, Count: 3, MaxInFlight: 10}); err != nil {
		t.Errorf("over what is there: %v", err)
	}
	if got := byClass(rec.records("POST")); got[ClassAlreadyExists] != 3 {
		t.Errorf("records by class %v, want 3 × already_exists", got)
	}
}

// refused creates what the API server will never have.
func (r *rig) refused(t *testing.T) {
	rec := &recorder{}
	client := r.dial(t, rec, 1, 1)
	template := configMaps()
	template.Manifest = []byte(`{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"${name}"},"data":{"not a key":"x"}}`)
	_, err := client.Reconcile(t.Context(), Reconcile{Template: template, Pool: profiles.Pool{First: 3000, Next: 3000}, Count: 500, MaxInFlight: 4, Arrivals: &profiles.Arrivals{Rate: 1000}})
	if err == nil || !strings.Contains(err.Error(), "POST configmaps team-") || !strings.Contains(err.Error(), "invalid (HTTP 422)") || !strings.Contains(err.Error(), "not a key") {
		t.Errorf("error %v", err)
	}
	got := byClass(rec.records("POST"))
	if got[ClassInvalid] == 0 || got[ClassInvalid] > 100 {
		t.Errorf("records by class %v: it did not stop", got)
	}
}

// removes deletes what the templates made, the youngest first.
func (r *rig) removes(t *testing.T) {
	rec := &recorder{}
	client := r.dial(t, rec, 2, 1)
	before := r.list("/api/v1/configmaps" + ofRun)
	pool := profiles.Pool{Next: 4000} // numbers that never were are gone already
	if _, err := client.Reconcile(t.Context(), Reconcile{Template: configMaps(), Pool: pool, Count: 0, MaxInFlight: 50}); err != nil {
		t.Fatal(err)
	}
	all := rec.records("DELETE")
	got := byClass(all)
	left := len(r.list("/api/v1/namespaces/late-0/configmaps" + ofRun))
	if len(all) != 4000 || got[""] != len(before)-left || got[""]+got[ClassNotFound] != 4000 {
		t.Errorf("%d records by class %v, %d were there", len(all), got, len(before))
	}
	if now := len(r.list("/api/v1/configmaps" + ofRun)); now != left {
		t.Errorf("%d ConfigMaps left, want the %d of another template", now, left)
	}
	for _, one := range all[:50] {
		var index int
		if _, err := fmt.Sscanf(one.Object[len("team-0/"):], "config-%d", &index); err != nil || index < 3800 {
			t.Errorf("%s is among the first to be deleted, want the youngest", one.Object)
		}
	}
}
