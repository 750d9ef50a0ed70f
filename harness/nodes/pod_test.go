package nodes_test

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"k8s.io/client-go/rest"
	"sigs.k8s.io/yaml"

	"windtunnel/harness/internal/live"
	"windtunnel/hollow"
	"windtunnel/hollow/pod"
)

// serviceAccount applies the manifests of the hollow pods, as far as they say what a pod may do, and returns a client of its account.
func serviceAccount(t *testing.T, cluster *live.Cluster) *rest.Config {
	t.Helper()
	for _, name := range []string{"namespace.yaml", "rbac.yaml"} {
		text, err := os.ReadFile(filepath.Join("..", "..", "manifests", "hollow", name))
		if err != nil {
			t.Fatal(err)
		}
		for _, document := range strings.Split(string(text), "\n---\n") {
			create(t, cluster, document)
		}
	}
	code, body := cluster.Do(http.MethodPost, "/api/v1/namespaces/windtunnel/serviceaccounts/hollow-node/token", "application/json",
		strings.NewReader(`{"apiVersion":"authentication.k8s.io/v1","kind":"TokenRequest","spec":{}}`))
	var answer struct{ Status struct{ Token string } }
	if err := json.Unmarshal(body, &answer); err != nil || code != http.StatusCreated {
		t.Fatalf("token: %d %s", code, body)
	}
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte(answer.Status.Token), 0o600); err != nil {
		t.Fatal(err)
	}
	return &rest.Config{Host: cluster.Server(), BearerTokenFile: file, TLSClientConfig: rest.TLSClientConfig{CAData: cluster.CA()}}
}

// create makes the object of a YAML document.
func create(t *testing.T, cluster *live.Cluster, document string) {
	t.Helper()
	paths := map[string]string{
		"Namespace": "/api/v1/namespaces", "ServiceAccount": "/api/v1/namespaces/windtunnel/serviceaccounts",
		"ClusterRole": "/apis/rbac.authorization.k8s.io/v1/clusterroles", "ClusterRoleBinding": "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
	}
	text, err := yaml.YAMLToJSON([]byte(document))
	if err != nil {
		t.Fatal(err)
	}
	var object struct{ Kind string }
	if err := json.Unmarshal(text, &object); err != nil || paths[object.Kind] == "" {
		t.Fatalf("%v: %s", err, text)
	}
	if code, body := cluster.Do(http.MethodPost, paths[object.Kind], "application/json", strings.NewReader(string(text))); code != http.StatusCreated {
		t.Fatalf("create %s: %d %s", object.Kind, code, body)
	}
}

// TestPodIdentities: the cluster signs a certificate for every node of a pod that asks with no more rights than the manifests give.
func TestPodIdentities(t *testing.T) {
	cluster := live.Use(t, suite.Shared(t))
	account := serviceAccount(t, cluster)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()

	config := pod.Config{NamePrefix: "signed-", Count: 5, PerPod: 3,
		Shard: hollow.ShardConfig{MaxPods: 10, Capacity: map[string]string{"cpu": "1", "memory": "1Gi"}, Proxy: true}}
	shard, err := pod.Shard(ctx, config, "hollow-nodes-1", t.TempDir(), account)
	if err != nil {
		t.Fatal(err)
	}
	if len(shard.Nodes) != 2 || shard.Nodes[0].Name != "signed-3" || shard.Name != "hollow-nodes-1" {
		t.Fatalf("shard %s has %d nodes", shard.Name, len(shard.Nodes))
	}
	for _, n := range shard.Nodes {
		block, _ := pem.Decode(n.Kubelet.Cert)
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		if s := certificate.Subject; s.CommonName != "system:node:"+n.Name || len(s.Organization) != 1 || s.Organization[0] != "system:nodes" {
			t.Errorf("%s is %s", n.Name, s)
		}
		if n.Proxy.TokenFile != account.BearerTokenFile {
			t.Errorf("the proxy of %s has the token file %q", n.Name, n.Proxy.TokenFile)
		}
	}

	// The account itself may do nothing else of what a node or an administrator may.
	client, err := rest.HTTPClientFor(account)
	if err != nil {
		t.Fatal(err)
	}
	defer client.CloseIdleConnections()
	for _, path := range []string{"/api/v1/secrets", "/api/v1/pods", "/api/v1/namespaces/windtunnel/configmaps"} {
		answer, err := client.Get(cluster.Server() + path)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode != http.StatusForbidden {
			t.Errorf("the pods' account may read %s: %s", path, answer.Status)
		}
	}
}
