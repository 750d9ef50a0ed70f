package load

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"windtunnel/harness/internal/live"
	"windtunnel/internal/golden"
	"windtunnel/profiles"
	"windtunnel/results"
)

// TestForms sends every form of every verb to every resource of testdata/resources.yaml, to a real API server, and reads back what
// it did. docs/requests.md is its table.
func TestForms(t *testing.T) {
	f := &forms{cluster: live.Use(t, suite.Shared(t)), served: map[string][]string{}, done: map[string][]string{}}
	f.rec = &recorder{}
	r := &rig{cluster: f.cluster, clock: results.NewClock()}
	f.client, f.eyes = r.dial(t, f.rec, 1, 1), r.dial(t, &recorder{}, 1, 1)
	data, err := os.ReadFile("testdata/resources.yaml")
	if err != nil {
		t.Fatal(err)
	}
	profile, err := profiles.Load("resources.yaml", data, nil)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := profiles.Compile(profile)
	if err != nil {
		t.Fatal(err)
	}
	f.objects = plan.Objects
	f.make(t, "forms", 0)
	f.make(t, "machine", 0)
	f.await(t, "/api/v1/namespaces/forms-0/serviceaccounts/default") // without which no pod is admitted
	names := slices.DeleteFunc(slices.Sorted(maps.Keys(f.objects)), func(name string) bool { return name == "forms" || name == "widget" })
	for _, name := range names {
		t.Run(name, func(t *testing.T) { f.all(t, name) })
	}
	f.make(t, "definition", 0)
	f.served = map[string][]string{}
	f.await(t, "/apis/forms.example.com/v1/widget0s")
	t.Run("widget", func(t *testing.T) { f.all(t, "widget") })
	f.erase(t)
	f.table(t)
}

// forms is the API server and what was tried on it.
type forms struct {
	cluster *live.Cluster
	client  *Client
	eyes    *Client // that watch
	rec     *recorder
	objects map[string]profiles.Template
	served  map[string][]string // resource or resource/subresource -> verbs, of the group and version asked last
	done    map[string][]string // resource, or resource/subresource, and verb -> forms
}

// template is a template whose instances are all in one namespace.
func (f *forms) template(name string) profiles.Template {
	t := f.objects[name]
	if t.Resource.Namespaced {
		t.Namespaces = 1
	}
	return t
}

// do sends one request to one instance and returns its last record.
func (f *forms) do(t *testing.T, name string, index int, r profiles.Request) results.Request {
	t.Helper()
	r.Object = name
	template := f.template(name)
	st := &step{client: f.client, phase: "workload", track: "users", nodes: []string{"machine-0"}}
	op, err := st.byTemplate(r, template)
	if err != nil {
		t.Fatalf("%s %s %s: %v", r.Verb, r.Form(), name, err)
	}
	var last results.Request
	for range 5 { // controllers write as well
		before := f.rec.count()
		_, err = f.client.run(t.Context(), 1, func(_ context.Context, d *dispatcher) (int, error) {
			return f.client.feed(d, reconciliation{op: op, first: index, count: 1}), nil
		})
		if err != nil {
			t.Fatalf("%s %s %s: %v", r.Verb, r.Form(), name, err)
		}
		if f.rec.count() == before {
			t.Fatalf("%s %s %s left no record", r.Verb, r.Form(), name)
		}
		if last = f.rec.last(); last.Error != ClassConflict {
			break
		}
	}
	if last.Error != "" || last.Code < 200 || last.Code > 299 || last.Variant != r.Form() || last.Subresource != r.Subresource {
		t.Errorf("%s %s: record %+v", r.Verb, r.Form(), last)
	}
	key := template.Resource.String()
	if r.Subresource != "" {
		key += "/" + r.Subresource
	}
	if key += " " + r.Verb; !slices.Contains(f.done[key], r.Form()) {
		f.done[key] = append(f.done[key], r.Form())
	}
	return last
}

// make creates an instance, whatever there was before it.
func (f *forms) make(t *testing.T, name string, index int) {
	t.Helper()
	f.do(t, name, index, profiles.Request{Verb: "POST"})
}

// state is what the test reads back of an object.
type state struct {
	Kind     string
	Metadata struct {
		ResourceVersion, DeletionTimestamp string
		Annotations, Labels                map[string]string
	}
	Spec   struct{ Replicas int }
	Status struct {
		Conditions []struct{ Type, Message string }
	}
}

func (f *forms) path(name string, index int, subresource string) string {
	template := f.template(name)
	path := template.Path(template.Namespace(index), template.InstanceName(index))
	if subresource != "" {
		path += "/" + subresource
	}
	return path
}

// get reads an object back; false when it is gone or going.
func (f *forms) get(name string, index int, subresource string) (state, bool) {
	var s state
	code := f.cluster.Get(f.path(name, index, subresource), &s)
	return s, code == http.StatusOK && s.Metadata.DeletionTimestamp == ""
}

func (s state) mark() string {
	for _, c := range s.Status.Conditions {
		if c.Type == "windtunnel.dev/Touched" {
			return c.Message
		}
	}
	return ""
}

// verbs are those that the API server serves.
func (f *forms) verbs(t *testing.T, r profiles.Resource, subresource string) []string {
	t.Helper()
	name := r.APIVersion() + " " + r.Name
	if subresource != "" {
		name += "/" + subresource
	}
	if _, asked := f.served[r.APIVersion()]; !asked {
		f.served[r.APIVersion()] = []string{}
		var list struct {
			Resources []struct {
				Name  string
				Verbs []string
			}
		}
		path := "/apis/" + r.APIVersion()
		if r.Group == "" {
			path = "/api/" + r.Version
		}
		f.cluster.Get(path, &list)
		for _, one := range list.Resources {
			f.served[r.APIVersion()+" "+one.Name] = one.Verbs
		}
	}
	return f.served[name]
}

// await waits until there is something at a path.
func (f *forms) await(t *testing.T, path string) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		if code, _ := f.cluster.Do(http.MethodGet, path, "", nil); code == http.StatusOK {
			return
		}
	}
	t.Fatalf("%s is not there", path)
}

// all tries everything on one resource.
func (f *forms) all(t *testing.T, name string) {
	resource := f.template(name).Resource
	encodings := []string{"", profiles.EncodingJSON, profiles.EncodingCBOR}
	if resource.HasProtobuf() {
		encodings = append(encodings, profiles.EncodingProtobuf)
	}
	if resource.Name == "nodes" {
		f.cluster.Do(http.MethodDelete, f.path(name, 0, ""), "", nil)
	}
	index := 1
	for _, encoding := range encodings {
		f.do(t, name, index, profiles.Request{Verb: "POST", Encoding: encoding})
		if _, there := f.get(name, index, ""); !there {
			t.Errorf("POST %s made nothing", encoding)
		}
		index++
	}
	f.do(t, name, 99, profiles.Request{Verb: "POST", DryRun: true})
	if _, there := f.get(name, 99, ""); there {
		t.Error("a dry POST made something")
	}
	f.reads(t, name, encodings)
	f.writes(t, name, encodings, "")
	for _, subresource := range []string{"status", "scale", "binding", "eviction", "token"} {
		f.subresource(t, name, subresource, encodings)
	}
	for _, encoding := range encodings {
		f.watches(t, name, profiles.Watch{Encoding: encoding, Watchers: 1})
		f.watches(t, name, profiles.Watch{Encoding: encoding, Watchers: 1, InitialEvents: true})
	}
	f.removes(t, name, index)
}

// watches opens a watch, writes, and waits for the event of that very write.
func (f *forms) watches(t *testing.T, name string, w profiles.Watch) {
	t.Helper()
	template := f.template(name)
	events := make(chan results.WatchEvent, 1000)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	ended := make(chan error, 1)
	go func() {
		ended <- f.eyes.Watch(ctx, Watch{Phase: "workload", Track: "eyes", Watch: w, Template: &template,
			Record: func(e results.WatchEvent) { events <- e }})
	}()
	defer func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("watch: %v", err)
		}
	}()
	form := cmp.Or(w.Encoding, "usual")
	if w.InitialEvents {
		form += ",initial"
		for seen := map[string]bool{}; !seen["BOOKMARK"] || !seen["INITIAL"]; {
			select {
			case e := <-events:
				seen[e.Type] = true
			case <-ctx.Done():
				t.Fatalf("watch %s: no initial events, only %v", form, seen)
			}
		}
	}
	key := template.Resource.String() + " WATCH"
	f.done[key] = append(f.done[key], form)
	var last results.Request
	for { // the watch may have been opened after the first writes
		if last.ResourceVersion == 0 || !w.InitialEvents {
			last = f.do(t, name, 1, profiles.Request{Verb: "PATCH"})
		}
		for again := false; !again; {
			select {
			case e := <-events:
				if e.Type == "MODIFIED" && e.ResourceVersion == last.ResourceVersion && e.At >= last.Sent && e.Bytes > 0 {
					return
				}
			case <-time.After(50 * time.Millisecond):
				again = true
			case <-ctx.Done():
				t.Fatalf("watch %s: no event of the write %d", form, last.ResourceVersion)
			}
		}
	}
}

func (f *forms) reads(t *testing.T, name string, encodings []string) {
	for _, encoding := range encodings {
		for _, as := range []string{"", profiles.AsMetadata, profiles.AsTable} {
			if as == profiles.AsTable && encoding != "" && encoding != profiles.EncodingJSON {
				continue
			}
			for _, version := range []string{"", "0"} {
				f.read(t, name, profiles.Request{Verb: "GET", Encoding: encoding, As: as, ResourceVersion: version})
				f.read(t, name, profiles.Request{Verb: "LIST", Encoding: encoding, As: as, ResourceVersion: version})
			}
			before := f.rec.count()
			f.read(t, name, profiles.Request{Verb: "LIST", Encoding: encoding, As: as, Limit: 1})
			if pages := f.rec.count() - before; pages < 4 {
				t.Errorf("LIST with limit 1 took %d requests (%s %s)", pages, encoding, as)
			}
		}
	}
	f.read(t, name, profiles.Request{Verb: "LIST", Scope: "cluster"})
	one := f.read(t, name, profiles.Request{Verb: "LIST", FieldSelector: "metadata.name=${name}"})
	all := f.read(t, name, profiles.Request{Verb: "LIST", LabelSelector: "windtunnel/object=" + name})
	none := f.read(t, name, profiles.Request{Verb: "LIST", LabelSelector: "windtunnel/object=nothing"})
	if !(none.BytesIn < one.BytesIn && one.BytesIn < all.BytesIn) {
		t.Errorf("of none, one and all %d, %d and %d bytes", none.BytesIn, one.BytesIn, all.BytesIn)
	}
}

// read sends a GET or LIST twice: as load, and keeping the answer to look at what came.
func (f *forms) read(t *testing.T, name string, r profiles.Request) results.Request {
	t.Helper()
	record := f.do(t, name, 1, r)
	r.Object = name
	st := &step{client: f.client}
	op, err := st.byTemplate(r, f.template(name))
	if err != nil {
		t.Fatal(err)
	}
	reader, ok := op.(interface {
		call(profiles.Pick, results.Instant) (Call, bool)
	})
	if !ok {
		t.Fatalf("%T reads nothing", op)
	}
	call, _ := reader.call(profiles.Pick{Index: 1}, 0)
	call.Method = http.MethodGet
	body, err := st.single(t.Context(), keep(call))
	if err != nil {
		t.Fatalf("%s %s: %v", r.Verb, r.Form(), err)
	}
	want := map[string]string{"": f.template(name).Resource.Kind, profiles.AsMetadata: "PartialObjectMetadata", profiles.AsTable: "Table"}[r.As]
	if r.Verb == "LIST" && r.As != profiles.AsTable {
		want += "List"
	}
	if got := kindOf(body); got != cmp.Or(map[bool]string{true: "CBOR"}[r.Encoding == profiles.EncodingCBOR], want) {
		t.Errorf("%s %s gave a %s, want %s", r.Verb, r.Form(), got, want)
	}
	if isProtobuf := bytes.HasPrefix(body, []byte(protobufMagic)); r.Encoding != "" && isProtobuf != (r.Encoding == profiles.EncodingProtobuf) {
		t.Errorf("%s %s: protobuf %t", r.Verb, r.Form(), isProtobuf)
	}
	return record
}

func keep(c Call) Call {
	c.Keep = true
	return c
}

// kindOf is the kind of an answer.
func kindOf(body []byte) string {
	var meta struct{ Kind string }
	switch {
	case bytes.HasPrefix(body, []byte(protobufMagic)):
		return string(protobufField(protobufField(body[len(protobufMagic):], 1), 2))
	case json.Unmarshal(body, &meta) == nil:
		return meta.Kind
	case bytes.HasPrefix(body, []byte{0xd9, 0xd9, 0xf7}): // the tag of self-described CBOR
		return "CBOR"
	}
	return fmt.Sprintf("%.20q", body)
}

// writes tries PUT and PATCH, of the object or of its status.
func (f *forms) writes(t *testing.T, name string, encodings []string, subresource string) {
	resource := f.template(name).Resource
	for _, encoding := range encodings {
		f.write(t, name, profiles.Request{Verb: "PUT", Encoding: encoding, Subresource: subresource})
	}
	f.write(t, name, profiles.Request{Verb: "PUT", Retries: 3, Subresource: subresource})
	f.write(t, name, profiles.Request{Verb: "PUT", DryRun: true, Subresource: subresource})
	patches := []string{"", profiles.PatchApply}
	if resource.HasProtobuf() {
		patches = append(patches, profiles.PatchStrategic)
	}
	if subresource == "" {
		patches = append(patches, profiles.PatchJSON)
	}
	for _, patch := range patches {
		f.write(t, name, profiles.Request{Verb: "PATCH", Patch: patch, Subresource: subresource})
		f.write(t, name, profiles.Request{Verb: "PATCH", Patch: patch, DryRun: true, Subresource: subresource})
	}
	f.write(t, name, profiles.Request{Verb: "PATCH", Patch: profiles.PatchApply, Encoding: profiles.EncodingCBOR, Subresource: subresource})
}

// write sends a write and checks that the value that it set is there, or that nothing changed when it was dry.
func (f *forms) write(t *testing.T, name string, r profiles.Request) {
	t.Helper()
	value := func() string {
		s, there := f.get(name, 1, "")
		if !there {
			t.Fatalf("%s %s: the object is gone", r.Verb, r.Form())
		}
		if r.Subresource == profiles.SubresourceStatus {
			return s.mark()
		}
		return s.Metadata.Annotations[touchedAnnotation] + "," + s.Metadata.Labels[touchedAnnotation]
	}
	before := value()
	record := f.do(t, name, 1, r)
	if changed := value() != before; changed == r.DryRun {
		t.Errorf("%s %s %s: changed %t from %q", r.Verb, r.Subresource, r.Form(), changed, before)
	}
	if (record.ResourceVersion == 0) != (r.DryRun || r.Encoding == profiles.EncodingCBOR) {
		t.Errorf("%s %s %s: the record's resourceVersion is %d", r.Verb, r.Subresource, r.Form(), record.ResourceVersion)
	}
}

// subresource tries one subresource, if there is one.
func (f *forms) subresource(t *testing.T, name, subresource string, encodings []string) {
	resource := f.template(name).Resource
	verbs := f.verbs(t, resource, subresource)
	if len(verbs) == 0 {
		return
	}
	switch subresource {
	case profiles.SubresourceStatus:
		if !slices.Contains([]string{
			"Pod", "Node", "Namespace", "PersistentVolumeClaim", "ReplicationController", "Service", "Deployment", "ReplicaSet",
			"StatefulSet", "DaemonSet", "Job", "HorizontalPodAutoscaler", "PodDisruptionBudget",
		}, resource.Kind) {
			return
		}
		f.do(t, name, 1, profiles.Request{Verb: "GET", Subresource: subresource})
		f.writes(t, name, encodings, subresource)
	case profiles.SubresourceScale:
		f.do(t, name, 1, profiles.Request{Verb: "GET", Subresource: subresource})
		for i, r := range []profiles.Request{{Verb: "PUT"}, {Verb: "PATCH"}, {Verb: "PATCH", Patch: "json"}, {Verb: "PATCH", Patch: "apply"}} {
			want := i%2 + 1
			r.Subresource, r.Replicas = subresource, &profiles.Replicas{Min: want, Max: want}
			f.do(t, name, 1, r)
			if s, _ := f.get(name, 1, ""); s.Spec.Replicas != want {
				t.Errorf("%s %s of scale: %d replicas, want %d", r.Verb, r.Form(), s.Spec.Replicas, want)
			}
		}
	case profiles.SubresourceToken:
		f.do(t, name, 1, profiles.Request{Verb: "POST", Subresource: subresource})
	case profiles.SubresourceBinding:
		f.do(t, name, 2, profiles.Request{Verb: "POST", Subresource: subresource})
		var pod struct{ Spec struct{ NodeName string } }
		if f.cluster.Get(f.path(name, 2, ""), &pod); pod.Spec.NodeName != "machine-0" {
			t.Errorf("the pod is bound to %q", pod.Spec.NodeName)
		}
	case profiles.SubresourceEviction:
		f.do(t, name, 2, profiles.Request{Verb: "POST", Subresource: subresource, DryRun: true})
		if _, there := f.get(name, 2, ""); !there {
			t.Error("a dry eviction was none")
		}
		f.do(t, name, 2, profiles.Request{Verb: "POST", Subresource: subresource})
		if _, there := f.get(name, 2, ""); there {
			t.Error("the pod was not evicted")
		}
		f.make(t, name, 5)
	}
}

// removes tries DELETE and DELETECOLLECTION; instances from 1 to before next are there.
func (f *forms) removes(t *testing.T, name string, next int) {
	f.do(t, name, 1, profiles.Request{Verb: "DELETE", DryRun: true})
	if _, there := f.get(name, 1, ""); !there {
		t.Error("a dry DELETE deleted")
	}
	f.do(t, name, 1, profiles.Request{Verb: "DELETE"})
	if _, there := f.get(name, 1, ""); there {
		t.Error("it is still there after DELETE")
	}
	template := f.template(name)
	if !slices.Contains(f.verbs(t, template.Resource, ""), "deletecollection") {
		for i := range next {
			f.cluster.Do(http.MethodDelete, f.path(name, i, ""), "", nil)
		}
		return
	}
	f.do(t, name, 0, profiles.Request{Verb: "DELETECOLLECTION", DryRun: true})
	if _, there := f.get(name, 3, ""); !there {
		t.Error("a dry DELETECOLLECTION deleted")
	}
	f.do(t, name, 3, profiles.Request{Verb: "DELETECOLLECTION", FieldSelector: "metadata.name=${name}"})
	if _, there := f.get(name, 3, ""); there {
		t.Error("DELETECOLLECTION of one instance deleted nothing")
	}
	f.do(t, name, 0, profiles.Request{Verb: "DELETECOLLECTION", LabelSelector: "windtunnel/run!=test"})
	if _, there := f.get(name, 2, ""); !there && name != "pod" { // that pod was evicted
		t.Error("DELETECOLLECTION with a selector that fits nothing deleted")
	}
	f.do(t, name, 0, profiles.Request{Verb: "DELETECOLLECTION"})
	for i := range next {
		if _, there := f.get(name, i, ""); there && i > 0 {
			t.Errorf("instance %d is there after DELETECOLLECTION", i)
		}
	}
}

// erase removes what the tests made, and waits: the next test counts the namespaces that it finds.
func (f *forms) erase(t *testing.T) {
	var paths []string
	for _, name := range []string{"forms", "definition", "machine"} {
		paths = append(paths, f.path(name, 0, ""))
	}
	erase(t, f.cluster, paths...)
}

const requestsDoc = "../../docs/requests.md"

// table holds docs/requests.md to what was tried.
func (f *forms) table(t *testing.T) {
	if t.Failed() {
		return
	}
	var b strings.Builder
	b.WriteString(`# Requests

<!-- Generated by go test ./harness/load -run TestForms -update. Do not edit. -->

What windtunnel sends, resource by resource: each line was sent to a real API server by TestForms and read back. "usual" is
the form without further fields; the others are named as the results name them. Any other resource goes by its group, version and
plural; profile-reference.md says how to ask for a form.

| resource | verb | forms |
|---|---|---|
`)
	for _, key := range slices.Sorted(maps.Keys(f.done)) {
		resource, verb, _ := strings.Cut(key, " ")
		names := slices.Clone(f.done[key])
		for i, name := range names {
			names[i] = cmp.Or(name, "usual")
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", resource, verb, strings.Join(names, " · "))
	}
	golden.Check(t, requestsDoc, b.String())
}
