package controlplane_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"windtunnel/harness/cluster"
	"windtunnel/harness/controlplane"
)

// answer is what a request got.
type answer struct {
	code   int
	header http.Header
	body   string
}

// ask sends one request as a user.
func ask(t *testing.T, c *controlplane.Cluster, method, path, body, user string, groups ...string) answer {
	t.Helper()
	config, err := c.RESTConfig(user, groups...)
	if err != nil {
		t.Fatal(err)
	}
	return askWith(t, config, method, path, body)
}

func askWith(t *testing.T, config *rest.Config, method, path, body string) answer {
	t.Helper()
	client, err := rest.HTTPClientFor(config)
	if err != nil {
		t.Fatal(err)
	}
	defer client.CloseIdleConnections()
	// Not the test's context, which is over when a cleanup asks.
	req, err := http.NewRequestWithContext(context.WithoutCancel(t.Context()), method, config.Host+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{code: resp.StatusCode, header: resp.Header, body: string(b)}
}

// object makes an object as an administrator and removes it after the test.
func object(t *testing.T, c *controlplane.Cluster, path, name string, o map[string]any) {
	t.Helper()
	o["metadata"] = map[string]any{"name": name}
	b, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	if a := ask(t, c, http.MethodPost, path, string(b), "admin", "system:masters"); a.code != http.StatusCreated {
		t.Fatalf("create %s/%s: %d %s", path, name, a.code, a.body)
	}
	t.Cleanup(func() {
		ask(t, c, http.MethodDelete, path+"/"+name, `{"gracePeriodSeconds":0}`, "admin", "system:masters")
	})
}

func TestAnonymousIsRefused(t *testing.T) {
	c := suite.Shared(t)
	anonymous := &rest.Config{Host: c.Server(), TLSClientConfig: rest.TLSClientConfig{CAData: c.CA()}}
	if a := askWith(t, anonymous, http.MethodGet, "/api/v1/nodes", ""); a.code != http.StatusForbidden {
		t.Errorf("GET nodes without a certificate: %d", a.code)
	}
	if a := ask(t, c, http.MethodGet, "/api/v1/nodes", "", "nobody"); a.code != http.StatusForbidden {
		t.Errorf("GET nodes as nobody in particular: %d", a.code)
	}
}

func TestAUserMayDoEverythingAndPassesPriorityAndFairness(t *testing.T) {
	c := suite.Shared(t)
	a := ask(t, c, http.MethodGet, "/apis/rbac.authorization.k8s.io/v1/clusterroles", "", "windtunnel:user-0", cluster.UsersGroup)
	if a.code != http.StatusOK {
		t.Fatalf("%d %s", a.code, a.body)
	}
	level := a.header.Get("X-Kubernetes-PF-PriorityLevel-UID")
	if level == "" || a.header.Get("X-Kubernetes-PF-FlowSchema-UID") == "" {
		t.Errorf("priority and fairness left no trace: %v", a.header)
	}
	admin := ask(t, c, http.MethodGet, "/apis/rbac.authorization.k8s.io/v1/clusterroles", "", "admin", "system:masters")
	if admin.header.Get("X-Kubernetes-PF-PriorityLevel-UID") == level {
		t.Error("a user is at the level of system:masters, which is exempt")
	}
}

func TestANodeReadsOnlyItsOwnSecrets(t *testing.T) {
	c := suite.Shared(t)
	const ns = "/api/v1/namespaces/default"
	for _, node := range []string{"mine", "other"} {
		object(t, c, "/api/v1/nodes", node, map[string]any{"apiVersion": "v1", "kind": "Node"})
		object(t, c, ns+"/secrets", "of-"+node, map[string]any{"apiVersion": "v1", "kind": "Secret", "stringData": map[string]any{"x": "y"}})
		object(t, c, ns+"/pods", "on-"+node, map[string]any{"apiVersion": "v1", "kind": "Pod", "spec": map[string]any{
			"nodeName":   node,
			"containers": []any{map[string]any{"name": "c", "image": "i"}},
			"volumes":    []any{map[string]any{"name": "v", "secret": map[string]any{"secretName": "of-" + node}}},
		}})
	}
	get := func(path string) int {
		return ask(t, c, http.MethodGet, path, "", "system:node:mine", "system:nodes").code
	}
	// The authorizer learns of the pod by watch, a moment after it was made.
	if !eventually(func() bool { return get(ns+"/secrets/of-mine") == http.StatusOK }) {
		t.Error("the node cannot read the secret of its own pod")
	}
	if code := get(ns + "/secrets/of-other"); code != http.StatusForbidden {
		t.Errorf("the node reads another's secret: %d", code)
	}
	// NodeRestriction: it changes no node but itself.
	patch := `{"apiVersion":"v1","kind":"Node","metadata":{"name":"other","labels":{"a":"b"}}}`
	if a := ask(t, c, http.MethodPut, "/api/v1/nodes/other", patch, "system:node:mine", "system:nodes"); a.code != http.StatusForbidden {
		t.Errorf("the node changes another: %d %s", a.code, a.body)
	}
}

func TestAProxyReadsServices(t *testing.T) {
	c := suite.Shared(t)
	for _, path := range []string{"/api/v1/services", "/apis/discovery.k8s.io/v1/endpointslices"} {
		if a := ask(t, c, http.MethodGet, path, "", "system:kube-proxy"); a.code != http.StatusOK {
			t.Errorf("GET %s: %d", path, a.code)
		}
	}
	if a := ask(t, c, http.MethodGet, "/api/v1/secrets", "", "system:kube-proxy"); a.code != http.StatusForbidden {
		t.Errorf("the proxy reads secrets: %d", a.code)
	}
}

func TestKubeconfigWorks(t *testing.T) {
	c := suite.Shared(t)
	b, err := c.KubeconfigOf("somebody", cluster.UsersGroup)
	if err != nil {
		t.Fatal(err)
	}
	config, err := clientcmd.RESTConfigFromKubeConfig(b)
	if err != nil {
		t.Fatal(err)
	}
	if a := askWith(t, config, http.MethodGet, "/api/v1/namespaces/default", ""); a.code != http.StatusOK {
		t.Errorf("%d %s", a.code, a.body)
	}
}

func TestMetricsOfAllComponents(t *testing.T) {
	c := suite.Shared(t)
	want := map[string]string{
		"etcd":                    "etcd_disk_wal_fsync_duration_seconds",
		"kube-apiserver":          "apiserver_request_sli_duration_seconds",
		"kube-controller-manager": "workqueue_depth",
		"kube-scheduler":          "scheduler_pending_pods",
	}
	targets := c.MetricsTargets()
	if len(targets) != len(want) {
		t.Fatalf("%d targets", len(targets))
	}
	for _, target := range targets {
		resp, err := target.Client.Get(target.URL)
		if err != nil {
			t.Errorf("%s: %v", target.Component, err)
			continue
		}
		b, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || resp.StatusCode != http.StatusOK || !strings.Contains(string(b), want[target.Component]) {
			t.Errorf("%s: HTTP %d, %v, %q is missing", target.Component, resp.StatusCode, err, want[target.Component])
		}
	}
}

func TestEtcdWantsACertificate(t *testing.T) {
	c := suite.Shared(t)
	url := flag(t, c, "etcd", "listen-client-urls")
	stranger := &rest.Config{Host: url, TLSClientConfig: rest.TLSClientConfig{Insecure: true}}
	client, err := rest.HTTPClientFor(stranger)
	if err != nil {
		t.Fatal(err)
	}
	if resp, err := client.Get(url + "/version"); err == nil {
		resp.Body.Close()
		t.Errorf("etcd answered a stranger: %s", resp.Status)
	}
}
