package load

import (
	"context"
	"fmt"
	"net/url"
	"strings"

	"windtunnel/profiles"
)

// operations makes the operation of each request of the mix, and first finds the targets of those that no template made.
func (c *Client) operations(ctx context.Context, s Stream) ([]Operation, error) {
	st := &step{client: c, phase: s.Phase, track: s.Track, nodes: s.Nodes}
	discovered := map[profiles.Resource]found{}
	out := make([]Operation, 0, len(s.Requests.Mix))
	for i, request := range s.Requests.Mix {
		op, err := st.operation(ctx, request, s.Objects, discovered)
		if err != nil {
			return nil, fmt.Errorf("request %d of the mix, %s: %w", i, request.Verb, err)
		}
		out = append(out, op)
	}
	return out, nil
}

// operation makes the operation of one request.
func (s *step) operation(ctx context.Context, r profiles.Request, objects map[string]profiles.Template, discovered map[profiles.Resource]found) (Operation, error) {
	if r.Object == "" {
		resource, _ := profiles.ResourceByName(r.Resource)
		return s.byResource(ctx, r, resource, discovered)
	}
	template, ok := objects[r.Object]
	if !ok {
		return nil, fmt.Errorf("there is no template %q", r.Object)
	}
	return s.byTemplate(r, template)
}

// byResource makes the reads of what no template made.
func (s *step) byResource(ctx context.Context, r profiles.Request, resource profiles.Resource, discovered map[profiles.Resource]found) (Operation, error) {
	scope := listScope(r, resource)
	if r.Verb == profiles.VerbList && scope == scopeCluster {
		op := s.common(r, resource)
		op.targets, op.base.Scope = everywhere{}, scope
		return s.reader(r, op), nil
	}
	if _, ok := discovered[resource]; !ok {
		all, err := s.discover(ctx, resource)
		if err != nil {
			return nil, err
		}
		discovered[resource] = all
	}
	op := s.common(r, resource)
	switch r.Verb {
	case profiles.VerbGet:
		op.targets = discovered[resource]
	case profiles.VerbList:
		op.targets, op.base.Scope = discovered[resource].namespacesOf(), scope
	default:
		return nil, fmt.Errorf("%s needs a template; %s names a resource", r.Verb, r.Resource)
	}
	return s.reader(r, op), nil
}

// common is what all operations on a resource begin with: the record, the path, the query and the media types.
func (s *step) common(r profiles.Request, resource profiles.Resource) operation {
	base := s.record(r.Verb, resource, scopeResource)
	base.Subresource, base.Variant = r.Subresource, r.Form()
	op := operation{step: s, base: base, resource: pathOf(resource, r.Subresource), encoder: jsonEncoder{}, options: deleteOptions}
	if r.DryRun {
		op.options, op.dry = dryDeleteOptions, true
	}
	query, accept, contentType := queryOf(r), mediaOf(r.Encoding, mediaJSON), ""
	switch r.Verb {
	case profiles.VerbGet, profiles.VerbList:
		accept = acceptOf(r)
	case profiles.VerbPatch:
		if contentType = patchType(r); contentType == mediaApplyCBOR {
			op.encoder = cborEncoder{}
		}
	case profiles.VerbPost, profiles.VerbPut:
		op.encoder = encoderOf(r.Encoding)
		contentType = op.encoder.ContentType()
	default:
		contentType = mediaJSON
	}
	if selector := selectorOf(r); hasPlaceholder(selector) {
		op.selector = profiles.NewText([]byte(selector))
	} else {
		query = join(query, selector)
	}
	op.variant = newVariant(query, accept, contentType, s.client.userAgent(), false)
	return op
}

// selectorOf is the part of the query that selects, its placeholders left as they are.
func selectorOf(r profiles.Request) string {
	query := ""
	for _, part := range []struct{ key, value string }{{"labelSelector", r.LabelSelector}, {"fieldSelector", r.FieldSelector}} {
		if part.value != "" {
			query = join(query, part.key+"="+escaped(part.value))
		}
	}
	return query
}

// escaped escapes a selector for the query, its placeholders left as they are.
func escaped(selector string) string {
	kept := strings.NewReplacer("%24%7Bname%7D", "${name}", "%24%7Bnamespace%7D", "${namespace}", "%24%7Bindex%7D", "${index}", "%24%7Brun%7D", "${run}")
	return kept.Replace(url.QueryEscape(selector))
}

func hasPlaceholder(query string) bool { return strings.Contains(query, "${") }

// byTemplate makes the requests to a template's instances.
func (s *step) byTemplate(r profiles.Request, template profiles.Template) (Operation, error) {
	form := r.Form()
	if r.Verb == profiles.VerbDeleteCollection { // never anybody else's objects
		r.LabelSelector = strings.TrimSuffix(profiles.LabelObject+"="+template.Name+","+r.LabelSelector, ",")
	}
	if r.Verb == profiles.VerbPatch && r.Patch == "" && r.Subresource == profiles.SubresourceStatus && template.Resource.HasProtobuf() {
		r.Patch = profiles.PatchStrategic // a merge patch would take the other conditions away
	}
	op := s.common(r, template.Resource)
	op.base.Variant, op.template, op.targets = form, template, instances{template}
	op.replicas = replicasOf(r, template)
	switch {
	case r.Verb == profiles.VerbGet:
		return s.reader(r, op), nil
	case r.Verb == profiles.VerbList:
		op.base.Scope, op.targets = s.collection(r, template)
		return s.reader(r, op), nil
	case r.Verb == profiles.VerbDeleteCollection:
		op.base.Scope, op.targets = s.collection(r, template)
		return &remove{op}, nil
	case r.Verb == profiles.VerbDelete:
		return &remove{op}, nil
	case r.Verb == profiles.VerbPost && r.Subresource == "":
		return &create{op}, nil
	}
	var err error
	if op.body, err = bodyOf(r, template.Resource); err != nil {
		return nil, err
	}
	if r.Verb == profiles.VerbPut {
		return &update{
			operation: op, get: newVariant("", mediaJSON, "", s.client.userAgent(), true),
			merges: r.Subresource != "" || r.Body != nil, retries: r.Retries,
		}, nil
	}
	return &change{operation: op, method: r.Verb}, nil
}

// reader is a GET or LIST, in pages where there is a limit.
func (s *step) reader(r profiles.Request, op operation) Operation {
	if r.Limit > 0 {
		return &pages{read{op}}
	}
	return &read{op}
}

// collection is the scope of a request to a template's collection, and where it goes.
func (s *step) collection(r profiles.Request, template profiles.Template) (string, targets) {
	switch {
	case listScope(r, template.Resource) == scopeCluster:
		return scopeCluster, everywhere{}
	case r.Effect() == profiles.EffectUse:
		return scopeNamespace, namespaceOf{template}
	}
	return scopeNamespace, namespaces{template}
}

// replicasOf is the range of replicas that a scale asks for.
func replicasOf(r profiles.Request, template profiles.Template) profiles.Replicas {
	if r.Replicas != nil {
		return *r.Replicas
	}
	return profiles.Replicas{Min: template.Pods / 2, Max: template.Pods + template.Pods/2}
}

// The scopes of a request, as Kubernetes' metrics name them.
const (
	scopeResource  = "resource"
	scopeNamespace = "namespace"
	scopeCluster   = "cluster"
)

// listScope is a LIST's scope: as the profile says, or one namespace where the resource has them.
func listScope(r profiles.Request, resource profiles.Resource) string {
	switch {
	case r.Scope != "":
		return r.Scope
	case resource.Namespaced:
		return scopeNamespace
	}
	return scopeCluster
}
