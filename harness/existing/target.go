package existing

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"windtunnel/harness/cluster"
)

// Target is a cluster that a kubeconfig names, with a client of its user: the administrator, as far as windtunnel is concerned.
type Target struct {
	file   string
	raw    clientcmdapi.Config // of the context alone
	config *rest.Config
	client *kubernetes.Clientset
	server string
	ca     []byte
	route  cluster.Route
}

// dialTimeout bounds the making of a connection.
const dialTimeout = 10 * time.Second

// Open reads a kubeconfig and its current context, or the one that is named; file "" means what kubectl would take. It makes no connection. The
// error is a *cluster.RefusedError.
func Open(file, contextName string) (*Target, error) {
	t, err := open(file, contextName)
	if err != nil {
		return nil, &cluster.RefusedError{Err: fmt.Errorf("read the kubeconfig: %w", err)}
	}
	return t, nil
}

// Of is the cluster that a configuration of a client leads to, whose user is the administrator.
func Of(config *rest.Config) (*Target, error) {
	t := &Target{config: rest.CopyConfig(config)}
	return t, t.complete()
}

func open(file, contextName string) (*Target, error) {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	if file != "" {
		if _, err := os.Stat(file); err != nil {
			return nil, err
		}
		rules.ExplicitPath = file
	}
	loaded := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, &clientcmd.ConfigOverrides{CurrentContext: contextName})
	raw, err := loaded.RawConfig()
	if err != nil {
		return nil, err
	}
	if contextName != "" {
		raw.CurrentContext = contextName
	}
	if err := clientcmdapi.MinifyConfig(&raw); err != nil {
		return nil, err
	}
	config, err := loaded.ClientConfig()
	if err != nil {
		return nil, err
	}
	t := &Target{file: file, raw: raw, config: config}
	return t, t.complete()
}

// complete takes out of the client's configuration what the load's connections need, and makes the client.
func (t *Target) complete() error {
	server, err := cluster.ParseServer(t.config.Host)
	if err != nil {
		return err
	}
	t.server = server.String()
	if err := rest.LoadTLSFiles(t.config); err != nil {
		return err
	}
	t.ca = t.config.CAData
	t.route = cluster.Route{ServerName: t.config.ServerName, Insecure: t.config.Insecure, Proxy: t.config.Proxy}
	if t.route.Proxy == nil {
		t.route.Proxy = http.ProxyFromEnvironment
	}
	t.config.UserAgent, t.config.QPS = cluster.UserAgent, -1
	t.config.WarningHandler = rest.NoWarnings{}
	if t.client, err = kubernetes.NewForConfig(t.config); err != nil {
		return err
	}
	return nil
}

// anonymous is the configuration of a client that reaches the server over connections of its own and has no identity yet.
func (t *Target) anonymous() *rest.Config {
	config := rest.AnonymousClientConfig(t.config)
	config.UserAgent, config.QPS, config.WarningHandler = cluster.UserAgent, -1, rest.NoWarnings{}
	// client-go shares connections among clients that are configured alike, but for those that dial for themselves.
	config.Dial = (&net.Dialer{Timeout: dialTimeout, KeepAlive: 30 * time.Second}).DialContext
	return config
}

// Server is the API server's URL.
func (t *Target) Server() string { return t.server }

// Kubeconfig is the file's content for this cluster alone, with the files that it names in it.
func (t *Target) Kubeconfig(context.Context) ([]byte, error) {
	raw := *t.raw.DeepCopy()
	if err := clientcmdapi.FlattenConfig(&raw); err != nil {
		return nil, fmt.Errorf("make a kubeconfig of %s: %w", t.file, err)
	}
	return clientcmd.Write(raw)
}

// version asks the API server what it is.
func (t *Target) version() (string, error) {
	v, err := t.client.Discovery().ServerVersion()
	if err != nil {
		return "", fmt.Errorf("reach the API server at %s: %w", t.server, err)
	}
	if v.GitVersion == "" {
		return "", errors.New(t.server + " says no version: it is no Kubernetes API server")
	}
	return v.GitVersion, nil
}
