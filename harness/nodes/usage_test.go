package nodes_test

import (
	"crypto/tls"
	"io"
	"math"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"windtunnel/profiles"
)

// token makes a service account, and gives a token of its own.
func (l *lightPods) token(name string) string {
	l.Helper()
	accounts := l.client.CoreV1().ServiceAccounts(l.namespace)
	if _, err := accounts.Create(l.Context(), &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: name}}, metav1.CreateOptions{}); err != nil {
		l.Fatal(err)
	}
	request, err := accounts.CreateToken(l.Context(), name, &authenticationv1.TokenRequest{}, metav1.CreateOptions{})
	if err != nil {
		l.Fatal(err)
	}
	return request.Status.Token
}

// mayRead lets a service account read the nodes' metrics, with as much as metrics-server has for that.
func (l *lightPods) mayRead(name string) {
	l.Helper()
	meta := metav1.ObjectMeta{Name: l.namespace + "-" + name}
	rbac := l.client.RbacV1()
	role := &rbacv1.ClusterRole{ObjectMeta: meta, Rules: []rbacv1.PolicyRule{{APIGroups: []string{""}, Resources: []string{"nodes/metrics"}, Verbs: []string{"get"}}}}
	if _, err := rbac.ClusterRoles().Create(l.Context(), role, metav1.CreateOptions{}); err != nil {
		l.Fatal(err)
	}
	binding := &rbacv1.ClusterRoleBinding{ObjectMeta: meta, RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: meta.Name},
		Subjects: []rbacv1.Subject{{Kind: "ServiceAccount", Name: name, Namespace: l.namespace}}}
	if _, err := rbac.ClusterRoleBindings().Create(l.Context(), binding, metav1.CreateOptions{}); err != nil {
		l.Fatal(err)
	}
}

// scrape reads a node's metrics from where its Node says that they are, as metrics-server does.
func (l *lightPods) scrape(token string) (int, map[string]*dto.MetricFamily) {
	l.Helper()
	node, err := l.client.CoreV1().Nodes().Get(l.Context(), l.node, metav1.GetOptions{})
	if err != nil {
		l.Fatal(err)
	}
	host := ""
	for _, a := range node.Status.Addresses {
		if a.Type == corev1.NodeInternalIP {
			host = a.Address
		}
	}
	at := "https://" + net.JoinHostPort(host, strconv.Itoa(int(node.Status.DaemonEndpoints.KubeletEndpoint.Port))) + node.Annotations["metrics.k8s.io/resource-metrics-path"]
	r, err := http.NewRequestWithContext(l.Context(), http.MethodGet, at, nil)
	if err != nil {
		l.Fatal(err)
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	defer transport.CloseIdleConnections()
	answer, err := (&http.Client{Transport: transport}).Do(r)
	if err != nil {
		return 0, nil
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		l.Fatal(err)
	}
	if answer.StatusCode != http.StatusOK {
		return answer.StatusCode, nil
	}
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(string(body)))
	if err != nil {
		l.Fatalf("%v:\n%s", err, body)
	}
	return answer.StatusCode, families
}

// of is the sample of a pod of the test in a family, of its container if it has one of that name; nil when there is none.
func (l *lightPods) of(families map[string]*dto.MetricFamily, name, pod, container string) *dto.Metric {
	for _, m := range families[name].GetMetric() {
		labels := map[string]string{}
		for _, one := range m.GetLabel() {
			labels[one.GetName()] = one.GetValue()
		}
		if labels["namespace"] == l.namespace && labels["pod"] == pod && labels["container"] == container {
			return m
		}
	}
	return nil
}

// rate is how many cores a pod uses, by two scrapes of a second or more between them, of which the latter is given as well.
func (l *lightPods) rate(token, pod string) (float64, map[string]*dto.MetricFamily) {
	l.Helper()
	const family = "pod_cpu_usage_seconds_total"
	var first, last *dto.Metric
	var families map[string]*dto.MetricFamily
	eventually(l.T, pod+" is in two scrapes", func() bool {
		_, families = l.scrape(token)
		last = l.of(families, family, pod, "")
		if first == nil {
			first = last
		}
		return last.GetTimestampMs() >= first.GetTimestampMs()+1000
	})
	return 1000 * (last.GetCounter().GetValue() - first.GetCounter().GetValue()) / float64(last.GetTimestampMs()-first.GetTimestampMs()), families
}

// TestLightNodesServeWhatPodsUse: at both levels, and with stages, whoever may read nodes/metrics sees just what the profile and the pods
// say; others do not.
func TestLightNodesServeWhatPodsUse(t *testing.T) {
	for _, c := range []struct{ name, fidelity, stages string }{
		{"kubelet", profiles.FidelityKubelet, ""}, {"minimal", profiles.FidelityMinimal, ""},
		{"kubelet-staged", profiles.FidelityKubelet, lifeOfPods}, {"minimal-staged", profiles.FidelityMinimal, lifeOfPods},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := lightly(t, c.fidelity, func(s *profiles.HollowNodes) {
				s.Usage = &profiles.Usage{CPU: "80%", Memory: "64Mi", Period: profiles.Duration(time.Minute)}
				if c.stages != "" {
					s.Stages = []profiles.StageSource{{Name: "life", Text: c.stages}}
				}
			})
			l.usage()
		})
	}
}

func (l *lightPods) usage() {
	reader, other := l.token("reader"), l.token("other")
	l.mayRead("reader")
	for name, annotations := range map[string]map[string]string{"plain": nil, "kwok": {"kwok.x-k8s.io/usage-cpu": "100m", "kwok.x-k8s.io/usage-memory": "1Gi"}} {
		l.pod(name, func(p *corev1.Pod) {
			p.Annotations, p.Labels = annotations, map[string]string{"app": "usage"}
			p.Spec.Containers[0].Resources.Requests = corev1.ResourceList{"cpu": resource.MustParse("500m"), "memory": resource.MustParse("1Gi")}
			p.Spec.Containers = append(p.Spec.Containers, corev1.Container{Name: "beside", Image: "registry.k8s.io/pause:3.10.1"})
		})
	}
	check := func(what, pod string, cores, memory float64) {
		l.Helper()
		rate, families := l.rate(reader, pod)
		if math.Abs(rate/cores-1) > 0.001 {
			l.Errorf("%s: %s uses %v cores, want %v", what, pod, rate, cores)
		}
		if got := l.of(families, "pod_memory_working_set_bytes", pod, "").GetGauge().GetValue(); got != memory {
			l.Errorf("%s: %s has %v bytes, want %v", what, pod, got, memory)
		}
		if m := l.of(families, "container_start_time_seconds", pod, "main"); m == nil || l.of(families, "container_cpu_usage_seconds_total", pod, "beside") == nil {
			l.Errorf("%s: %s has not both of its containers", what, pod)
		}
		node := families["node_cpu_usage_seconds_total"].GetMetric()
		if len(node) != 1 || node[0].GetCounter().GetValue() < l.of(families, "pod_cpu_usage_seconds_total", pod, "").GetCounter().GetValue() {
			l.Errorf("%s: the node is %v", what, node)
		}
	}
	eventually(l.T, "whoever may read does", func() bool { code, _ := l.scrape(reader); return code == http.StatusOK })
	check("80 % of a request, and the least of none", "plain", 0.401, 128<<20)
	check("annotations", "kwok", 0.2, 2<<30)
	patch := []byte(`{"metadata":{"annotations":{"kwok.x-k8s.io/usage-cpu":"2"}}}`)
	if _, err := l.client.CoreV1().Pods(l.namespace).Patch(l.Context(), "kwok", "application/merge-patch+json", patch, metav1.PatchOptions{}); err != nil {
		l.Fatal(err)
	}
	eventually(l.T, "an annotation that has changed", func() bool { rate, _ := l.rate(reader, "kwok"); return math.Abs(rate/4-1) < 0.001 })
	for name, c := range map[string]struct {
		token string
		code  int
	}{"no token": {"", http.StatusUnauthorized}, "a token of nobody": {"x", http.StatusUnauthorized}, "no right": {other, http.StatusForbidden}} {
		if code, _ := l.scrape(c.token); code != c.code {
			l.Errorf("%s: %d, want %d", name, code, c.code)
		}
	}
	if err := l.pack.Down(l.Context(), []string{l.node}); err != nil {
		l.Fatal(err)
	}
	if code, _ := l.scrape(reader); code != 0 {
		l.Errorf("a node that is cut off answers %d", code)
	}
	if err := l.pack.Up(l.Context(), []string{l.node}); err != nil {
		l.Fatal(err)
	}
	eventually(l.T, "a node that is back answers", func() bool { code, _ := l.scrape(reader); return code == http.StatusOK })
	l.delete("plain", nil)
	l.gone("plain")
	eventually(l.T, "the node is there without a pod that is gone", func() bool {
		_, families := l.scrape(reader)
		return families["node_cpu_usage_seconds_total"] != nil && l.of(families, "pod_cpu_usage_seconds_total", "plain", "") == nil
	})
}
