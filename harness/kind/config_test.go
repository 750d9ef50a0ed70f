package kind

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sigs.k8s.io/kind/pkg/apis/config/v1alpha4"
	"sigs.k8s.io/yaml"

	"windtunnel/internal/golden"
	"windtunnel/profiles"
)

// spec is a control plane with its defaults.
func spec(change func(*profiles.ControlPlane)) profiles.ControlPlane {
	p := profiles.Profile{ControlPlane: profiles.ControlPlane{Provider: profiles.ProviderKind}}
	change(&p.ControlPlane)
	p.Default()
	return p.ControlPlane
}

func plainSettings() settings {
	return settings{name: "windtunnel-1-2", image: "kindest/node:v1.36.3", logs: "/runs/x/logs", dns: true,
		ports: map[string]int{etcdName: 12001, controllerManagerName: 12002, schedulerName: 12003}}
}

// TestCompose holds the configuration that kind is given, as a person would read it.
func TestCompose(t *testing.T) {
	fsync := false
	cases := map[string]struct {
		spec     profiles.ControlPlane
		base     string
		settings func(*settings)
	}{
		"plain": {spec: spec(func(*profiles.ControlPlane) {})},
		"everything": {
			spec: spec(func(c *profiles.ControlPlane) {
				c.Etcd = profiles.Etcd{Fsync: &fsync, Args: map[string]string{"snapshot-count": "5000"}}
				c.APIServer = profiles.APIServer{Audit: "metadata", Args: map[string]string{"max_requests_inflight": "123"}}
				c.ControllerManager = profiles.Client{QPS: 500, Args: map[string]string{"concurrent-gc-syncs": "5"}}
				c.Scheduler = profiles.Client{QPS: 0.5, Burst: 7}
				c.Kind = &profiles.KindCluster{NodeImage: LocalImage, ControlPlaneNodes: 2, Workers: 1,
					FeatureGates: map[string]bool{"A": true}, RuntimeConfig: map[string]string{"api/alpha": "true"},
					Mounts: []profiles.Mount{{HostPath: "/host", ContainerPath: "/node", ReadOnly: true}}}
			}),
			settings: func(s *settings) { s.image, s.dns, s.cgroup1, s.audit = LocalImage, false, true, true },
		},
		"user-config": {
			spec: spec(func(c *profiles.ControlPlane) {
				c.Kind = &profiles.KindCluster{ControlPlaneNodes: 3, FeatureGates: map[string]bool{"A": true}}
			}),
			base: "testdata/user.yaml",
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			base, err := readBase(c.base)
			if err != nil {
				t.Fatal(err)
			}
			s := plainSettings()
			if c.settings != nil {
				c.settings(&s)
			}
			config, err := compose(c.spec, base, s)
			if err != nil {
				t.Fatal(err)
			}
			got, err := yaml.Marshal(config)
			if err != nil {
				t.Fatal(err)
			}
			golden.Check(t, filepath.Join("testdata", name+".golden.yaml"), string(got))
		})
	}
}

func TestComposeLeavesTheUsersConfigAlone(t *testing.T) {
	base := v1alpha4.Cluster{Nodes: []v1alpha4.Node{{Role: v1alpha4.ControlPlaneRole, ExtraMounts: make([]v1alpha4.Mount, 1, 8)}},
		KubeadmConfigPatches: make([]string, 1, 8)}
	before := base.Nodes[0].ExtraMounts[:2]
	if _, err := compose(spec(func(*profiles.ControlPlane) {}), base, plainSettings()); err != nil {
		t.Fatal(err)
	}
	if len(base.Nodes[0].ExtraMounts) != 1 || before[1].HostPath != "" || base.KubeadmConfigPatches[:2][1] != "" {
		t.Errorf("%+v", base)
	}
}

func TestReservedFlagsAreAllReported(t *testing.T) {
	_, err := compose(spec(func(c *profiles.ControlPlane) {
		c.Etcd.Args = map[string]string{"listen_metrics-urls": "x", "data-dir": "y", "snapshot-count": "1"}
		c.APIServer.Args = map[string]string{"secure-port": "1"}
		c.Scheduler.Args = map[string]string{"bind-address": "1"}
	}), v1alpha4.Cluster{}, plainSettings())
	if err == nil {
		t.Fatal("no error")
	}
	if lines := strings.Split(err.Error(), "\n"); len(lines) != 4 || strings.Contains(err.Error(), "snapshot-count") {
		t.Errorf("%v", err)
	}
}

func TestBadConfigFiles(t *testing.T) {
	dir := t.TempDir()
	for text, want := range map[string]string{
		"kind: Cluster\napiVersion: kind.x-k8s.io/v1alpha3\n":              "want apiVersion kind.x-k8s.io/v1alpha4",
		"kind: Cluster\napiVersion: kind.x-k8s.io/v1alpha4\nnoodles: []\n": "line 3: field noodles not found",
		"": "want apiVersion",
	} {
		file := filepath.Join(dir, "kind.yaml")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := readBase(file); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), file) {
			t.Errorf("%q: %v", text, err)
		}
	}
	if _, err := readBase("/nonexistent"); err == nil || !strings.Contains(err.Error(), "controlPlane.kind.config") {
		t.Errorf("%v", err)
	}
}

func TestAuditRefusesTheUsersVolumes(t *testing.T) {
	base := v1alpha4.Cluster{KubeadmConfigPatches: []string{"kind: ClusterConfiguration\napiServer: {extraVolumes: []}\n"}}
	s := plainSettings()
	if _, err := compose(spec(func(*profiles.ControlPlane) {}), base, s); err != nil {
		t.Errorf("without an audit log: %v", err)
	}
	s.audit = true
	if _, err := compose(spec(func(*profiles.ControlPlane) {}), base, s); err == nil || !strings.Contains(err.Error(), "extraVolumes") {
		t.Errorf("%v", err)
	}
}
