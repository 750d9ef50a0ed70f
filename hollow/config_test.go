package hollow

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"windtunnel/profiles"
)

// identity makes a self-signed certificate, which is authority and client in one.
func identity(t *testing.T, name string) Identity {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotAfter: time.Now().Add(time.Hour)}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return Identity{
		Cert: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert}),
		Key:  pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}),
	}
}

func example(t *testing.T) ShardConfig {
	t.Helper()
	id := identity(t, "system:node:hollow-0")
	return ShardConfig{
		Name: "hollow-0", Server: "https://127.0.0.1:6443", CA: id.Cert, ClockBase: 42, RootDir: "/dev/shm/windtunnel-x/0",
		Samples: "/run/hollow-0.arrows", Socket: "/run/hollow-0.sock",
		Nodes: []Node{
			{Name: "hollow-0", Index: 0, Labels: map[string]string{"topology.kubernetes.io/zone": "zone-0"}, Kubelet: id, Proxy: id},
			{Name: "hollow-1", Index: 1, Kubelet: id, Proxy: id},
		},
		MaxPods: 110, Capacity: map[string]string{"cpu": "32", "memory": "256Gi", "example.com/gpu": "8"},
		Labels: map[string]string{"windtunnel/run": "r"}, Taints: []profiles.Taint{{Key: "k", Value: "v", Effect: "NoSchedule"}},
		PaddingBytes: 1000, QPS: 50, Burst: 100, SandboxStart: time.Second, ContainerStart: 2 * time.Second, ContainerStop: 3 * time.Second,
		Proxy: true, JoinWindow: 8, ExpectedPods: 60,
	}
}

func TestShardConfigRoundTrip(t *testing.T) {
	want := example(t)
	path := filepath.Join(t.TempDir(), "shard.json")
	if err := want.Write(path); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("a file with private keys has the mode %s", info.Mode())
	}
	got, err := ReadShardConfig(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("not what was written (-want +got):\n%s", diff)
	}
	if err := want.Write(path); err == nil {
		t.Error("a file that is there was overwritten")
	}
}

func TestReadShardConfigRefusesUnknownFields(t *testing.T) {
	path := filepath.Join(t.TempDir(), "shard.json")
	if err := os.WriteFile(path, []byte(`{"name": "x", "nodez": []}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadShardConfig(path); err == nil || !strings.Contains(err.Error(), "nodez") {
		t.Errorf("got %v, want an error that names nodez", err)
	}
}

func TestValidate(t *testing.T) {
	if err := example(t).Validate(); err != nil {
		t.Fatalf("the example is not valid: %v", err)
	}
	for _, c := range []struct {
		name  string
		spoil func(*ShardConfig)
		want  string
	}{
		{"server", func(c *ShardConfig) { c.Server = "http://x" }, "not an https URL"},
		{"ca", func(c *ShardConfig) { c.CA = nil }, "no PEM certificate"},
		{"relative root", func(c *ShardConfig) { c.RootDir = "x" }, "not an absolute path"},
		{"long root", func(c *ShardConfig) { c.RootDir = "/" + strings.Repeat("x", MaxRootDir) }, "socket address"},
		{"socket", func(c *ShardConfig) { c.Socket = strings.Repeat("x", 108) }, "socket"},
		{"pods", func(c *ShardConfig) { c.MaxPods = 0 }, "maxPods"},
		{"qps", func(c *ShardConfig) { c.QPS = -1 }, "qps is -1"},
		{"stop", func(c *ShardConfig) { c.ContainerStop = -1 }, "containerStop"},
		{"capacity", func(c *ShardConfig) { c.Capacity["cpu"] = "1500m" }, "whole number of cores"},
		{"twice", func(c *ShardConfig) { c.Nodes[1].Name = "hollow-0" }, "used twice"},
		{"index", func(c *ShardConfig) { c.Nodes[1].Index = 0 }, "index 0 is used twice"},
		{"name", func(c *ShardConfig) { c.Nodes[1].Name = "A/b" }, "not a DNS subdomain"},
		{"kubelet", func(c *ShardConfig) { c.Nodes[1].Kubelet = Identity{} }, "kubelet's identity"},
		{"proxy", func(c *ShardConfig) { c.Nodes[1].Proxy = Identity{} }, "proxy's identity"},
		{"stages", func(c *ShardConfig) { c.Stages = make([]profiles.StageSource, 1) }, "only nodes of tier light have stages"},
		{"usage", func(c *ShardConfig) { c.Usage = &profiles.Usage{} }, "only nodes of tier light serve what their pods use"},
		{"stages' identity", func(c *ShardConfig) { c.Tier, c.Stages = profiles.TierLight, make([]profiles.StageSource, 1) }, "shared identity"},
	} {
		t.Run(c.name, func(t *testing.T) {
			config := example(t)
			c.spoil(&config)
			if err := config.Validate(); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want an error with %q", err, c.want)
			}
		})
	}
	withoutProxy := example(t)
	withoutProxy.Proxy = false
	withoutProxy.Nodes[1].Proxy = Identity{}
	if err := withoutProxy.Validate(); err != nil {
		t.Errorf("without proxies no identity is needed for one: %v", err)
	}
}

// TestLongestRootDir holds the arithmetic of MaxRootDir against the longest path that follows from it.
func TestLongestRootDir(t *testing.T) {
	c := ShardConfig{RootDir: "/" + strings.Repeat("x", MaxRootDir-1)}
	path := c.NodeDir(Node{Index: maxIndex}) + ".999" + kubeletSocket
	if len(path) != socketPathMax {
		t.Errorf("the longest socket path has %d bytes, want %d", len(path), socketPathMax)
	}
}
