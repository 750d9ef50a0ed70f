package controlplane

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// How long certificates are valid. They are backdated so that a clock that is set back a little does no harm.
const (
	certValidity = 365 * 24 * time.Hour
	certBackdate = time.Hour
)

// Identity is a client certificate with its key, both PEM.
type Identity struct {
	Cert []byte
	Key  []byte
}

// authority is a certificate authority.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pem  []byte // of the certificate
}

// newAuthority makes a self-signed authority.
func newAuthority(name string) (*authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make key of %s: %w", name, err)
	}
	template, err := newTemplate(pkix.Name{CommonName: name})
	if err != nil {
		return nil, err
	}
	template.IsCA, template.BasicConstraintsValid = true, true
	template.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign | x509.KeyUsageDigitalSignature
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("sign %s: %w", name, err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("sign %s: %w", name, err)
	}
	return &authority{cert: cert, key: key, pem: encodeCert(der)}, nil
}

// client issues a client certificate: Kubernetes reads the user from the common name and the groups from the
// organisations.
func (a *authority) client(user string, groups ...string) (Identity, error) {
	return a.issue(pkix.Name{CommonName: user, Organization: groups}, nil, x509.ExtKeyUsageClientAuth)
}

// server issues a serving certificate for names and addresses, which is also good for a client where peers need that.
func (a *authority) server(name string, hosts []string) (Identity, error) {
	return a.issue(pkix.Name{CommonName: name}, hosts, x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth)
}

func (a *authority) issue(subject pkix.Name, hosts []string, usage ...x509.ExtKeyUsage) (Identity, error) {
	fail := func(err error) (Identity, error) {
		return Identity{}, fmt.Errorf("issue certificate for %s: %w", subject.CommonName, err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return fail(err)
	}
	template, err := newTemplate(subject)
	if err != nil {
		return fail(err)
	}
	template.KeyUsage, template.ExtKeyUsage = x509.KeyUsageDigitalSignature, usage
	for _, host := range hosts {
		if ip := net.ParseIP(host); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, host)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, key.Public(), a.key)
	if err != nil {
		return fail(err)
	}
	keyPEM, err := encodeKey(key)
	if err != nil {
		return fail(err)
	}
	return Identity{Cert: encodeCert(der), Key: keyPEM}, nil
}

// newTemplate is what all certificates have in common.
func newTemplate(subject pkix.Name) (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, fmt.Errorf("make serial number: %w", err)
	}
	now := time.Now()
	return &x509.Certificate{
		SerialNumber: serial, Subject: subject,
		NotBefore: now.Add(-certBackdate), NotAfter: now.Add(certValidity),
	}, nil
}

func encodeCert(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

func encodeKey(key *ecdsa.PrivateKey) ([]byte, error) {
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der}), nil
}

// pki is everything that the components trust and prove themselves with, as kubeadm lays it out: one authority for the
// cluster, one for etcd, one for the aggregator's front proxy, and a key for service account tokens.
type pki struct {
	dir                       string
	cluster, etcd, frontProxy *authority
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
	for name, a := range map[string]**authority{"ca": &p.cluster, "etcd-ca": &p.etcd, "front-proxy-ca": &p.frontProxy} {
		if *a, err = newAuthority("windtunnel-" + name); err != nil {
			return nil, err
		}
		key, err := encodeKey((*a).key)
		if err != nil {
			return nil, err
		}
		if err := p.write(name, Identity{Cert: (*a).pem, Key: key}); err != nil {
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
		ca    *authority
		hosts []string
	}{
		{etcdName, p.etcd, local},
		{"etcd-peer", p.etcd, local},
		{apiServerName, p.cluster, apiServerHosts()},
		{controllerManagerName, p.cluster, local},
		{schedulerName, p.cluster, local},
	} {
		id, err := s.ca.server(s.name, s.hosts)
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
		ca   *authority
	}{
		{"apiserver-etcd-client", p.etcd},
		{"front-proxy-client", p.frontProxy},
	} {
		id, err := c.ca.client(c.name)
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
	private, err := encodeKey(key)
	if err != nil {
		return fmt.Errorf("make service account key: %w", err)
	}
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return fmt.Errorf("make service account key: %w", err)
	}
	public := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	return p.write("service-account", Identity{Cert: public, Key: private})
}

// cert and key are the files of what write wrote under the name.
func (p *pki) cert(name string) string { return filepath.Join(p.dir, name+".crt") }
func (p *pki) key(name string) string  { return filepath.Join(p.dir, name+".key") }

func (p *pki) write(name string, id Identity) error {
	if err := os.WriteFile(p.cert(name), id.Cert, 0o600); err != nil {
		return fmt.Errorf("write certificate: %w", err)
	}
	if err := os.WriteFile(p.key(name), id.Key, 0o600); err != nil {
		return fmt.Errorf("write key: %w", err)
	}
	return nil
}
