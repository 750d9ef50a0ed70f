package profiles

import (
	"reflect"
	"time"

	"go.yaml.in/yaml/v3"
)

// Kubernetes' own client limits of the components, see the defaults of their configuration types
// (pkg/controller/apis/config/v1alpha1 and the scheduler's v1 ClientConnection).
const (
	controllerManagerQPS   = 20
	controllerManagerBurst = 30
	schedulerQPS           = 50
	schedulerBurst         = 100
)

// The default of ControlPlane.ReadyTimeout.
const (
	bootTime     = time.Minute
	bootTimeKind = 5 * time.Minute
)

// The default of HollowNodes.ReadyTimeout: a base, and what each node adds.
const (
	readyBase    = 30 * time.Second
	readyPerNode = 250 * time.Millisecond
)

// Default fills every field that is zero with its default. For a profile that was built in Go; Load does it by itself and
// can tell a zero that was written from a field that was not.
func (p *Profile) Default() {
	fillDefaults(p, func(string) bool { return false })
}

// fillDefaults gives fields their defaults. written tells whether the profile's text has a value at a path: that value
// stays, even if it is zero.
func fillDefaults(p *Profile, written func(path string) bool) {
	f := filler{written: written}
	f.arrivals(p) // before the tags, which know less
	f.provider(&p.ControlPlane)
	f.fill(reflect.ValueOf(p).Elem(), "")
	f.components(&p.ControlPlane)
	f.nodes(&p.HollowNodes)
	f.requests(p)
}

type filler struct{ written func(path string) bool }

// missing tells whether a field is to be given its default.
func (f filler) missing(path string, v reflect.Value) bool { return v.IsZero() && !f.written(path) }

// fill applies the default tags, in whatever is there already: it makes no list items, map entries or steps.
func (f filler) fill(v reflect.Value, path string) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			f.fill(v.Elem(), path)
		}
	case reflect.Slice:
		for i := range v.Len() {
			f.fill(v.Index(i), joinIndex(path, i))
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			if v.Type().Elem().Kind() != reflect.Struct {
				break
			}
			element := reflect.New(v.Type().Elem()).Elem() // the elements of a map cannot be changed in place
			element.Set(v.MapIndex(key))
			f.fill(element, joinKey(path, key.String()))
			v.SetMapIndex(key, element)
		}
	case reflect.Struct:
		for _, one := range fieldsOf(v.Type()) {
			inner, fv := joinKey(path, one.name), v.Field(one.index)
			if one.hasDefault && f.missing(inner, fv) {
				setDefault(fv, one.byDefault)
			}
			f.fill(fv, inner)
		}
	}
}

// setDefault stores the text of a default tag. That every tag fits its field is held by a test.
func setDefault(v reflect.Value, text string) {
	if v.Kind() == reflect.Pointer {
		v.Set(reflect.New(v.Type().Elem()))
		v = v.Elem()
	}
	n := &node{kind: yaml.ScalarNode, tag: tagString, text: text}
	if v.Kind() != reflect.String && v.Type() != reflect.TypeFor[Duration]() {
		n.tag = (&yaml.Node{Kind: yaml.ScalarNode, Value: text}).ShortTag()
	}
	if err := setScalar(n, v); err != nil {
		panic("profiles: default tag " + text + ": " + err.message)
	}
}

// provider makes the group of the provider, so that its defaults are filled in, and the time that it needs.
func (f filler) provider(c *ControlPlane) {
	boot := bootTime
	if c.Provider == ProviderKind {
		boot = bootTimeKind
		if c.Kind == nil {
			c.Kind = &KindCluster{}
		}
	}
	if f.missing("controlPlane.readyTimeout", reflect.ValueOf(c.ReadyTimeout)) {
		c.ReadyTimeout = Duration(boot)
	}
}

// components fills what differs between fields of one type.
func (f filler) components(c *ControlPlane) {
	fill := func(client *Client, path string, qps float64, burst int) {
		if f.missing(path+".qps", reflect.ValueOf(client.QPS)) {
			client.QPS = qps
		}
		if f.missing(path+".burst", reflect.ValueOf(client.Burst)) {
			// A limit that was set without its bucket gets one that lets it be reached.
			client.Burst = max(burst, int(min(client.QPS, 1e6)))
		}
	}
	fill(&c.ControllerManager, "controlPlane.controllerManager", controllerManagerQPS, controllerManagerBurst)
	fill(&c.Scheduler, "controlPlane.scheduler", schedulerQPS, schedulerBurst)
}

// nodes fills what is computed or filled key by key.
func (f filler) nodes(h *HollowNodes) {
	for name, quantity := range map[string]string{"cpu": "32", "memory": "256Gi"} {
		if _, there := h.Capacity[name]; there || f.written(joinKey("hollowNodes.capacity", name)) {
			continue
		}
		if h.Capacity == nil {
			h.Capacity = map[string]string{}
		}
		h.Capacity[name] = quantity
	}
	if f.missing("hollowNodes.perProcess", reflect.ValueOf(h.PerProcess)) {
		h.PerProcess = h.DefaultPerProcess()
	}
	if f.missing("hollowNodes.readyTimeout", reflect.ValueOf(h.ReadyTimeout)) {
		h.ReadyTimeout = Duration(readyBase + time.Duration(min(max(h.Count, 0), 1e6))*readyPerNode)
	}
}

// DefaultPerProcess is the PerProcess of nodes of this tier and fidelity where nothing is said.
func (h HollowNodes) DefaultPerProcess() int {
	switch {
	case h.Minimal():
		return 50_000
	case h.Light():
		return 5000
	}
	return 250
}

// requests fills the scope of every LIST: namespace where the resource has one. Where the resource is not known the scope
// stays empty, which Validate reports.
func (f filler) requests(p *Profile) {
	for _, phase := range p.Phases {
		for _, track := range phase.Tracks {
			for _, step := range track.Steps {
				if step.Requests == nil {
					continue
				}
				for i := range step.Requests.Mix {
					defaultScope(p, &step.Requests.Mix[i])
				}
			}
		}
	}
}

func defaultScope(p *Profile, r *Request) {
	if r.Verb != VerbList || r.Scope != "" {
		return
	}
	if namespaced, known := p.namespaced(*r); known {
		r.Scope = ScopeCluster
		if namespaced {
			r.Scope = ScopeNamespace
		}
	}
}

// namespaced tells whether the resource of a request lives in namespaces, if that is known.
func (p *Profile) namespaced(r Request) (namespaced, known bool) {
	if r.Object != "" {
		object, there := p.Objects[r.Object]
		if !there {
			return false, false
		}
		apiVersion, kind := object.typeMeta()
		if resource, builtin := ResourceFor(apiVersion, kind); builtin {
			return resource.Namespaced, true
		}
		return !object.ClusterScoped, true
	}
	resource, builtin := ResourceByName(r.Resource)
	if builtin {
		return resource.Namespaced, true
	}
	for _, object := range p.Objects {
		apiVersion, _ := object.typeMeta()
		if object.Resource != "" && object.Resource == resource.Name && apiVersion == resource.APIVersion() {
			return !object.ClusterScoped, true
		}
	}
	return false, false
}

// typeMeta is the manifest's apiVersion and kind; empty where they are no texts.
func (o Object) typeMeta() (apiVersion, kind string) {
	apiVersion, _ = o.Manifest["apiVersion"].(string)
	kind, _ = o.Manifest["kind"].(string)
	return apiVersion, kind
}
