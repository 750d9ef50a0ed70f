package pod

import (
	"context"
	"errors"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
)

var errNoDescription = errors.New("there is no ConfigMap that describes the hollow nodes")

// follow watches the ConfigMap that describes the nodes, and no other, and hands on each of its states, so that a change takes effect at
// once; a mounted ConfigMap would show it up to two minutes later.
func follow(ctx context.Context, client kubernetes.Interface, namespace, name string, m *members) error {
	one := cache.NewListWatchFromClient(client.CoreV1().RESTClient(), "configmaps", namespace, fields.OneTermEqualSelector("metadata.name", name))
	see := func(object any) {
		if described, ok := object.(*v1.ConfigMap); ok {
			m.describe(described.Data, described.ResourceVersion)
		}
	}
	_, informer := cache.NewInformerWithOptions(cache.InformerOptions{
		ListerWatcher: one, ObjectType: &v1.ConfigMap{},
		Handler: cache.ResourceEventHandlerFuncs{
			AddFunc:    see,
			UpdateFunc: func(_, now any) { see(now) },
			// The nodes stay as they are: somebody replaces it, or everything is about to be removed.
			DeleteFunc: func(any) { m.complain(errNoDescription) },
		},
	})
	informer.RunWithContext(ctx)
	return nil
}
