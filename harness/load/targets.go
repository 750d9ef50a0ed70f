package load

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"windtunnel/profiles"
	"windtunnel/results"
)

// target is what a request is sent to: an object, or a collection when name is empty.
type target struct{ namespace, name string }

// String is the target as the records write it: namespace/name, namespace, name or nothing.
func (t target) String() string {
	switch {
	case t.namespace == "":
		return t.name
	case t.name == "":
		return t.namespace
	}
	return t.namespace + "/" + t.name
}

// resourcePath is the URL path of a resource, cut where namespace and name go in: building one is a single allocation.
type resourcePath struct {
	everywhere string // the collection over all namespaces
	namespaces string // before a namespace
	collection string // after it
	suffix     string // after the name: the subresource
}

func pathOf(r profiles.Resource, subresource string) resourcePath {
	all := r.Path("", "")
	group := strings.TrimSuffix(all, "/"+r.Name)
	path := resourcePath{everywhere: all, namespaces: group + "/namespaces/", collection: "/" + r.Name}
	if subresource != "" {
		path.suffix = "/" + subresource
	}
	return path
}

// of is the path of a target. It gives the same as profiles.Resource.Path, and the subresource.
func (r resourcePath) of(t target) string {
	switch {
	case t.namespace == "" && t.name == "":
		return r.everywhere
	case t.namespace == "":
		return r.everywhere + "/" + t.name + r.suffix
	case t.name == "":
		return r.namespaces + t.namespace + r.collection
	}
	return r.namespaces + t.namespace + r.collection + "/" + t.name + r.suffix
}

// targets finds what a pick is sent to; false when there is nothing.
type targets interface {
	find(p profiles.Pick) (target, bool)
}

// instances are the instances of a template, by number.
type instances struct{ template profiles.Template }

func (i instances) find(p profiles.Pick) (target, bool) {
	if p.Index < 0 {
		return target{}, false
	}
	return target{namespace: i.template.Namespace(p.Index), name: i.template.InstanceName(p.Index)}, true
}

// namespaces are the collections of a template's resource in each of the namespaces that hold its instances.
type namespaces struct{ template profiles.Template }

func (n namespaces) find(p profiles.Pick) (target, bool) {
	return target{namespace: n.template.Namespace(int(p.Draw % uint64(max(n.template.Namespaces, 1))))}, true
}

// namespaceOf is the collection in the namespace of one instance.
type namespaceOf struct{ template profiles.Template }

func (n namespaceOf) find(p profiles.Pick) (target, bool) {
	if p.Index < 0 {
		return target{}, false
	}
	return target{namespace: n.template.Namespace(p.Index)}, true
}

// everywhere is the collection over all namespaces, or that of a resource without namespaces.
type everywhere struct{}

func (everywhere) find(profiles.Pick) (target, bool) { return target{}, true }

// found are things that no template made, as they were when the step began: objects, or namespaces that hold some.
type found struct{ all []target }

func (f found) find(p profiles.Pick) (target, bool) {
	if len(f.all) == 0 {
		return target{}, false
	}
	return f.all[p.Draw%uint64(len(f.all))], true
}

// namespacesOf are the namespaces in which something was found, in order of appearance.
func (f found) namespacesOf() found {
	var out found
	seen := map[string]bool{}
	for _, t := range f.all {
		if t.namespace != "" && !seen[t.namespace] {
			seen[t.namespace] = true
			out.all = append(out.all, target{namespace: t.namespace})
		}
	}
	return out
}

// pageSize is how many names are asked for at a time.
const pageSize = 500

// VariantTargets is the variant of the LISTs by which a step finds the targets of its GETs by resource. They are sent before
// the step's first planned instant, with only metadata asked for, and are load as any other, so they are recorded.
const VariantTargets = "targets"

// discover lists what there is of a resource, by name.
func (s *step) discover(ctx context.Context, resource profiles.Resource) (found, error) {
	var all found
	next := ""
	for {
		query := "limit=" + strconv.Itoa(pageSize)
		if next != "" {
			query += "&continue=" + url.QueryEscape(next)
		}
		record := s.record("LIST", resource, "cluster")
		record.Variant = VariantTargets
		record.Planned = s.client.options.Clock.Now()
		body, err := s.single(ctx, Call{
			Record: record, Method: "GET", Path: resource.Path("", ""), Keep: true,
			Query: query, Variant: newVariant("", mediaNames, "", s.client.userAgent(), true),
		})
		if err != nil {
			return found{}, fmt.Errorf("list %s for their names: %w", resource, err)
		}
		if next, err = all.add(body); err != nil {
			return found{}, fmt.Errorf("read the names of %s: %w", resource, err)
		}
		if next == "" {
			return all, nil
		}
	}
}

// add adds a page of names, and returns the token of the next one.
func (f *found) add(page []byte) (next string, err error) {
	var list struct {
		Metadata struct{ Continue string }
		Items    []struct {
			Metadata struct{ Namespace, Name string }
		}
	}
	if err := json.Unmarshal(page, &list); err != nil {
		return "", err
	}
	for _, item := range list.Items {
		f.all = append(f.all, target{namespace: item.Metadata.Namespace, name: item.Metadata.Name})
	}
	return list.Metadata.Continue, nil
}

// single sends one request outside any schedule over the first connection, and returns the body of a good answer. A step cannot
// begin without it, so a server that refuses is asked again as by a reconcile step.
func (s *step) single(ctx context.Context, call Call) ([]byte, error) {
	l := s.client.lanes[0]
	x := &Exchange{client: s.client, conn: l.conns[0], lane: l, step: ctx, fail: func(error) {}}
	pause := firstBackOff
	for call.Record.Attempt = 1; ; call.Record.Attempt++ {
		answer := x.Send(ctx, call)
		if answer.Class == "" {
			return answer.Body, nil
		}
		if call.Record.Attempt == maxAttempts || !worthRetrying(answer.Class) || !sleep(ctx, max(pause, answer.RetryAfter)) {
			return nil, answer.problem()
		}
		pause = min(2*pause, lastBackOff)
		call.Record.Planned = s.client.options.Clock.Now()
	}
}

// record begins the record of a request of this step.
func (s *step) record(verb string, resource profiles.Resource, scope string) results.Request {
	return results.Request{
		Phase: s.phase, Track: s.track, Verb: verb, Scope: scope,
		Group: resource.Group, Version: resource.Version, Resource: resource.Name,
	}
}
