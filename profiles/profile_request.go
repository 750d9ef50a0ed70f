package profiles

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// The verbs of a mix, as Kubernetes' metrics name them.
const (
	VerbGet              = "GET"
	VerbList             = "LIST"
	VerbPost             = "POST"
	VerbPut              = "PUT"
	VerbPatch            = "PATCH"
	VerbDelete           = "DELETE"
	VerbDeleteCollection = "DELETECOLLECTION"
	VerbWatch            = "WATCH"
)

// The encodings of bodies.
const (
	EncodingJSON     = "json"
	EncodingProtobuf = "protobuf"
	EncodingCBOR     = "cbor"
)

// The kinds of a PATCH.
const (
	PatchMerge     = "merge"
	PatchStrategic = "strategic"
	PatchJSON      = "json"
	PatchApply     = "apply"
)

// What a read asks for of each object.
const (
	AsObject   = "object"
	AsMetadata = "metadata"
	AsTable    = "table"
)

// Subresources that have a meaning of their own here.
const (
	SubresourceStatus   = "status"
	SubresourceScale    = "scale"
	SubresourceBinding  = "binding"
	SubresourceEviction = "eviction"
	SubresourceToken    = "token"
)

// Request is one kind of request of a mix.
type Request struct {
	// Verb is GET, LIST, POST, PUT, PATCH, DELETE or DELETECOLLECTION.
	Verb string `yaml:"verb" json:"verb" enum:"GET,LIST,POST,PUT,PATCH,DELETE,DELETECOLLECTION"`
	// Object is the template whose instances are the targets: POST adds the next instance, DELETE removes the oldest,
	// DELETECOLLECTION those in one namespace at random, the others take one at random (never one that is about to go or has
	// only just come).
	Object string `yaml:"object,omitempty" json:"object,omitempty"`
	// Resource is for reads (GET, LIST) of things that no template made: RESOURCE or GROUP/VERSION/RESOURCE, such as nodes or
	// discovery.k8s.io/v1/endpointslices. GET takes one at random of those that were there when the phase began.
	Resource string `yaml:"resource,omitempty" json:"resource,omitempty"`
	// Subresource sends the request to a part of the object, such as status, scale, binding, eviction or token. POST of binding
	// puts the oldest pod that has no node yet on a hollow node at random, POST of eviction removes the oldest instance.
	Subresource string `yaml:"subresource,omitempty" json:"subresource,omitempty"`
	// Scope of a LIST is namespace or cluster. Default namespace where the resource has one. A LIST in scope namespace takes
	// one of the object's namespaces at random; of a resource, one of the namespaces that hold the profile's objects.
	Scope string `yaml:"scope,omitempty" json:"scope,omitempty" enum:"namespace,cluster"`
	// Encoding is that of the bodies (a DELETE's and most PATCHes' are JSON in any case): json, protobuf or cbor (which the API server must be told to serve). Default: reads ask
	// for protobuf, or JSON where there is no protobuf form, and writes send and ask for JSON.
	Encoding string `yaml:"encoding,omitempty" json:"encoding,omitempty" enum:"json,protobuf,cbor"`
	// ResourceVersion of a GET or LIST: absent asks for the newest state, "0" for any that the API server has in its cache.
	ResourceVersion string `yaml:"resourceVersion,omitempty" json:"resourceVersion,omitempty" enum:"0"`
	// Limit makes a LIST come in pages of so many objects, each a request of its own: the second is planned at the instant at
	// which the first was done. Default 0: in one piece.
	Limit int `yaml:"limit,omitempty" json:"limit,omitempty"`
	// LabelSelector of a LIST or DELETECOLLECTION. With ${name} or ${index} it is about one instance of Object at random.
	LabelSelector string `yaml:"labelSelector,omitempty" json:"labelSelector,omitempty"`
	// FieldSelector of a LIST or DELETECOLLECTION, as LabelSelector, such as metadata.name=${name}.
	FieldSelector string `yaml:"fieldSelector,omitempty" json:"fieldSelector,omitempty"`
	// As is what a GET or LIST asks for of each object: the whole object, its metadata, or a row of a table as kubectl prints
	// it. Default object.
	As string `yaml:"as,omitempty" json:"as,omitempty" enum:"object,metadata,table"`
	// Patch is the kind of a PATCH: merge, strategic (merge), json, or (server-side) apply. Default merge.
	Patch string `yaml:"patch,omitempty" json:"patch,omitempty" enum:"merge,strategic,json,apply"`
	// Body is what a PATCH, a PUT or POST of a subresource sends, with the placeholders of a manifest and ${touched}, a value that
	// no write had before, and ${node}, the name of a hollow node. A PUT merges it into the object that it read. Default: one annotation (of status a condition, of
	// scale the replicas) changes, so that each write is a real one.
	Body any `yaml:"body,omitempty" json:"body,omitempty"`
	// Replicas bounds the number that a PUT or PATCH of the subresource scale asks for. Default from half to one and a half
	// of the template's.
	Replicas *Replicas `yaml:"replicas,omitempty" json:"replicas,omitempty"`
	// Retries is how often a PUT that met a conflict reads the object again and writes it again. Default 0.
	Retries int `yaml:"retries,omitempty" json:"retries,omitempty"`
	// DryRun makes a write go all the way but for the store.
	DryRun bool `yaml:"dryRun,omitempty" json:"dryRun,omitempty"`
	// Variant is what the results call this form of the verb. Default: made from the fields above; empty for the usual form.
	Variant string `yaml:"variant,omitempty" json:"variant,omitempty"`
	// Weight is this request's share of the mix: its rate is the rate of arrivals times weight over the sum of all weights.
	// Default 1.
	Weight float64 `yaml:"weight" json:"weight" default:"1"`
}

// Replicas is a range of replicas, from which one is drawn evenly.
type Replicas struct {
	// Min is the least number.
	Min int `yaml:"min" json:"min"`
	// Max is the largest number.
	Max int `yaml:"max" json:"max"`
}

// Watch keeps a number of watches open, as informers do, and notes when each event arrives. An event's latency counts from the
// moment at which the write was sent that caused it, where that was one of the run's. A watch that ends is opened again.
type Watch struct {
	// Object is the template whose resource is watched, in the namespaces of its instances.
	Object string `yaml:"object,omitempty" json:"object,omitempty"`
	// Resource is what is watched where no template made it: RESOURCE or GROUP/VERSION/RESOURCE.
	Resource string `yaml:"resource,omitempty" json:"resource,omitempty"`
	// Scope is namespace or cluster. Default cluster. In scope namespace the watchers go round the object's namespaces.
	Scope string `yaml:"scope,omitempty" json:"scope,omitempty" enum:"namespace,cluster"`
	// Watchers is how many there are. Default 1.
	Watchers int `yaml:"watchers,omitempty" json:"watchers,omitempty" default:"1"`
	// Connections is the fixed number of HTTP/2 connections that they share, each good for as many as the API server allows
	// (100). Default: as few as will do.
	Connections int `yaml:"connections,omitempty" json:"connections,omitempty"`
	// Identities is the number of users (windtunnel:user-0, …) that the watchers are spread over. Default 1.
	Identities int `yaml:"identities,omitempty" json:"identities,omitempty" default:"1"`
	// Bookmarks asks for bookmark events. Default true.
	Bookmarks *bool `yaml:"bookmarks,omitempty" json:"bookmarks,omitempty" default:"true"`
	// InitialEvents asks for all objects as events first (WatchList). Default: only what happens from now on.
	InitialEvents bool `yaml:"initialEvents,omitempty" json:"initialEvents,omitempty"`
	// Encoding is that of the events: json, protobuf or cbor. Default protobuf, or json where there is no protobuf form.
	Encoding string `yaml:"encoding,omitempty" json:"encoding,omitempty" enum:"json,protobuf,cbor"`
	// LabelSelector bounds what is watched.
	LabelSelector string `yaml:"labelSelector,omitempty" json:"labelSelector,omitempty"`
	// FieldSelector bounds what is watched.
	FieldSelector string `yaml:"fieldSelector,omitempty" json:"fieldSelector,omitempty"`
	// For is how long the watches stay; 0 means to the end of the phase (in a background track).
	For Duration `yaml:"for,omitempty" json:"for,omitempty"`
}

// Effect is what a request does to the instances of its template.
type Effect int

const (
	// EffectNone is a request to a collection, or to something that no template made.
	EffectNone Effect = iota
	// EffectUse is a request to an instance, which stays.
	EffectUse
	// EffectAdd makes the next instance.
	EffectAdd
	// EffectTry is sent as if it made an instance, and makes none.
	EffectTry
	// EffectRemove deletes the oldest instance.
	EffectRemove
	// EffectBind takes the oldest instance that was not taken before.
	EffectBind
)

// Effect is what the request does to the instances of its template.
func (r Request) Effect() Effect {
	whole := r.Subresource == ""
	switch {
	case r.Object == "" || r.Verb == VerbDeleteCollection:
		return EffectNone
	case r.Verb == VerbList && !isPerInstance(r.LabelSelector+r.FieldSelector):
		return EffectNone
	case r.Verb == VerbPost && whole && r.DryRun:
		return EffectTry
	case r.Verb == VerbPost && whole:
		return EffectAdd
	case r.DryRun:
		return EffectUse
	case r.Verb == VerbDelete, r.Verb == VerbPost && r.Subresource == SubresourceEviction:
		return EffectRemove
	case r.Verb == VerbPost && r.Subresource == SubresourceBinding:
		return EffectBind
	case slices.Contains(enumOf[Request]("verb"), r.Verb):
		return EffectUse
	}
	return EffectNone
}

// IsWrite tells verbs that change something.
func (r Request) IsWrite() bool {
	return slices.Contains([]string{VerbPost, VerbPut, VerbPatch, VerbDelete, VerbDeleteCollection}, r.Verb)
}

// Form is what the results call this form of the verb; "" for the usual one.
func (r Request) Form() string {
	if r.Variant != "" {
		return r.Variant
	}
	var parts []string
	add := func(is bool, part string) {
		if is {
			parts = append(parts, part)
		}
	}
	add(r.ResourceVersion != "", "rv="+r.ResourceVersion)
	add(r.Limit > 0, "limit="+strconv.Itoa(r.Limit))
	add(r.LabelSelector != "", "labels")
	add(r.FieldSelector != "", "fields")
	add(cmp.Or(r.As, AsObject) != AsObject, r.As)
	add(r.Verb == VerbPatch && cmp.Or(r.Patch, PatchMerge) != PatchMerge, r.Patch)
	add(r.Encoding != "", r.Encoding)
	add(r.Retries > 0, "retries="+strconv.Itoa(r.Retries))
	add(r.DryRun, "dry-run")
	return strings.Join(parts, ",")
}

// ConnectionCount is how many connections the watchers get.
func (w Watch) ConnectionCount() int {
	if w.Connections > 0 {
		return w.Connections
	}
	return max(1, (w.Watchers+streamsPerConnection-1)/streamsPerConnection)
}

// HasProtobuf tells whether windtunnel can write objects of this resource as protobuf: those of the API groups in
// k8s.io/api.
func (r Resource) HasProtobuf() bool {
	if r.Group == "apiextensions.k8s.io" || r.Group == "apiregistration.k8s.io" {
		return false
	}
	_, builtin := findResource(func(other Resource) bool { return other.Group == r.Group && other.Version == r.Version })
	return builtin
}
