// Package hollow holds what makes hollow nodes in a cluster, as pods: the files that `kubectl apply -k manifests/hollow` applies, and the
// same objects for the harness, which changes their numbers.
package hollow

import (
	"bytes"
	"embed"
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

//go:embed namespace.yaml rbac.yaml statefulset.yaml nodes.json minimal/rbac.yaml minimal/priority.yaml stages/rbac.yaml
var files embed.FS

// Extra is a folder of objects that only some hollow nodes need.
type Extra string

// What there is besides.
const (
	// Minimal is for nodes of tier light at fidelity minimal.
	Minimal Extra = "minimal"
	// Stages is for those of them whose pods go through stages.
	Stages Extra = "stages"
)

// files are those of an extra, in the order in which they are to be made.
func (e Extra) files() []string {
	if e == Minimal {
		return []string{"minimal/rbac.yaml", "minimal/priority.yaml"}
	}
	return []string{string(e) + "/rbac.yaml"}
}

// Names of what is made.
const (
	// Namespace holds everything that is in one.
	Namespace = "windtunnel"
	// Name is that of the StatefulSet and of the ConfigMap that describes the nodes.
	Name = "hollow-nodes"
	// Account is the pods' own.
	Account = "hollow-node"
	// LabelName is on the pods, with the value Name.
	LabelName = "app.kubernetes.io/name"
	// LabelPartOf is on every object, with the value PartOf.
	LabelPartOf, PartOf = "app.kubernetes.io/part-of", "windtunnel"
	// LabelHollow is on every hollow node, with the value "true", and TaintHollow keeps off whoever does not ask for one; profiles have the same.
	LabelHollow = "windtunnel/hollow"
	TaintHollow = "windtunnel/hollow"
	// Image is the image of the pods where nobody says otherwise.
	Image = "windtunnel/hollow-node:latest"
	// User is who the image's program runs as: nobody in particular, and not root.
	User = "65532:65532"
)

// Objects are the objects that kustomize makes of the files and of extras, in the order in which they are to be made; they are the caller's to
// change.
func Objects(extras ...Extra) ([]*unstructured.Unstructured, error) {
	names := []string{"namespace.yaml", "rbac.yaml"}
	for _, e := range extras {
		names = append(names, e.files()...)
	}
	var all []*unstructured.Unstructured
	for _, name := range append(names, "statefulset.yaml") {
		text, err := files.ReadFile(name)
		if err != nil {
			return nil, err
		}
		for document := range bytes.SplitSeq(text, []byte("\n---\n")) {
			object := &unstructured.Unstructured{}
			if err := yaml.Unmarshal(document, &object.Object); err != nil {
				return nil, fmt.Errorf("read manifests/hollow/%s: %w", name, err)
			}
			all = append(all, object)
		}
	}
	nodes, err := files.ReadFile("nodes.json")
	if err != nil {
		return nil, err
	}
	described := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": Name}, "data": map[string]any{"nodes.json": string(nodes)},
	}}
	// Before the pods, which wait for it.
	all = append(all[:len(all)-1:len(all)-1], described, all[len(all)-1])
	for _, object := range all {
		if Namespaced(object.GetKind()) && object.GetNamespace() == "" {
			object.SetNamespace(Namespace)
		}
		labels := object.GetLabels()
		if labels == nil {
			labels = map[string]string{}
		}
		labels[LabelPartOf] = PartOf
		object.SetLabels(labels)
	}
	return all, nil
}

// Namespaced says whether objects of a kind that occurs here live in a namespace.
func Namespaced(kind string) bool {
	switch kind {
	case "Namespace", "ClusterRole", "ClusterRoleBinding", "FlowSchema":
		return false
	}
	return true
}
