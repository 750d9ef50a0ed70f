package nodepods_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
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

// startProgram applies the manifests and extras, but for the StatefulSet, with a description of the nodes, and starts a pod's program.
func startProgram(t *testing.T, name string, described map[string]any, extras ...manifests.Extra) *program {
	t.Helper()
	c := live.Use(t, suite.Shared(t))
	admin, err := kubernetes.NewForConfig(c.Observer())
	if err != nil {
		t.Fatal(err)
	}
	if err := nodepods.ApplyForTest(t.Context(), c.Observer(), jsonOf(t, described), extras...); err != nil {
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

// light changes a description of nodes to tier light.
func light(fidelity string) func(map[string]any) {
	return func(described map[string]any) {
		shard := described["shard"].(map[string]any)
		shard["tier"], shard["fidelity"] = "light", fidelity
	}
}

// tiers are all that nodes can be made of, by how a description comes to say so.
var tiers = []struct {
	name   string
	change func(map[string]any)
	extras []manifests.Extra
}{
	{"kubelet", func(map[string]any) {}, nil},
	{"light", light("kubelet"), nil},
	{"minimal", light("minimal"), []manifests.Extra{manifests.Minimal}},
}

func description(count int) map[string]any {
	return map[string]any{"namePrefix": "signed-", "count": count, "perPod": 3, "zones": 2, "shard": map[string]any{
		"maxPods": 10, "capacity": map[string]string{"cpu": "1", "memory": "1Gi"}, "proxy": true,
		"labels": map[string]string{manifests.LabelHollow: "true"}, "taints": []map[string]string{{"key": manifests.TaintHollow, "effect": "NoSchedule"}},
	}}
}

// place makes a pod on a node.
func (p *program) place(name, node string) {
	p.t.Helper()
	_, err := p.admin.CoreV1().Pods("default").Create(p.t.Context(), &v1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"windtunnel/object": "try"}},
		Spec:       v1.PodSpec{NodeName: node, Containers: []v1.Container{{Name: "c", Image: "none"}}, Tolerations: []v1.Toleration{{Operator: v1.TolerationOpExists}}},
	}, metav1.CreateOptions{})
	if err != nil {
		p.t.Fatal(err)
	}
}

// clear deletes all pods at once.
func (p *program) clear() {
	none := int64(0)
	if err := p.admin.CoreV1().Pods("default").DeleteCollection(context.Background(), metav1.DeleteOptions{GracePeriodSeconds: &none}, metav1.ListOptions{}); err != nil {
		p.t.Error(err)
	}
}

// running are the pods that run, by name.
func (p *program) running() map[string]v1.Pod {
	p.t.Helper()
	list, err := p.admin.CoreV1().Pods("default").List(p.t.Context(), metav1.ListOptions{FieldSelector: "status.phase=Running"})
	if err != nil {
		p.t.Fatal(err)
	}
	all := map[string]v1.Pod{}
	for _, one := range list.Items {
		all[one.Name] = one
	}
	return all
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
