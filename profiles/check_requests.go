package profiles

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

func (c *checker) request(path string, r Request) {
	if c.required(path+".verb", r.Verb) {
		c.enum(path+".verb", r.Verb, enumOf[Request]("verb"))
	}
	if r.Weight < 0 {
		c.problem(path+".weight", "", "must not be negative, not %v", r.Weight)
	}
	if r.Object == "" && r.Resource != "" && r.IsWrite() {
		c.problem(path+".resource", "write object: TEMPLATE", "a %s needs an object, to know what to send", r.Verb)
	} else {
		c.subject(path, r.Object, r.Resource, "write object: TEMPLATE, or resource: NAME for a read")
	}
	c.scope(path+".scope", r)
	c.form(path, r)
	if r.Subresource != "" {
		c.subresource(path, r)
	}
}

// subject checks what a request or a watch is about: a template's instances or a resource, one of them. hint is for neither.
func (c *checker) subject(path, object, resource, hint string) {
	switch {
	case object != "" && resource != "":
		c.problem(path+".resource", "take one of them away", "object says what the resource is")
	case object != "":
		c.template(path+".object", object)
	case resource != "":
		c.resource(path+".resource", resource)
	case !c.unknown(path+".object", path+".resource"):
		c.problem(path, hint, "it does not say of what: object or resource is required")
	}
}

// resource checks the name of a resource that is read.
func (c *checker) resource(path, name string) {
	resource, known := ResourceByName(name)
	switch {
	case known && (isVirtual(resource.Name)):
		c.problem(path, "", "%s cannot be read", resource.Name)
		return
	case known:
		return
	}
	var names []string
	for _, r := range Resources() {
		names = append(names, r.Name, r.APIVersion()+"/"+r.Name)
	}
	if strings.Contains(name, "/") {
		group, _ := splitAPIVersion(resource.APIVersion())
		builtin := group == "" || !strings.Contains(group, ".") || strings.HasSuffix(group, ".k8s.io")
		if strings.Count(name, "/") == 2 && !builtin && dnsLabel.MatchString(resource.Name) {
			return // of a custom resource: discovery judges it before the load
		}
	}
	hint := "write the plural; a custom resource with group and version: GROUP/VERSION/NAME"
	if best, ok := nearest(name, names); ok {
		hint = fmt.Sprintf("did you mean %q?", best)
	}
	c.problem(path, hint, "there is no resource %q", name)
}

func (c *checker) scope(path string, r Request) {
	if r.Verb != VerbList {
		if r.Scope != "" && r.Verb != "" {
			c.problem(path, "take it away", "only a LIST has a scope")
		}
		return
	}
	c.scopeOf(path, r.Scope, r.Object, r.Resource)
}

// scopeOf checks the scope of a LIST or a watch.
func (c *checker) scopeOf(path, scope, object, resource string) {
	if !c.enum(path, scope, enumOf[Request]("scope")) {
		return
	}
	of, known := c.resourceOf(object, resource)
	switch {
	case scope == "" && strings.Count(resource, "/") == 2 && !known:
		c.problem(path, "write scope: namespace or scope: cluster", "is required: windtunnel does not know whether %s has namespaces", resource)
	case scope == ScopeNamespace && known && !of.Namespaced:
		c.problem(path, "write scope: cluster", "%s: this resource has no namespaces", cmp.Or(resource, object))
	}
}

// resourceOf is the resource of a template, or one by its name; known is false where windtunnel knows nothing of it.
func (c *checker) resourceOf(object, name string) (r Resource, known bool) {
	if object == "" {
		return ResourceByName(name)
	}
	o, there := c.Objects[object]
	if !there {
		return Resource{}, false
	}
	r = o.resource()
	return r, r.Name != ""
}

// only reports a field that has no meaning for the request's verb.
func (c *checker) only(path, field string, set bool, verb string, verbs ...string) {
	if set && verb != "" && !slices.Contains(verbs, verb) {
		c.problem(joinKey(path, field), "take it away: it is for "+strings.Join(verbs, ", "), "a %s has no %s", verb, field)
	}
}

// form checks the fields that say which form of the verb is sent.
func (c *checker) form(path string, r Request) {
	for field, value := range map[string]string{"encoding": r.Encoding, "resourceVersion": r.ResourceVersion, "as": r.As, "patch": r.Patch} {
		c.enum(joinKey(path, field), value, enumOf[Request](field))
	}
	c.only(path, "resourceVersion", r.ResourceVersion != "", r.Verb, VerbGet, VerbList)
	c.only(path, "as", r.As != "", r.Verb, VerbGet, VerbList)
	c.only(path, "limit", r.Limit != 0, r.Verb, VerbList)
	c.only(path, "labelSelector", r.LabelSelector != "", r.Verb, VerbList, VerbDeleteCollection)
	c.only(path, "fieldSelector", r.FieldSelector != "", r.Verb, VerbList, VerbDeleteCollection)
	c.only(path, "patch", r.Patch != "", r.Verb, VerbPatch)
	c.only(path, "retries", r.Retries != 0, r.Verb, VerbPut)
	c.only(path, "dryRun", r.DryRun, r.Verb, VerbPost, VerbPut, VerbPatch, VerbDelete, VerbDeleteCollection)
	c.atLeast(path+".limit", r.Limit, 0)
	c.atLeast(path+".retries", r.Retries, 0)
	if r.Limit > 0 && r.ResourceVersion == "0" {
		c.problem(path+".limit", "take one of them away", "the API server ignores a limit when resourceVersion is 0")
	}
	if r.As == AsTable && r.Encoding != "" && r.Encoding != EncodingJSON {
		c.problem(path+".encoding", "write encoding: json", "a table has no %s form", r.Encoding)
	}
	c.protobufForm(path+".encoding", r.Encoding, r.Object, r.Resource)
	c.body(path, r)
	c.replicas(path, r)
	c.selectorTexts(path, r)
}

// protobufForm checks that objects can be written as protobuf, which those of custom resources cannot.
func (c *checker) protobufForm(path, encoding, object, resource string) {
	if encoding != EncodingProtobuf || object == "" && resource == "" {
		return
	}
	if r, known := c.resourceOf(object, resource); known && !r.HasProtobuf() {
		c.problem(path, "write encoding: json", "%s has no protobuf form here", r.Name)
	}
}

// selectorTexts checks the placeholders of selectors.
func (c *checker) selectorTexts(path string, r Request) {
	for field, text := range map[string]string{"labelSelector": r.LabelSelector, "fieldSelector": r.FieldSelector} {
		c.placeholdersOf(joinKey(path, field), text, placeholders())
		if isPerInstance(text) && r.Object == "" {
			c.problem(joinKey(path, field), "write object: TEMPLATE instead of resource", "the placeholder is of an instance of a template")
		}
	}
}

// body checks what is sent in place of the usual change.
func (c *checker) body(path string, r Request) {
	at := path + ".body"
	if r.Body == nil {
		return
	}
	if r.Verb != "" && r.Verb != VerbPatch && r.Verb != VerbPut && (r.Verb != VerbPost || r.Subresource == "") {
		c.problem(at, "take it away; what a POST sends is the manifest of the object", "a %s has no body of its own", r.Verb)
		return
	}
	_, isList := r.Body.([]any)
	_, isMap := r.Body.(map[string]any)
	switch {
	case r.Patch == PatchJSON && !isList:
		c.problem(at, "write a list of operations: [{op: …, path: …, value: …}]", "a JSON patch is a list")
	case r.Patch != PatchJSON && !isMap:
		c.problem(at, "write a part of the object, as in a manifest", "must be a mapping")
	}
	texts(r.Body, at, func(path, text string) { c.placeholdersOf(path, text, bodyPlaceholders()) })
}

// subresourceVerbs are the verbs of the subresources that windtunnel knows.
func subresourceVerbs(name string) []string {
	switch name {
	case SubresourceStatus, SubresourceScale:
		return []string{VerbGet, VerbPut, VerbPatch}
	case SubresourceBinding, SubresourceEviction, SubresourceToken:
		return []string{VerbPost}
	}
	return []string{VerbGet, VerbPut, VerbPatch, VerbPost}
}

func (c *checker) subresource(path string, r Request) {
	at := path + ".subresource"
	if !dnsLabel.MatchString(r.Subresource) {
		c.problem(at, suggest(r.Subresource, subresources()), "%q is not a subresource", r.Subresource)
		return
	}
	if slices.Contains([]string{"attach", "exec", "log", "portforward", "proxy"}, r.Subresource) {
		c.problem(at, "", "%s is a connection to a node, and hollow nodes serve none", r.Subresource)
		return
	}
	if verbs := subresourceVerbs(r.Subresource); r.Verb != "" && !slices.Contains(verbs, r.Verb) {
		c.problem(path+".verb", "one of: "+strings.Join(verbs, ", "), "%s takes no %s", r.Subresource, r.Verb)
		return
	}
	of, known := c.resourceOf(r.Object, r.Resource)
	needs := map[string][]string{
		SubresourceBinding: {"Pod"}, SubresourceEviction: {"Pod"}, SubresourceToken: {"ServiceAccount"},
		SubresourceScale: {"Deployment", "ReplicaSet", "StatefulSet", "ReplicationController"},
	}[r.Subresource]
	_, builtin := ResourceFor(of.APIVersion(), of.Kind)
	if known && builtin && needs != nil && !slices.Contains(needs, of.Kind) {
		c.problem(at, "", "a %s has no %s; %s has", of.Kind, r.Subresource, strings.Join(needs, ", "))
	}
	if r.Subresource == SubresourceBinding && c.HollowNodes.Count == 0 && !c.unknown("hollowNodes.count") {
		c.problem(at, "write hollowNodes: {count: NUMBER}", "there is no node to bind a pod to")
	}
	c.usualBody(path, r, of, known)
}

// replicas checks the range of a scale.
func (c *checker) replicas(path string, r Request) {
	if r.Replicas == nil {
		return
	}
	at := path + ".replicas"
	if r.Subresource != SubresourceScale || r.Verb == VerbGet {
		c.problem(at, "take it away", "only a PUT or PATCH of scale has replicas")
		return
	}
	c.atLeast(at+".min", r.Replicas.Min, 0)
	if r.Replicas.Max < r.Replicas.Min {
		c.problem(at+".max", "", "must be at least min, %d, not %d", r.Replicas.Min, r.Replicas.Max)
	}
}

// usualBody checks that there is something to send where the request does not say it.
func (c *checker) usualBody(path string, r Request, of Resource, known bool) {
	if r.Body != nil || r.Verb == VerbGet || r.Verb == "" {
		return
	}
	switch r.Subresource {
	case SubresourceScale, SubresourceBinding, SubresourceEviction, SubresourceToken:
		return
	case SubresourceStatus:
		if !known || hasConditions(of.Kind) {
			return
		}
		c.problem(path, "write body: {status: {…}}", "windtunnel knows no change to the status of a %s", of.Kind)
		return
	}
	c.problem(path, "write body: {…}", "windtunnel does not know what to send to %s", r.Subresource)
}

// hasConditions tells the built-in kinds whose status has a list of conditions.
func hasConditions(kind string) bool {
	return slices.Contains([]string{
		"Pod", "Node", "Namespace", "PersistentVolumeClaim", "ReplicationController", "Service", "Deployment", "ReplicaSet",
		"StatefulSet", "DaemonSet", "Job", "HorizontalPodAutoscaler", "PodDisruptionBudget", "FlowSchema",
		"PriorityLevelConfiguration", "CustomResourceDefinition", "APIService", "ServiceCIDR",
	}, kind)
}

func (c *checker) watch(path string, track Track, index int, w Watch) {
	c.subject(path, w.Object, w.Resource, "write object: TEMPLATE, or resource: NAME")
	c.scopeOf(path+".scope", w.Scope, w.Object, w.Resource)
	if w.Scope == ScopeNamespace && w.Object == "" {
		c.problem(path+".scope", "write object: TEMPLATE instead of resource", "the namespaces are those of a template's instances")
	}
	c.enum(path+".encoding", w.Encoding, enumOf[Watch]("encoding"))
	c.protobufForm(path+".encoding", w.Encoding, w.Object, w.Resource)
	c.atLeast(path+".watchers", w.Watchers, 1)
	c.atLeast(path+".connections", w.Connections, 0)
	c.atLeast(path+".identities", w.Identities, 1)
	if w.InitialEvents && w.Bookmarks != nil && !*w.Bookmarks {
		c.problem(path+".bookmarks", "take it away", "the end of the initial events is a bookmark")
	}
	if room := w.Connections * streamsPerConnection; w.Connections > 0 && w.Watchers > room {
		c.problem(path+".connections", fmt.Sprintf("write connections: %d, or leave it out", Watch{Watchers: w.Watchers}.ConnectionCount()), "the API server allows %d watches a connection, so %s hold %d, not %d", streamsPerConnection, counted(w.Connections, "connection"), room, w.Watchers)
	}
	c.delay(path+".for", w.For)
	if w.For != 0 {
		return
	}
	switch {
	case !track.Background:
		c.problem(path, "write for: DURATION, or make the track background: true", "the watches have no end, and the phase would wait for it")
	case index < len(track.Steps)-1:
		c.problem(path, "write for: DURATION", "the watches last to the end of the phase, so the steps after it are never reached")
	}
}
