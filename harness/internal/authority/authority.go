// Package authority signs certificates: as an authority of its own, or as one that a cluster has.
package authority

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"time"

	"k8s.io/client-go/util/keyutil"

	"windtunnel/harness/cluster"
)

// How long certificates are valid. They are backdated so that a clock that is set back a little does no harm.
const (
	certValidity = 365 * 24 * time.Hour
	certBackdate = time.Hour
)

// Authority is a certificate authority.
type Authority struct {
	cert *x509.Certificate
	key  crypto.Signer
	pem  []byte // of the certificate
}

// New makes a self-signed authority.
func New(name string) (*Authority, error) {
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
	return &Authority{cert: cert, key: key, pem: encodeCert(der)}, nil
}

// Load makes an authority of the certificate and key of one that exists, both PEM.
func Load(certPEM, keyPEM []byte) (*Authority, error) {
	block, _ := pem.Decode(certPEM)
	if block == nil {
		return nil, errors.New("load authority: no certificate in PEM")
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("load authority: %w", err)
	}
	key, err := keyutil.ParsePrivateKeyPEM(keyPEM)
	if err != nil {
		return nil, fmt.Errorf("load authority %s: %w", cert.Subject.CommonName, err)
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("load authority %s: its key cannot sign", cert.Subject.CommonName)
	}
	return &Authority{cert: cert, key: signer, pem: certPEM}, nil
}

// PEM is the authority's certificate.
func (a *Authority) PEM() []byte { return a.pem }

// Identity is the authority's own certificate and key, for whoever is to sign with it.
func (a *Authority) Identity() (cluster.Identity, error) {
	key, err := keyutil.MarshalPrivateKeyToPEM(a.key)
	if err != nil {
		return cluster.Identity{}, fmt.Errorf("write key of %s: %w", a.cert.Subject.CommonName, err)
	}
	return cluster.Identity{Name: a.cert.Subject.CommonName, Cert: a.pem, Key: key}, nil
}

// Client issues a client certificate: Kubernetes reads the user from the common name and the groups from the
// organisations.
func (a *Authority) Client(user string, groups ...string) (cluster.Identity, error) {
	return a.issue(pkix.Name{CommonName: user, Organization: groups}, nil, x509.ExtKeyUsageClientAuth)
}

// Server issues a serving certificate for names and addresses, which is also good for a client where peers need that.
func (a *Authority) Server(name string, hosts []string) (cluster.Identity, error) {
	return a.issue(pkix.Name{CommonName: name}, hosts, x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth)
}

func (a *Authority) issue(subject pkix.Name, hosts []string, usage ...x509.ExtKeyUsage) (cluster.Identity, error) {
	fail := func(err error) (cluster.Identity, error) {
		return cluster.Identity{}, fmt.Errorf("issue certificate for %s: %w", subject.CommonName, err)
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
	keyPEM, err := keyutil.MarshalPrivateKeyToPEM(key)
	if err != nil {
		return fail(err)
	}
	return cluster.Identity{Name: subject.CommonName, Cert: encodeCert(der), Key: keyPEM}, nil
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
