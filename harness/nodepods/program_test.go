package nodepods_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	authentication "k8s.io/api/authentication/v1"
	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientapi "k8s.io/client-go/tools/clientcmd/api"

	"windtunnel/harness/internal/live"
	"windtunnel/harness/nodepods"
	"windtunnel/hollow"
	"windtunnel/hollow/pod"
	manifests "windtunnel/manifests/hollow"
	"windtunnel/results"
)

// program is `windtunnel-kube hollow-pod` as a process of this machine, with the account of the manifests and no more.
type program struct {
	t       *testing.T
	admin   kubernetes.Interface
	account *rest.Config // the pod's own
	url     string
	cmd     *exec.Cmd
	log     *bytes.Buffer
}

// startProgram applies the manifests, but for the StatefulSet, with a description of the nodes, and starts a pod's program.
func startProgram(t *testing.T, name string, described map[string]any) *program {
	t.Helper()
	c := live.Use(t, suite.Shared(t))
	admin, err := kubernetes.NewForConfig(c.Observer())
	if err != nil {
		t.Fatal(err)
	}
	if err := nodepods.ApplyForTest(t.Context(), c.Observer(), jsonOf(t, described)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := nodepods.Remove(context.Background(), c.Observer(), ""); err != nil {
			t.Error(err)
		}
		if err := admin.CoreV1().Namespaces().Delete(context.Background(), manifests.Namespace, metav1.DeleteOptions{}); err != nil {
			t.Error(err)
		}
		eventually(t, "the namespace has gone", func() bool {
			_, err := admin.CoreV1().Namespaces().Get(context.Background(), manifests.Namespace, metav1.GetOptions{})
			return err != nil
		})
	})
	token, err := admin.CoreV1().ServiceAccounts(manifests.Namespace).CreateToken(t.Context(), manifests.Account, &authentication.TokenRequest{}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	tokenFile, kubeconfig := filepath.Join(dir, "token"), filepath.Join(dir, "kubeconfig")
	if err := os.WriteFile(tokenFile, []byte(token.Status.Token), 0o600); err != nil {
		t.Fatal(err)
	}
	file := clientapi.NewConfig()
	file.Clusters["c"] = &clientapi.Cluster{Server: c.Server(), CertificateAuthorityData: c.CA()}
	file.AuthInfos["u"] = &clientapi.AuthInfo{TokenFile: tokenFile}
	file.Contexts["x"] = &clientapi.Context{Cluster: "c", AuthInfo: "u"}
	file.CurrentContext = "x"
	if err := clientcmd.WriteToFile(*file, kubeconfig); err != nil {
		t.Fatal(err)
	}
	account, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	p := &program{t: t, admin: admin, account: account, url: "http://" + freeAddress(t), log: &bytes.Buffer{}}
	p.cmd = exec.Command(suite.Kube(t), "hollow-pod", "--kubeconfig", kubeconfig, "--dir", dir, "--serve", strings.TrimPrefix(p.url, "http://"))
	p.cmd.Env = append(os.Environ(), "POD_NAME="+name, "POD_NAMESPACE="+manifests.Namespace)
	p.cmd.Stderr = p.log
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.stop)
	return p
}

// stop ends the program as a kubelet does.
func (p *program) stop() {
	if p.cmd.ProcessState != nil {
		return
	}
	p.cmd.Process.Signal(syscall.SIGTERM)
	if err := p.cmd.Wait(); err != nil {
		p.t.Errorf("the program ended with %v:\n%s", err, p.log)
	}
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func jsonOf(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// get asks the program.
func (p *program) get(path string) (int, string) {
	p.t.Helper()
	answer, err := http.Get(p.url + path)
	if err != nil {
		return 0, err.Error()
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return answer.StatusCode, string(text)
}

func (p *program) status() (s pod.Status) {
	if _, text := p.get(pod.PathStatus); json.Unmarshal([]byte(text), &s) != nil {
		return pod.Status{}
	}
	return s
}

// change changes the description, and gives how long it took until the program acts on it.
func (p *program) change(key, text string) time.Duration {
	p.t.Helper()
	begin := time.Now()
	patch := jsonOf(p.t, map[string]any{"data": map[string]string{key: text}})
	changed, err := p.admin.CoreV1().ConfigMaps(manifests.Namespace).Patch(p.t.Context(), manifests.Name, types.MergePatchType, []byte(patch), metav1.PatchOptions{})
	if err != nil {
		p.t.Fatal(err)
	}
	eventually(p.t, "the program follows the description", func() bool {
		s := p.status()
		return s.Version == changed.ResourceVersion || s.Problem != ""
	})
	return time.Since(begin)
}

// nodes are the nodes of a prefix that are Ready.
func (p *program) nodes(prefix string) (ready []string) {
	p.t.Helper()
	list, err := p.admin.CoreV1().Nodes().List(p.t.Context(), metav1.ListOptions{})
	if err != nil {
		p.t.Fatal(err)
	}
	for _, n := range list.Items {
		for _, c := range n.Status.Conditions {
			if strings.HasPrefix(n.Name, prefix) && c.Type == v1.NodeReady && c.Status == v1.ConditionTrue {
				ready = append(ready, n.Name)
			}
		}
	}
	return ready
}

func description(count int) map[string]any {
	return map[string]any{"namePrefix": "signed-", "count": count, "perPod": 3, "zones": 2, "shard": map[string]any{
		"maxPods": 10, "capacity": map[string]string{"cpu": "1", "memory": "1Gi"}, "proxy": true,
		"labels": map[string]string{manifests.LabelHollow: "true"}, "taints": []map[string]string{{"key": manifests.TaintHollow, "effect": "NoSchedule"}},
	}}
}

// TestProgram: a pod's program with no more than the account of the manifests gets its nodes' certificates, and follows its description.
func TestProgram(t *testing.T) {
	p := startProgram(t, "hollow-nodes-1", description(5))
	is := func(want ...string) func() bool {
		return func() bool { return fmt.Sprint(p.nodes("signed-")) == fmt.Sprint(want) && p.status().Settled() }
	}
	eventually(t, "its nodes are Ready", is("signed-3", "signed-4"))
	if code, text := p.get(pod.PathReady); code != http.StatusOK || text != "2 nodes\n" {
		t.Errorf("readiness %d %q", code, text)
	}

	// Down and up.
	took := p.change(pod.KeyDown, `["signed-4", "signed-1"]`)
	t.Logf("a node is cut off %v after the request", took)
	if s := p.status(); s.Down != 1 || s.Nodes != 2 {
		t.Errorf("status %+v", s)
	}
	p.change(pod.KeyDown, `[]`)
	if s := p.status(); s.Down != 0 {
		t.Errorf("status %+v", s)
	}

	// More, fewer, and some of those again: they join anew, as their objects have been deleted.
	p.change(pod.KeyNodes, jsonOf(t, description(6)))
	eventually(t, "one more is Ready", is("signed-3", "signed-4", "signed-5"))
	p.change(pod.KeyNodes, jsonOf(t, description(4)))
	if s := p.status(); s.Nodes != 1 || s.Wanted != 1 {
		t.Errorf("status %+v", s)
	}
	for _, name := range []string{"signed-4", "signed-5"} {
		if err := p.admin.CoreV1().Nodes().Delete(t.Context(), name, metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "two have left", is("signed-3"))
	p.change(pod.KeyNodes, jsonOf(t, description(6)))
	eventually(t, "they are back", is("signed-3", "signed-4", "signed-5"))

	// Nonsense changes nothing and is told of.
	p.change(pod.KeyNodes, `{"count": -1}`)
	if code, text := p.get(pod.PathReady); code != http.StatusServiceUnavailable || !strings.Contains(text, "count is -1") {
		t.Errorf("readiness %d %q", code, text)
	}
	if s := p.status(); s.Nodes != 3 || s.Ready != 3 {
		t.Errorf("status %+v", s)
	}
	if got := p.nodes("signed-"); len(got) != 3 {
		t.Errorf("nodes %v", got)
	}
}

// TestProgramServesNoMoreThanItSays: nothing of it changes anything, and its account may do nothing of what a node or an administrator may.
func TestProgramServesNoMoreThanItSays(t *testing.T) {
	p := startProgram(t, "hollow-nodes-0", description(1))
	eventually(t, "its node is Ready", func() bool { return p.status().Settled() })
	if code, text := p.get(pod.PathMetrics); code != http.StatusOK || !strings.Contains(text, "process_cpu_seconds_total") ||
		!strings.Contains(text, `windtunnel_hollow_nodes{state="ready"} 1`) {
		t.Errorf("metrics %d\n%s", code, text)
	}
	for path, want := range map[string]int{
		hollow.PathDown: 404, hollow.PathNodes: 404, hollow.PathRemove: 404, hollow.PathProfiles: 404, "/": 404,
		hollow.PathSamples:             400,
		hollow.PathSamples + "?base=0": 412,
		hollow.PathSamples + "?base=0&boot=00000000-0000-0000-0000-000000": 412,
	} {
		if code, text := p.get(path); code != want {
			t.Errorf("GET %s: %d %s", path, code, text)
		}
	}
	for _, path := range []string{hollow.PathDown, hollow.PathNodes, hollow.PathSamples, pod.PathStatus, pod.PathReady, pod.PathMetrics} {
		answer, err := http.Post(p.url+path, "application/json", strings.NewReader(`{"nodes": ["signed-0"]}`))
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode < 400 {
			t.Errorf("POST %s: %s", path, answer.Status)
		}
	}
	if s := p.status(); s.Down != 0 || s.Nodes != 1 {
		t.Errorf("status %+v", s)
	}
	client, err := rest.HTTPClientFor(p.account)
	if err != nil {
		t.Fatal(err)
	}
	defer client.CloseIdleConnections()
	for path, want := range map[string]int{
		"/api/v1/namespaces/windtunnel/configmaps/hollow-nodes":     200,
		"/api/v1/namespaces/windtunnel/configmaps/kube-root-ca.crt": 403,
		"/api/v1/namespaces/windtunnel/configmaps":                  403,
		"/api/v1/namespaces/windtunnel/secrets":                     403,
		"/api/v1/pods":                                              403,
		"/apis/apps/v1/namespaces/windtunnel/statefulsets":          403,
	} {
		answer, err := client.Get(p.account.Host + path)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode != want {
			t.Errorf("the account asks for %s: %s", path, answer.Status)
		}
	}
}

// TestProgramStreamsSamples: who listens gets every start of a container as it happens, on its own clock, and the mark at the end.
func TestProgramStreamsSamples(t *testing.T) {
	p := startProgram(t, "hollow-nodes-0", description(2))
	eventually(t, "its nodes are Ready", func() bool { return p.status().Settled() })
	clock := results.NewClock()
	answer, err := http.Get(p.url + hollow.PathSamples + "?base=" + strconv.FormatInt(clock.Base(), 10) + "&boot=" + hollow.BootID())
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("%v %v", answer, err)
	}
	defer answer.Body.Close()
	if at, err := strconv.ParseInt(answer.Header.Get(hollow.HeaderInstant), 10, 64); err != nil || at < 0 || at > clock.Now() {
		t.Errorf("instant %d, %v", at, err)
	}
	file := filepath.Join(t.TempDir(), "hollow-0.arrows")
	out, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	copied := make(chan error, 1)
	go func() { copied <- results.CopyStream(out, answer.Body) }()

	before := clock.Now()
	for i := range 4 {
		_, err := p.admin.CoreV1().Pods("default").Create(t.Context(), &v1.Pod{
			ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprint("p", i), Labels: map[string]string{"windtunnel/object": "try"}},
			Spec:       v1.PodSpec{NodeName: fmt.Sprint("signed-", i%2), Containers: []v1.Container{{Name: "c", Image: "none"}}, Tolerations: []v1.Toleration{{Operator: v1.TolerationOpExists}}},
		}, metav1.CreateOptions{})
		if err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		none := int64(0)
		if err := p.admin.CoreV1().Pods("default").DeleteCollection(context.Background(), metav1.DeleteOptions{GracePeriodSeconds: &none}, metav1.ListOptions{}); err != nil {
			t.Error(err)
		}
	})
	eventually(t, "they run", func() bool {
		list, err := p.admin.CoreV1().Pods("default").List(t.Context(), metav1.ListOptions{FieldSelector: "status.phase=Running"})
		return err == nil && len(list.Items) == 4
	})
	// What a run that is killed now has of it, a second later.
	eventually(t, "the records are in the file while it is being written", func() bool { return starts(t, file, before, clock.Now(), false) == 4 })
	p.stop()
	if err := <-copied; err != nil {
		t.Errorf("the stream ended with %v", err)
	}
	if n := starts(t, file, before, clock.Now(), true); n != 4 {
		t.Errorf("%d starts are recorded", n)
	}
}

// starts counts the starts in a file of samples.
func starts(t *testing.T, file string, from, to results.Instant, whole bool) (n int) {
	t.Helper()
	for e, err := range results.Read[results.PodEvent](file) {
		if err != nil {
			if whole {
				t.Error(err)
			}
			continue
		}
		if e.Event != "started" {
			continue
		}
		n++
		if e.At < from || e.At > to || e.Source != "runtime" || e.Object != "try" || !strings.HasPrefix(e.Node, "signed-") {
			t.Errorf("event %+v, not between %d and %d", e, from, to)
		}
	}
	return n
}
