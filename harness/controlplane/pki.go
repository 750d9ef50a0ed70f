package controlplane

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"

	"k8s.io/client-go/util/keyutil"

	"windtunnel/harness/cluster"
	"windtunnel/harness/internal/authority"
)

// pki is everything that the components trust and prove themselves with, as kubeadm lays it out: one authority for the
// cluster, one for etcd, one for the aggregator's front proxy, and a key for service account tokens.
type pki struct {
	dir                       string
	cluster, etcd, frontProxy *authority.Authority
}

// apiServerHosts are the names and addresses under which the API server may be called. The last is the first address
// of serviceCIDR.
func apiServerHosts() []string {
	return []string{"127.0.0.1", "localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc",
		"kubernetes.default.svc.cluster.local", "172.30.0.1"}
}

// newPKI makes it all and writes it to a directory that only this user can read.
func newPKI(dir string) (*pki, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make directory for keys: %w", err)
	}
	p := &pki{dir: dir}
	var err error
	for name, a := range map[string]**authority.Authority{"ca": &p.cluster, "etcd-ca": &p.etcd, "front-proxy-ca": &p.frontProxy} {
		if *a, err = authority.New("windtunnel-" + name); err != nil {
			return nil, err
		}
		id, err := (*a).Identity()
		if err != nil {
			return nil, err
		}
		if err := p.write(name, id); err != nil {
			return nil, err
		}
	}
	if err := p.writeServing(); err != nil {
		return nil, err
	}
	if err := p.writeClients(); err != nil {
		return nil, err
	}
	return p, p.writeServiceAccountKey()
}

func (p *pki) writeServing() error {
	local := []string{"127.0.0.1", "localhost"}
	for _, s := range []struct {
		name  string
		ca    *authority.Authority
		hosts []string
	}{
		{etcdName, p.etcd, local},
		{"etcd-peer", p.etcd, local},
		{apiServerName, p.cluster, apiServerHosts()},
		{controllerManagerName, p.cluster, local},
		{schedulerName, p.cluster, local},
	} {
		id, err := s.ca.Server(s.name, s.hosts)
		if err != nil {
			return err
		}
		if err := p.write(s.name, id); err != nil {
			return err
		}
	}
	return nil
}

func (p *pki) writeClients() error {
	for _, c := range []struct {
		name string
		ca   *authority.Authority
	}{
		{"apiserver-etcd-client", p.etcd},
		{"front-proxy-client", p.frontProxy},
	} {
		id, err := c.ca.Client(c.name)
		if err != nil {
			return err
		}
		if err := p.write(c.name, id); err != nil {
			return err
		}
	}
	return nil
}

func (p *pki) writeServiceAccountKey() error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return fmt.Errorf("make service account key: %w", err)
	}
	private, err := keyutil.MarshalPrivateKeyToPEM(key)
	if err != nil {
		return fmt.Errorf("make service account key: %w", err)
	}
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return fmt.Errorf("make service account key: %w", err)
	}
	public := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	return p.write("service-account", cluster.Identity{Cert: public, Key: private})
}

// cert and key are the files of what write wrote under the name.
func (p *pki) cert(name string) string { return filepath.Join(p.dir, name+".crt") }
func (p *pki) key(name string) string  { return filepath.Join(p.dir, name+".key") }

func (p *pki) write(name string, id cluster.Identity) error {
	if err := os.WriteFile(p.cert(name), id.Cert, 0o600); err != nil {
		return fmt.Errorf("write certificate: %w", err)
	}
	if err := os.WriteFile(p.key(name), id.Key, 0o600); err != nil {
		return fmt.Errorf("write key: %w", err)
	}
	return nil
}
