package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"

	"windtunnel/results"
)

// TestUnforeseenWorkload runs a workload that nothing in the harness knows of, written only as data: other kinds, other phases,
// nodes that go down and come back, a component that is killed and started again.
func TestUnforeseenWorkload(t *testing.T) {
	w := windtunnel(t, "run", "-f", filepath.Join(testdata(t), "unforeseen.yaml"), "-o", "json").run(0)
	var summary results.Summary
	if err := json.Unmarshal(w.stdout.Bytes(), &summary); err != nil {
		t.Fatal(err)
	}
	rows := map[string]results.RequestRow{}
	for _, r := range summary.Requests {
		rows[r.Verb+" "+r.Resource+" "+r.Variant] = r
	}
	for _, want := range []string{"POST cronjobs ", "PATCH cronjobs ", "PUT roles ", "GET roles rmw", "DELETE leases ", "GET leases ", "LIST storageclasses "} {
		if r := rows[want]; r.N == 0 || r.Errors > 0 {
			t.Errorf("%s: n %d, errors %v", want, r.N, r.ErrorsBy)
		}
	}
	run, _ := w.record()
	notes := strings.Join(run.Notes, "\n")
	for _, want := range []string{"2 nodes go down", "2 nodes come up", "kube-scheduler is killed", "kube-scheduler is started again"} {
		if !strings.Contains(notes, want) {
			t.Errorf("run.json does not note that %s:\n%s", want, notes)
		}
	}
	events := map[string]int{}
	for e, err := range results.Read[results.NodeEvent](filepath.Join(w.dir(), results.NodesFile)) {
		if err != nil {
			t.Fatal(err)
		}
		events[e.Event]++
	}
	if events["notready"] != 2 || events["ready"] != 4+2 {
		t.Errorf("node events %v: want 2 of 4 nodes to become NotReady and Ready again", events)
	}
}

// plain is a client that knows nothing of windtunnel but a kubeconfig.
type plain struct{ *kubernetes.Clientset }

func plainClient(t *testing.T, kubeconfig string) plain {
	t.Helper()
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	return plain{client}
}

// works lists the two hollow nodes, and makes and deletes a namespace.
func (c plain) works(t *testing.T) {
	t.Helper()
	nodes, err := c.CoreV1().Nodes().List(t.Context(), metav1.ListOptions{})
	if err != nil || len(nodes.Items) != 2 {
		t.Fatalf("nodes %v, %v; want 2", nodes, err)
	}
	// It has one name in both control planes: they share nothing.
	mine := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "mine"}}
	if _, err := c.CoreV1().Namespaces().Create(t.Context(), mine, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := c.CoreV1().Namespaces().Delete(t.Context(), mine.Name, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
}

// deleted waits until the controller manager has done its part of the deletion.
func (c plain) deleted(t *testing.T) {
	t.Helper()
	var err error
	eventually(t, time.Minute, "the namespace is deleted", func() bool {
		_, err = c.CoreV1().Namespaces().Get(t.Context(), "mine", metav1.GetOptions{})
		return apierrors.IsNotFound(err)
	}, func() string { return fmt.Sprint(err) })
}

// TestUpDown: two control planes side by side, each with its kubeconfig that serves any client, and not a trace after down.
func TestUpDown(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var ups []*invocation
	var clients []plain
	for _, name := range []string{"a", "b"} {
		config := filepath.Join(dir, name+".kubeconfig")
		up := windtunnel(t, "up", "--kubeconfig", config, "--set", "hollowNodes.count=2")
		up.start()
		if err := <-up.done; err != nil {
			t.Fatalf("%v\n%s", err, &up.stderr)
		}
		ups = append(ups, up)
		up.says("2 hollow nodes", config)
		if info, err := os.Stat(config); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("kubeconfig: %v, %v", info, err)
		}
		if len(up.processes()) == 0 {
			t.Error("nothing is left running")
		}
		client := plainClient(t, config)
		client.works(t)
		clients = append(clients, client)
		again := windtunnel(t, "up", "--kubeconfig", config).run(2)
		again.says("down")
	}
	for i, name := range []string{"a", "b"} {
		config := filepath.Join(dir, name+".kubeconfig")
		clients[i].deleted(t)
		down := windtunnel(t, "down", "--kubeconfig", config)
		down.shm = ups[0].shm // the other one may still be there
		down.start()
		if err := <-down.done; err != nil {
			t.Fatalf("%v\n%s", err, &down.stderr)
		}
		if left := ups[i].processes(); len(left) > 0 {
			t.Errorf("down left processes %v", left)
		}
		if _, err := clients[i].CoreV1().Nodes().List(t.Context(), metav1.ListOptions{}); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("after down, a client that has the kubeconfig gets %v", err)
		}
	}
	for _, up := range ups {
		up.shm = ups[0].shm
		up.nothingLeft()
	}
	if entries, _ := os.ReadDir(dir); len(entries) > 0 {
		t.Errorf("down left %v", entries)
	}
}

// TestUpWithoutNodes: the profile that up has when none is named needs no nodes.
func TestUpWithoutNodes(t *testing.T) {
	t.Parallel()
	config := filepath.Join(t.TempDir(), "bare.kubeconfig")
	up := windtunnel(t, "up", "--kubeconfig", config, "--set", "hollowNodes.count=0")
	up.start()
	if err := <-up.done; err != nil {
		t.Fatalf("%v\n%s", err, &up.stderr)
	}
	up.says("with 0 hollow nodes")
	if nodes, err := plainClient(t, config).CoreV1().Nodes().List(t.Context(), metav1.ListOptions{}); err != nil || len(nodes.Items) > 0 {
		t.Errorf("nodes %v, %v; want none", nodes, err)
	}
	windtunnel(t, "down", "--kubeconfig", config).run(0)
	up.nothingLeft()
}
