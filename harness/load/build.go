package load

import (
	"context"
	"fmt"

	"windtunnel/profiles"
)

// operations makes the operation of each request of the mix, and first finds the targets of those that no template made.
func (c *Client) operations(ctx context.Context, s Stream) ([]Operation, error) {
	st := &step{client: c, phase: s.Phase, track: s.Track}
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
		return s.list(resource, scope, everywhere{}), nil
	}
	if _, ok := discovered[resource]; !ok {
		all, err := s.discover(ctx, resource)
		if err != nil {
			return nil, err
		}
		discovered[resource] = all
	}
	switch r.Verb {
	case profiles.VerbGet:
		return s.get(resource, discovered[resource]), nil
	case profiles.VerbList:
		return s.list(resource, scope, discovered[resource].namespacesOf()), nil
	}
	return nil, fmt.Errorf("%s needs a template; %s names a resource", r.Verb, r.Resource)
}

// byTemplate makes the requests to a template's instances.
func (s *step) byTemplate(r profiles.Request, template profiles.Template) (Operation, error) {
	agent := s.client.userAgent()
	common := operation{step: s, base: s.record(r.Verb, template.Resource, scopeResource), resource: pathOf(template.Resource), targets: instances{template}}
	write := func(contentType string) operation {
		o := common
		o.variant = newVariant("", "", mediaJSON, contentType, agent, false)
		return o
	}
	encoder := jsonEncoder{}
	switch r.Verb {
	case profiles.VerbGet:
		return s.get(template.Resource, instances{template}), nil
	case profiles.VerbList:
		if scope := listScope(r, template.Resource); scope == scopeNamespace {
			return s.list(template.Resource, scope, namespaces{template}), nil
		}
		return s.list(template.Resource, scopeCluster, everywhere{}), nil
	case profiles.VerbPost:
		return &create{operation: write(encoder.ContentType()), template: template, encoder: encoder}, nil
	case profiles.VerbPut:
		return &update{operation: write(encoder.ContentType()), get: newVariant(VariantRead, "", mediaJSON, "", agent, true), encoder: encoder}, nil
	case profiles.VerbPatch:
		return &patch{operation: write(mediaMergePatch)}, nil
	case profiles.VerbDelete:
		return &remove{operation: write(mediaJSON)}, nil
	}
	return nil, fmt.Errorf("unknown verb %q", r.Verb)
}

func (s *step) get(resource profiles.Resource, of targets) Operation {
	return s.read(profiles.VerbGet, resource, scopeResource, of)
}

func (s *step) list(resource profiles.Resource, scope string, of targets) Operation {
	return s.read(profiles.VerbList, resource, scope, of)
}

func (s *step) read(verb string, resource profiles.Resource, scope string, of targets) Operation {
	variant := newVariant("", "", mediaProtobuf, "", s.client.userAgent(), false)
	return &read{operation{step: s, base: s.record(verb, resource, scope), resource: pathOf(resource), targets: of, variant: variant}}
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
