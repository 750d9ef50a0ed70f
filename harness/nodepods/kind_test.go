package nodepods_test

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"windtunnel/harness/nodepods"
	"windtunnel/manifests/image"
)

const (
	// kindEnv set to "required" makes it a failure that kind cannot be used.
	kindEnv = "WINDTUNNEL_KIND"
	// reuseEnv names the kubeconfig of a kind cluster that has the image already, for those who test often.
	reuseEnv  = "WINDTUNNEL_KIND_KUBECONFIG"
	nodeImage = "windtunnel/node"
	testImage = "windtunnel/hollow-node:test"
)

// onKind gives a kind cluster with the image of hollow nodes, or skips the test, loudly.
func onKind(t testing.TB) (*rest.Config, kubernetes.Interface) {
	t.Helper()
	if testing.Short() {
		t.Skip("kind is not tested with -short")
	}
	if os.Getenv(kindEnv) == "later" {
		t.Skip("left to make test-kind")
	}
	kubeconfig := os.Getenv(reuseEnv)
	if kubeconfig == "" {
		kubeconfig = boot(t)
	}
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	config.WarningHandler = rest.NoWarnings{}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	if err := nodepods.KeepOff(t.Context(), client); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the DaemonSets of the cluster have followed", func() bool {
		list, err := client.AppsV1().DaemonSets("kube-system").List(t.Context(), metav1.ListOptions{})
		if err != nil {
			return false
		}
		for _, d := range list.Items {
			if s := d.Status; s.ObservedGeneration < d.Generation || s.UpdatedNumberScheduled < s.DesiredNumberScheduled || s.NumberUnavailable > 0 {
				return false
			}
		}
		return true
	})
	return config, client
}

// boot creates a cluster from the image that `make node-image` makes, which is deleted with the test.
func boot(t testing.TB) (kubeconfig string) {
	t.Helper()
	kind := filepath.Join("..", "..", "bin", "node-image", "bin", "kind")
	for _, need := range [][]string{{"docker", "info"}, {"docker", "image", "inspect", nodeImage}, {kind, "version"}} {
		if out, err := exec.Command(need[0], need[1:]...).CombinedOutput(); err != nil {
			why := "KIND WAS NOT TESTED: hollow nodes as pods of a kind cluster need Docker and make node-image: " +
				strings.Join(need, " ") + ": " + err.Error() + ": " + string(bytes.TrimSpace(out))
			if os.Getenv(kindEnv) == "required" {
				t.Fatal(why)
			}
			t.Skip(why)
		}
	}
	dir := t.TempDir()
	archive, err := os.Create(filepath.Join(dir, "hollow-node.tar"))
	if err != nil {
		t.Fatal(err)
	}
	err = image.Write(archive, image.Options{Tag: testImage, Program: suite.Kube(t), Name: "windtunnel-kube", Architecture: "amd64", User: "65532:65532"})
	if err != nil || archive.Close() != nil {
		t.Fatal(err)
	}
	kubeconfig = filepath.Join(dir, "kubeconfig")
	name := "windtunnel-test-pods"
	t.Cleanup(func() { command(t, kind, "delete", "cluster", "--name", name, "--kubeconfig", kubeconfig) })
	command(t, kind, "create", "cluster", "--name", name, "--image", nodeImage, "--config", filepath.Join("testdata", "kind.yaml"), "--kubeconfig", kubeconfig, "--wait", "90s")
	command(t, kind, "load", "image-archive", archive.Name(), "--name", name)
	return kubeconfig
}

func command(t testing.TB, argv ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	if out, err := exec.CommandContext(ctx, argv[0], argv[1:]...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(argv, " "), err, out)
	}
}
