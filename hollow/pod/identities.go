package pod

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509/pkix"
	"fmt"

	"golang.org/x/sync/errgroup"
	certificates "k8s.io/api/certificates/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/util/cert"
	"k8s.io/client-go/util/certificate/csr"
	"k8s.io/client-go/util/keyutil"

	"windtunnel/hollow"
)

// asking is how many certificates are asked for at one time: each waits for the controller-manager with a watch of its own.
const asking = 16

// Identities asks the cluster for a certificate of every node, system:node:NAME of group system:nodes, as a kubelet does that joins with a
// bootstrap token. The controller-manager approves and signs it by itself for a client that may create
// certificatesigningrequests/nodeclient. Keys never leave the process.
func Identities(ctx context.Context, client kubernetes.Interface, nodes []hollow.Node) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(asking)
	for i := range nodes {
		group.Go(func() error {
			id, err := identity(ctx, client, nodes[i].Name)
			if err != nil {
				return fmt.Errorf("get a certificate for %s: %w", nodes[i].Name, err)
			}
			nodes[i].Kubelet = id
			return nil
		})
	}
	return group.Wait()
}

func identity(ctx context.Context, client kubernetes.Interface, node string) (hollow.Identity, error) {
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
