package controlplane

import (
	"fmt"
	"os"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// RESTConfig is the configuration of a client with a new certificate for the user. Its own rate limiter is off.
func (c *Cluster) RESTConfig(user string, groups ...string) (*rest.Config, error) {
	id, err := c.Issue(user, groups...)
	if err != nil {
		return nil, err
	}
	return &rest.Config{
		Host:            c.Server(),
		UserAgent:       "windtunnel",
		QPS:             -1,
		TLSClientConfig: rest.TLSClientConfig{CAData: c.CA(), CertData: id.Cert, KeyData: id.Key},
	}, nil
}

// Kubeconfig is a file for kubectl and other clients, with a new certificate for the user in it.
func (c *Cluster) Kubeconfig(user string, groups ...string) ([]byte, error) {
	id, err := c.Issue(user, groups...)
	if err != nil {
		return nil, err
	}
	const cluster = "windtunnel"
	config := clientcmdapi.NewConfig()
	config.Clusters[cluster] = &clientcmdapi.Cluster{Server: c.Server(), CertificateAuthorityData: c.CA()}
	config.AuthInfos[user] = &clientcmdapi.AuthInfo{ClientCertificateData: id.Cert, ClientKeyData: id.Key}
	config.Contexts[cluster] = &clientcmdapi.Context{Cluster: cluster, AuthInfo: user}
	config.CurrentContext = cluster
	b, err := clientcmd.Write(*config)
	if err != nil {
		return nil, fmt.Errorf("write kubeconfig of %s: %w", user, err)
	}
	return b, nil
}

// writeKubeconfig writes a component's own kubeconfig; its user is system:<component>.
func (c *Cluster) writeKubeconfig(component string) error {
	b, err := c.Kubeconfig("system:" + component)
	if err != nil {
		return err
	}
	if err := os.WriteFile(c.memory(component+".kubeconfig"), b, 0o600); err != nil {
		return fmt.Errorf("write kubeconfig of %s: %w", component, err)
	}
	return nil
}
