package existing

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	certificatesv1 "k8s.io/api/certificates/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/metadata"

	"windtunnel/harness/cluster"
	"windtunnel/manifests/hollow"
	"windtunnel/profiles"
)

// Thing is an object of windtunnel's on a cluster.
type Thing struct {
	Resource        schema.GroupVersionResource
	Namespace, Name string
	// Run is the id of the run, or of the up, that it belongs to.
	Run string

	uid types.UID
}

// String is the thing as people write it: resource, namespace and name.
func (t Thing) String() string {
	name := t.Name
	if t.Namespace != "" {
		name = t.Namespace + "/" + name
	}
	return t.Resource.GroupResource().String() + " " + name
}

// pageSize is how many objects a list brings at a time.
const pageSize = 500

// finder finds things by their labels alone.
type finder struct {
	target    *Target
	metadata  metadata.Interface
	selectors []string

	everything bool     // of all runs
	dead       []string // hollow nodes that do not end their pods any more
}

// newFinder looks for the things of one run, or of all of them with "".
func newFinder(t *Target, run string) (*finder, error) {
	client, err := metadata.NewForConfig(t.config)
	if err != nil {
		return nil, fmt.Errorf("make a client for metadata: %w", err)
	}
	f := &finder{target: t, metadata: client, selectors: []string{profiles.LabelRun + "=" + run}}
	if run == "" {
		// What a plan makes has the run's label alone, and hollow nodes that kubectl made from the manifests have only their own.
		f.everything = true
		f.selectors = []string{profiles.LabelRun, cluster.LabelManagedBy + "=" + cluster.ManagedBy, hollow.LabelPartOf + "=" + hollow.PartOf, hollow.LabelHollow + "=true"}
	}
	return f, nil
}

// all finds everything, of every resource that can be listed and deleted. What could not be looked at is an error beside what was
// found: an API whose server is down, for one.
func (f *finder) all(ctx context.Context) ([]Thing, error) {
	lists, err := discovery.ServerPreferredResources(f.target.client.Discovery())
	if len(lists) == 0 && err != nil {
		return nil, fmt.Errorf("ask the API server what it serves: %w", err)
	}
	var things []Thing
	var missed []string
	if err != nil {
		missed = append(missed, err.Error())
	}
	for _, list := range lists {
		group, err := schema.ParseGroupVersion(list.GroupVersion)
		if err != nil {
			return nil, fmt.Errorf("ask the API server what it serves: %w", err)
		}
		for _, r := range list.APIResources {
			if strings.Contains(r.Name, "/") || !slices.Contains(r.Verbs, "list") || !slices.Contains(r.Verbs, "delete") {
				continue
			}
			found, err := f.of(ctx, group.WithResource(r.Name))
			things = append(things, found...)
			if err != nil {
				missed = append(missed, err.Error())
			}
		}
	}
	requests, err := f.requests(ctx)
	if err != nil {
		missed = append(missed, err.Error())
	}
	things = append(things, requests...)
	if ctx.Err() != nil {
		return things, context.Cause(ctx)
	}
	slices.SortFunc(things, func(a, b Thing) int {
		return cmp.Or(strings.Compare(a.Resource.Group, b.Resource.Group), strings.Compare(a.Resource.Resource, b.Resource.Resource),
			strings.Compare(a.Namespace, b.Namespace), strings.Compare(a.Name, b.Name))
	})
	if len(missed) > 0 {
		return things, fmt.Errorf("not everything could be looked at: %s", strings.Join(missed, "; "))
	}
	return things, nil
}

// prepared tells a namespace that somebody made for hollow nodes, and not a run: it stays.
func prepared(r schema.GroupVersionResource, labels map[string]string) bool {
	return r.GroupResource() == schema.GroupResource{Resource: "namespaces"} && labels[profiles.LabelRun] == "" && labels[cluster.LabelManagedBy] == ""
}

// requests finds the certificate requests of hollow nodes, which carry no labels: the API server wrote down who made them. Of which run
// they are nobody knows; a run removes its own with its hollow nodes.
func (f *finder) requests(ctx context.Context) ([]Thing, error) {
	if !f.everything {
		return nil, nil
	}
	list, err := f.target.client.CertificatesV1().CertificateSigningRequests().List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, fmt.Errorf("list certificate requests: %w", err)
	}
	var things []Thing
	for _, r := range list.Items {
		if r.Spec.Username == "system:serviceaccount:"+Namespace+":"+hollow.Account {
			things = append(things, Thing{Resource: certificatesv1.SchemeGroupVersion.WithResource("certificatesigningrequests"), Name: r.Name, uid: r.UID})
		}
	}
	return things, nil
}

// of finds the things of a resource. A resource that went away since it was discovered has none.
func (f *finder) of(ctx context.Context, r schema.GroupVersionResource) ([]Thing, error) {
	var things []Thing
	known := map[types.UID]bool{}
	for _, selector := range f.selectors {
		options := metav1.ListOptions{LabelSelector: selector, Limit: pageSize}
		for {
			list, err := f.metadata.Resource(r).List(ctx, options)
			if apierrors.IsNotFound(err) || apierrors.IsMethodNotSupported(err) {
				return nil, nil
			}
			if apierrors.IsForbidden(err) && !f.everything {
				return nil, nil // who made the run's rights had this one neither, so that nothing of it was made
			}
			if err != nil {
				return things, fmt.Errorf("list %s: %w", r.GroupResource(), err)
			}
			for _, o := range list.Items {
				if !known[o.UID] && !prepared(r, o.Labels) {
					known[o.UID] = true
					things = append(things, Thing{Resource: r, Namespace: o.Namespace, Name: o.Name, Run: o.Labels[profiles.LabelRun], uid: o.UID})
				}
			}
			if options.Continue = list.Continue; options.Continue == "" {
				break
			}
		}
	}
	return things, nil
}
