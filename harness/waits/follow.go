package waits

import (
	"context"
	"fmt"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"

	"windtunnel/harness/internal/quiet"
	"windtunnel/profiles"
)

// syncTimeout bounds the first list of a watch.
const syncTimeout = time.Minute

// source is where a collection comes from: what its typed client lists and watches, or the dynamic one.
type source struct {
	list  func(context.Context, metav1.ListOptions) (runtime.Object, error)
	watch func(context.Context, metav1.ListOptions) (watch.Interface, error)
}

func (w *Waits) source(r profiles.Resource, namespace string) source {
	if r.Group == "" && r.Version == "v1" {
		core := w.typed.CoreV1()
		switch r.Name {
		case "pods":
			return typedSource(core.Pods(namespace).List, core.Pods(namespace).Watch)
		case "nodes":
			return typedSource(core.Nodes().List, core.Nodes().Watch)
		}
	}
	if r.Group == "apps" && r.Version == "v1" && r.Name == "replicasets" {
		sets := w.typed.AppsV1().ReplicaSets(namespace)
		return typedSource(sets.List, sets.Watch)
	}
	client := w.dynamic.Resource(gvr(r))
	if r.Namespaced && namespace != "" {
		return typedSource(client.Namespace(namespace).List, client.Namespace(namespace).Watch)
	}
	return typedSource(client.List, client.Watch)
}

// typedSource makes a source of two methods of a client. What its list holds needs no type: the reflector only checks it where it is given.
func typedSource[L runtime.Object](list func(context.Context, metav1.ListOptions) (L, error), watching func(context.Context, metav1.ListOptions) (watch.Interface, error)) source {
	return source{list: func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) { return list(ctx, o) }, watch: watching}
}

func gvr(r profiles.Resource) schema.GroupVersionResource {
	return schema.GroupVersionResource{Group: r.Group, Version: r.Version, Resource: r.Name}
}

// handler hears of every object of a collection: as it was, nil when it is new, and as it is, nil when it is gone.
type handler func(old, now metav1.Object)

// follow watches a collection until ctx ends, and returns when everything that is there has been told.
func (w *Waits) follow(ctx context.Context, r profiles.Resource, s profiles.Selection, hear handler) error {
	from := w.source(r, s.Namespace)
	choose := func(o *metav1.ListOptions) { o.LabelSelector, o.FieldSelector = s.Labels, s.Fields }
	lw := &cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
			choose(&o)
			return from.list(ctx, o)
		},
		WatchFuncWithContext: func(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) {
			choose(&o)
			return from.watch(ctx, o)
		},
	}
	_, controller := cache.NewInformerWithOptions(cache.InformerOptions{ListerWatcher: lw, Handler: handlers(hear), Transform: slim})
	w.running.Go(func() { controller.RunWithContext(quiet.Context(ctx)) })
	synced, done := context.WithTimeout(ctx, syncTimeout)
	defer done()
	if !cache.WaitForCacheSync(synced.Done(), controller.HasSynced) {
		return fmt.Errorf("watch %s: no list of what there is within %v", r.Name, syncTimeout)
	}
	return nil
}

// handlers give what an informer says to a handler.
func handlers(hear handler) cache.ResourceEventHandler {
	object := func(v any) metav1.Object {
		if gone, ok := v.(cache.DeletedFinalStateUnknown); ok {
			v = gone.Obj
		}
		o, _ := v.(metav1.Object)
		return o
	}
	return cache.ResourceEventHandlerFuncs{
		AddFunc:    func(now any) { hear(nil, object(now)) },
		UpdateFunc: func(old, now any) { hear(object(old), object(now)) },
		DeleteFunc: func(old any) { hear(object(old), nil) },
	}
}

// slim takes away what no wait looks at and what is a good part of an object.
func slim(v any) (any, error) {
	if o, ok := v.(metav1.Object); ok {
		o.SetManagedFields(nil)
	}
	return v, nil
}

// mirror is what is kept of each object of a collection.
type mirror[T any] struct {
	news *news
	mu   sync.Mutex
	all  map[string]T // by namespace/name
}

// mirrorOf follows a collection and keeps of each object what keep says.
func mirrorOf[T any](ctx context.Context, w *Waits, r profiles.Resource, s profiles.Selection, keep func(metav1.Object) T) (*mirror[T], error) {
	m := &mirror[T]{news: newNews(), all: map[string]T{}}
	err := w.follow(ctx, r, s, func(old, now metav1.Object) {
		m.mu.Lock()
		if now != nil {
			m.all[keyOf(now)] = keep(now)
		} else {
			delete(m.all, keyOf(old))
		}
		m.mu.Unlock()
		m.news.tell()
	})
	return m, err
}

// each calls a function for every object.
func (m *mirror[T]) each(do func(key string, v T)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for key, v := range m.all {
		do(key, v)
	}
}

func keyOf(o metav1.Object) string {
	if o.GetNamespace() == "" {
		return o.GetName()
	}
	return o.GetNamespace() + "/" + o.GetName()
}

// keysOf lists a collection: the keys of what is there, and the largest resourceVersion among them.
func (w *Waits) keysOf(ctx context.Context, r profiles.Resource, s profiles.Selection) (keys map[string]bool, version uint64, err error) {
	var list *unstructured.UnstructuredList
	options := metav1.ListOptions{LabelSelector: s.Labels, FieldSelector: s.Fields}
	if r.Namespaced && s.Namespace != "" {
		list, err = w.dynamic.Resource(gvr(r)).Namespace(s.Namespace).List(ctx, options)
	} else {
		list, err = w.dynamic.Resource(gvr(r)).List(ctx, options)
	}
	if err != nil {
		return nil, 0, fmt.Errorf("list %s: %w", r.Name, err)
	}
	keys = map[string]bool{}
	for i := range list.Items {
		keys[keyOf(&list.Items[i])] = true
		version = max(version, versionOf(&list.Items[i]))
	}
	return keys, version, nil
}
