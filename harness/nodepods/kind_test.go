package nodepods_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
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
	// kindEnv set to "required" makes it a failure that kind cannot be used; "later" leaves these tests to another time.
	kindEnv = "WINDTUNNEL_KIND"
	// reuseEnv names the kubeconfig of a kind cluster that has the image already, for those who test often.
	reuseEnv  = "WINDTUNNEL_KIND_KUBECONFIG"
	nodeImage = "windtunnel/node"
	testImage = "windtunnel/hollow-node:test"
)

// onKind gives a kind cluster with the image of hollow nodes, or skips the test, loudly.
func onKind(t testing.TB) (*rest.Config, kubernetes.Interface) {
	t.Helper()
	if os.Getenv(kindEnv) == "later" {
		t.Skip("left to make test-kind")
	}
	kubeconfig := os.Getenv(reuseEnv)
	if kubeconfig == "" {
		kubeconfig = shared.boot(t)
	}
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	config.WarningHandler, config.QPS = rest.NoWarnings{}, -1 // a list of everything is many requests
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

// shared is the kind cluster of the tests of this package, made when the first needs it.
var shared kindCluster

type kindCluster struct{ kind, dir, kubeconfig string }

// name is the cluster's.
func (k *kindCluster) name() string { return fmt.Sprint("windtunnel-test-pods-", os.Getpid()) }

// boot creates the cluster from the image that `make node-image` makes.
func (k *kindCluster) boot(t testing.TB) (kubeconfig string) {
	t.Helper()
	if k.kubeconfig != "" {
		return k.kubeconfig
	}
	kind, err := filepath.Abs(filepath.Join("..", "..", "bin", "node-image", "bin", "kind"))
	if err != nil {
		t.Fatal(err)
	}
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
	if k.dir, err = os.MkdirTemp("", "windtunnel-pods-*"); err != nil {
		t.Fatal(err)
	}
	archive, err := os.Create(filepath.Join(k.dir, "hollow-node.tar"))
	if err != nil {
		t.Fatal(err)
	}
	options := image.Options{Tag: testImage, Program: suite.Kube(t), Name: "windtunnel-kube", Architecture: runtime.GOARCH, User: "65532:65532"}
	if err := errors.Join(image.Write(archive, options), archive.Close()); err != nil {
		t.Fatal(err)
	}
	k.kind = kind
	kubeconfig = filepath.Join(k.dir, "kubeconfig")
	for _, argv := range [][]string{
		{"create", "cluster", "--name", k.name(), "--image", nodeImage, "--config", filepath.Join("testdata", "kind.yaml"), "--kubeconfig", kubeconfig, "--wait", "90s"},
		{"load", "image-archive", archive.Name(), "--name", k.name()},
	} {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
		defer cancel()
		if out, err := exec.CommandContext(ctx, kind, argv...).CombinedOutput(); err != nil {
			t.Fatalf("kind %s: %v\n%s", strings.Join(argv, " "), err, out)
		}
	}
	k.kubeconfig = kubeconfig
	return kubeconfig
}

// remove deletes the cluster, if there is one.
func (k *kindCluster) remove() error {
	if k.kind == "" {
		return nil
	}
	out, err := exec.Command(k.kind, "delete", "cluster", "--name", k.name(), "--kubeconfig", filepath.Join(k.dir, "kubeconfig")).CombinedOutput()
	if err != nil {
		return fmt.Errorf("delete the kind cluster: %w: %s", err, out)
	}
	return nil
}

// close removes the cluster and everything beside it.
func (k *kindCluster) close() error {
	if k.dir == "" {
		return nil
	}
	return errors.Join(k.remove(), os.RemoveAll(k.dir))
}
