package pod

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509/pkix"
	"fmt"

	certificates "k8s.io/api/certificates/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/util/cert"
	"k8s.io/client-go/util/certificate/csr"
	"k8s.io/client-go/util/keyutil"

	"windtunnel/hollow"
)

// Identify asks the cluster for a certificate of a node, system:node:NAME of group system:nodes, as a kubelet does that joins with a
// bootstrap token. The controller-manager approves and signs it by itself for a client that may create
// certificatesigningrequests/nodeclient. The key never leaves the process.
func Identify(ctx context.Context, client kubernetes.Interface, node string) (hollow.Identity, error) {
	id, err := identify(ctx, client, node)
	if err != nil {
		return hollow.Identity{}, fmt.Errorf("get a certificate for %s: %w", node, err)
	}
	return id, nil
}

func identify(ctx context.Context, client kubernetes.Interface, node string) (hollow.Identity, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return hollow.Identity{}, err
	}
	request, err := cert.MakeCSR(crypto.Signer(key), &pkix.Name{CommonName: "system:node:" + node, Organization: []string{"system:nodes"}}, nil, nil)
	if err != nil {
		return hollow.Identity{}, err
	}
	usages := []certificates.KeyUsage{certificates.UsageDigitalSignature, certificates.UsageClientAuth}
	name, uid, err := csr.RequestCertificateWithContext(ctx, client, request, "", certificates.KubeAPIServerClientKubeletSignerName, nil, usages, key)
	if err != nil {
		return hollow.Identity{}, err
	}
	signed, err := csr.WaitForCertificate(ctx, client, name, uid)
	if err != nil {
		return hollow.Identity{}, err
	}
	text, err := keyutil.MarshalPrivateKeyToPEM(key)
	if err != nil {
		return hollow.Identity{}, err
	}
	return hollow.Identity{Cert: signed, Key: text}, nil
}
