package existing

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"windtunnel/harness/cluster"
)

// open gives the shared cluster as a kubeconfig reaches it.
func openShared(t *testing.T) *Target {
	t.Helper()
	target, err := Open(kubeconfig(t, nil), "")
	if err != nil {
		t.Fatal(err)
	}
	return target
}

// kubeconfig writes the shared cluster's, changed.
func kubeconfig(t *testing.T, change func(*clientcmdapi.Config)) string {
	t.Helper()
	data, err := suite.Shared(t).Kubeconfig(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	config, err := clientcmd.Load(data)
	if err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(config)
	}
	file := filepath.Join(t.TempDir(), "kubeconfig")
	if err := clientcmd.WriteToFile(*config, file); err != nil {
		t.Fatal(err)
	}
	return file
}

// TestOpen: kubeconfigs of all kinds, by whether they lead to the cluster.
func TestOpen(t *testing.T) {
	only := func(c *clientcmdapi.Config) (*clientcmdapi.Cluster, *clientcmdapi.AuthInfo) {
		for _, context := range c.Contexts {
			return c.Clusters[context.Cluster], c.AuthInfos[context.AuthInfo]
		}
		return nil, nil
	}
	for _, test := range []struct {
		name, context string
		change        func(*clientcmdapi.Config)
		says          string // of the refusal; "" when the cluster is reached
	}{
		{name: "as it is"},
		{name: "a plugin that has the credentials", change: func(c *clientcmdapi.Config) {
			_, user := only(c)
			said, err := json.Marshal(map[string]any{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential",
				"status": map[string]any{"clientCertificateData": string(user.ClientCertificateData), "clientKeyData": string(user.ClientKeyData)}})
			if err != nil {
				t.Fatal(err)
			}
			plugin := filepath.Join(t.TempDir(), "plugin")
			if err := os.WriteFile(plugin, fmt.Appendf(nil, "#!/bin/sh\ncat <<'E'\n%s\nE\n", said), 0o700); err != nil {
				t.Fatal(err)
			}
			*user = clientcmdapi.AuthInfo{Exec: &clientcmdapi.ExecConfig{APIVersion: "client.authentication.k8s.io/v1", Command: plugin, InteractiveMode: clientcmdapi.NeverExecInteractiveMode}}
		}},
		{name: "another context", context: "other", change: func(c *clientcmdapi.Config) {
			c.Contexts["other"] = c.Contexts["windtunnel"].DeepCopy()
			c.CurrentContext = ""
		}},
		{name: "no such context", context: "elsewhere", says: "elsewhere"},
		{name: "no TLS", change: func(c *clientcmdapi.Config) { cluster, _ := only(c); cluster.Server = "http://192.0.2.1:8080" }, says: "no TLS"},
		{name: "no server", change: func(c *clientcmdapi.Config) { cluster, _ := only(c); cluster.Server = "192.0.2.1" }, says: "192.0.2.1"},
	} {
		t.Run(test.name, func(t *testing.T) {
			target, err := Open(kubeconfig(t, test.change), test.context)
			if test.says != "" {
				var refused *cluster.RefusedError
				if !errors.As(err, &refused) || !strings.Contains(err.Error(), test.says) {
					t.Errorf("refused with %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if version, err := target.version(); err != nil || version != suite.Shared(t).Version() {
				t.Errorf("version %q, %v", version, err)
			}
			if target.Server() != suite.Shared(t).Server() || string(target.ca) != string(suite.Shared(t).CA()) {
				t.Errorf("it leads to %s", target.Server())
			}
		})
	}
	if _, err := Open(filepath.Join(t.TempDir(), "none"), ""); !errors.As(err, new(*cluster.RefusedError)) {
		t.Errorf("a file that is not there: %v", err)
	}
}
