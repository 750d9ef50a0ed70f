package existing

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"windtunnel/harness/cluster"
	"windtunnel/profiles"
)

// prefix begins the name of everything that has no namespace.
const prefix = "windtunnel-"

// Labels are those of the things of a run: all that this package makes has both, and what a plan makes has the run's.
func Labels(run string) map[string]string {
	return map[string]string{cluster.LabelManagedBy: cluster.ManagedBy, profiles.LabelRun: run}
}

// meta is the metadata of a thing of the run, in Namespace or, by the caller's choice, elsewhere or in none.
func (c *Cluster) meta(namespace, name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: namespace, Name: name, Labels: Labels(c.options.Run)}
}
