package authority

import (
	"fmt"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"windtunnel/harness/cluster"
)

// RESTConfig is the configuration of a client of a server (its URL) whose certificate the authority signed, with a new certificate for
// the user. Its own rate limiter is off.
func (a *Authority) RESTConfig(server, user string, groups ...string) (*rest.Config, error) {
	id, err := a.Client(user, groups...)
	if err != nil {
		return nil, err
	}
	return &rest.Config{
		Host:            server,
		UserAgent:       cluster.UserAgent,
		QPS:             -1,
		TLSClientConfig: rest.TLSClientConfig{CAData: a.pem, CertData: id.Cert, KeyData: id.Key},
	}, nil
}

// Kubeconfig is a file for kubectl and other clients of such a server, with a new certificate for the user in it.
func (a *Authority) Kubeconfig(server, user string, groups ...string) ([]byte, error) {
	id, err := a.Client(user, groups...)
	if err != nil {
		return nil, err
	}
	const name = "windtunnel"
	config := clientcmdapi.NewConfig()
	config.Clusters[name] = &clientcmdapi.Cluster{Server: server, CertificateAuthorityData: a.pem}
	config.AuthInfos[user] = &clientcmdapi.AuthInfo{ClientCertificateData: id.Cert, ClientKeyData: id.Key}
	config.Contexts[name] = &clientcmdapi.Context{Cluster: name, AuthInfo: user}
	config.CurrentContext = name
	b, err := clientcmd.Write(*config)
	if err != nil {
		return nil, fmt.Errorf("write kubeconfig of %s: %w", user, err)
	}
	return b, nil
}
