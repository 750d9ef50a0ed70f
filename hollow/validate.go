package hollow

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"

	"windtunnel/profiles"
)

const (
	// socketPathMax is the longest path of a unix socket on Linux, without the terminating zero.
	socketPathMax = 107
	// kubeletSocket is the longest path under a node's directory that a kubelet listens on; it exits when it cannot. The
	// socket is made under a temporary name of at most this length first.
	kubeletSocket = "/pod-resources/kubelet.sock"
	// maxIndex bounds Node.Index, which names the node's directory.
	maxIndex = 999_999
)

// MaxRootDir is the longest ShardConfig.RootDir, in bytes: the kubelets' sockets below it must fit into a socket address. The directory of
// a node that has left and come again has the number of that behind its own.
const MaxRootDir = socketPathMax - len(kubeletSocket) - len("/") - len("999999") - len(".999")

// NodeDir returns the directory of one node, under the shard's.
func (c ShardConfig) NodeDir(n Node) string { return filepath.Join(c.RootDir, strconv.Itoa(n.Index)) }

// Validate reports everything that would keep the shard from starting.
func (c ShardConfig) Validate() error {
	var problems []error
	report := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }

	if u, err := url.Parse(c.Server); err != nil || u.Scheme != "https" || u.Host == "" {
		report("server %q is not an https URL", c.Server)
	}
	if !x509.NewCertPool().AppendCertsFromPEM(c.CA) {
		report("ca holds no PEM certificate")
	}
	switch {
	case !filepath.IsAbs(c.RootDir):
		report("rootDir %q is not an absolute path", c.RootDir)
	case len(c.RootDir) > MaxRootDir:
		report("rootDir %q is %d bytes long, more than %d: the kubelets' sockets below it would not fit into a socket address",
			c.RootDir, len(c.RootDir), MaxRootDir)
	}
	if c.Socket == "" || len(c.Socket) > socketPathMax {
		report("socket %q is not a path of 1 to %d bytes", c.Socket, socketPathMax)
	}
	if c.MaxPods < 1 {
		report("maxPods is %d, less than 1", c.MaxPods)
	}
	for name, value := range map[string]float64{
		"qps": c.QPS, "burst": float64(c.Burst), "paddingBytes": float64(c.PaddingBytes), "joinWindow": float64(c.JoinWindow),
		"expectedPods": float64(c.ExpectedPods), "sandboxStart": float64(c.SandboxStart),
		"containerStart": float64(c.ContainerStart), "containerStop": float64(c.ContainerStop),
		"sandboxStartP99": float64(c.SandboxStartP99), "containerStartP99": float64(c.ContainerStartP99), "containerStopP99": float64(c.ContainerStopP99),
	} {
		if value < 0 {
			report("%s is %v, less than 0", name, value)
		}
	}
	if _, err := ParseCapacity(c.Capacity); err != nil {
		problems = append(problems, err)
	}
	switch {
	case c.Tier != "" && c.Tier != profiles.TierKubelet && c.Tier != profiles.TierLight:
		report("tier %q is neither kubelet nor light", c.Tier)
	case c.Fidelity != "" && c.Fidelity != profiles.FidelityKubelet && c.Fidelity != profiles.FidelityMinimal:
		report("fidelity %q is neither kubelet nor minimal", c.Fidelity)
	case !c.Light() && c.Fidelity == profiles.FidelityMinimal:
		report("only nodes of tier light have fidelity minimal")
	}
	if c.Minimal() || len(c.Stages) > 0 {
		if err := c.Shared.validate(); err != nil {
			report("shared identity: %w", err)
		}
	}
	if len(c.Stages) > 0 && !c.Light() {
		report("only nodes of tier light have stages")
	}
	if c.Usage != nil && !c.Light() {
		report("only nodes of tier light serve what their pods use")
	}
	problems = append(problems, c.validateNodes()...)
	return errors.Join(problems...)
}

func (c ShardConfig) validateNodes() []error {
	var problems []error
	names, indexes := make(map[string]bool), make(map[int]bool)
	for i, n := range c.Nodes {
		report := func(format string, args ...any) {
			problems = append(problems, fmt.Errorf("node %d (%s): %w", i, n.Name, fmt.Errorf(format, args...)))
		}
		if n.Name == "" || n.Name != strings.ToLower(n.Name) || strings.ContainsAny(n.Name, "/_ ") {
			report("the name is not a DNS subdomain")
		}
		if names[n.Name] {
			report("the name is used twice")
		}
		names[n.Name] = true
		if n.Index < 0 || n.Index > maxIndex || indexes[n.Index] {
			report("index %d is used twice or not in 0 … %d", n.Index, maxIndex)
		}
		indexes[n.Index] = true
		if c.Minimal() {
			continue
		}
		if err := n.Kubelet.validate(); err != nil {
			report("kubelet's identity: %w", err)
		}
		if c.Proxy {
			if err := n.Proxy.validate(); err != nil {
				report("proxy's identity: %w", err)
			}
		}
	}
	return problems
}

// validate tells whether there is an identity.
func (id Identity) validate() error {
	if id.TokenFile != "" {
		return nil
	}
	_, err := tls.X509KeyPair(id.Cert, id.Key)
	return err
}
