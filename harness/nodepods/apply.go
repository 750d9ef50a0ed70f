package nodepods

import (
	"context"
	"fmt"
	"net/http"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"windtunnel/harness/cluster"
	manifests "windtunnel/manifests/hollow"
	"windtunnel/profiles"
)

// access is an administrator's way to the cluster.
type access struct {
	config  *rest.Config
	client  kubernetes.Interface
	objects dynamic.Interface
	http    *http.Client // for what pods serve, through the API server
}

func connect(config *rest.Config) (*access, error) {
	config = rest.CopyConfig(config)
	config.QPS, config.UserAgent = -1, cluster.UserAgent
	a := &access{config: config}
	var err error
	if a.http, err = rest.HTTPClientFor(config); err != nil {
		return nil, err
	}
	if a.client, err = kubernetes.NewForConfigAndClient(config, a.http); err != nil {
		return nil, err
	}
	a.objects, err = dynamic.NewForConfigAndClient(config, a.http)
	return a, err
}

// resourceOf is where the objects of a kind that occurs in the manifests live.
func (a *access) resourceOf(kind string) dynamic.NamespaceableResourceInterface {
	known := map[string]schema.GroupVersionResource{
		"Namespace":          {Version: "v1", Resource: "namespaces"},
		"ServiceAccount":     {Version: "v1", Resource: "serviceaccounts"},
		"ConfigMap":          {Version: "v1", Resource: "configmaps"},
		"StatefulSet":        {Group: "apps", Version: "v1", Resource: "statefulsets"},
		"Role":               {Group: "rbac.authorization.k8s.io", Version: "v1", Resource: "roles"},
		"RoleBinding":        {Group: "rbac.authorization.k8s.io", Version: "v1", Resource: "rolebindings"},
		"ClusterRole":        {Group: "rbac.authorization.k8s.io", Version: "v1", Resource: "clusterroles"},
		"ClusterRoleBinding": {Group: "rbac.authorization.k8s.io", Version: "v1", Resource: "clusterrolebindings"},
		"FlowSchema":         {Group: "flowcontrol.apiserver.k8s.io", Version: "v1", Resource: "flowschemas"},
	}
	return a.objects.Resource(known[kind])
}

func (a *access) of(object *unstructured.Unstructured) dynamic.ResourceInterface {
	if manifests.Namespaced(object.GetKind()) {
		return a.resourceOf(object.GetKind()).Namespace(object.GetNamespace())
	}
	return a.resourceOf(object.GetKind())
}

// apply makes the objects, or what is different of them. A namespace that is there already stays as it is: it is not this run's.
func (a *access) apply(ctx context.Context, objects []*unstructured.Unstructured) error {
	for _, object := range objects {
		fail := func(err error) error { return fmt.Errorf("apply %s %s: %w", object.GetKind(), object.GetName(), err) }
		if object.GetKind() == "Namespace" {
			_, err := a.of(object).Create(ctx, object, metav1.CreateOptions{FieldManager: cluster.UserAgent})
			if err != nil && !apierrors.IsAlreadyExists(err) {
				return fail(err)
			}
			continue
		}
		options := metav1.ApplyOptions{FieldManager: cluster.UserAgent, Force: true}
		if _, err := a.of(object).Apply(ctx, object.GetName(), object, options); err != nil {
			return fail(err)
		}
	}
	return nil
}

// others refuses a start where hollow nodes are already: a run's, or such as up or kubectl made.
func others(what string, object metav1.Object) error {
	whose := "made by windtunnel up or kubectl"
	if run := object.GetLabels()[profiles.LabelRun]; run != "" {
		whose = "of run " + run
	}
	return &cluster.RefusedError{Err: fmt.Errorf("%s is there already, %s: a cluster holds hollow nodes of one origin at a time; windtunnel down --kubeconfig FILE removes them", what, whose)}
}

// free fails when the cluster has hollow nodes already, or anything that stands where a run's would.
func (a *access) free(ctx context.Context, o Options) error {
	set, err := a.client.AppsV1().StatefulSets(manifests.Namespace).Get(ctx, manifests.Name, metav1.GetOptions{})
	if err == nil {
		return others("StatefulSet "+manifests.Name, set)
	}
	if !apierrors.IsNotFound(err) {
		return err
	}
	all, err := a.client.CoreV1().Nodes().List(ctx, metav1.ListOptions{ResourceVersion: "0"})
	if err != nil {
		return err
	}
	names := map[string]bool{}
	described := o.describe()
	for i := range described.Count {
		names[described.Name(i)] = true
	}
	for _, n := range all.Items {
		if n.Labels[manifests.LabelHollow] == "true" {
			return others("hollow node "+n.Name, &n)
		}
		if names[n.Name] {
			return fmt.Errorf("there is a node %s that is not windtunnel's: set hollowNodes.namePrefix to something else", n.Name)
		}
	}
	return nil
}
