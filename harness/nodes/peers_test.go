package nodes_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"windtunnel/harness/nodes"
	"windtunnel/hollow"
	"windtunnel/profiles"
	"windtunnel/results"
)

// The script of BenchmarkPeers: density's nodes and pods, at density's 20 pods a second.
const (
	peerNodes       = 100
	peerDeployments = 100
	podsEach        = 30
	deploymentEvery = 1500 * time.Millisecond
	peerNamespace   = "peers"
)

// kwokStages are what kwokctl gives a cluster where nothing else is asked for.
var kwokStages = []string{"node/fast/node-initialize.yaml", "node/heartbeat-with-lease/node-heartbeat-with-lease.yaml",
	"pod/fast/pod-ready.yaml", "pod/fast/pod-complete.yaml", "pod/fast/pod-delete.yaml"}

// peer is a process that pretends to be nodes.
type peer struct {
	name  string
	begin func(b *testing.B) (pid int, end func())
}

// BenchmarkPeers carries out one script with KWOK and with light nodes of both levels, one after another on one control plane, and
// reports what the process that pretends to be the nodes takes. WINDTUNNEL_KWOK names KWOK's program, WINDTUNNEL_KWOK_STAGES the directory
// of the stages in its source: `.ci/bench kwok` has both.
func BenchmarkPeers(b *testing.B) {
	kwok := os.Getenv("WINDTUNNEL_KWOK")
	if kwok == "" {
		b.Skip("WINDTUNNEL_KWOK does not name a program")
	}
	client := peersClient(b)
	if _, err := client.CoreV1().Namespaces().Create(b.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: peerNamespace}}, metav1.CreateOptions{}); err != nil {
		b.Fatal(err)
	}
	for _, p := range []peer{
		{"kwok", func(b *testing.B) (int, func()) { return startKWOK(b, kwok, client) }},
		{"kwok-tuned", func(b *testing.B) (int, func()) { return startKWOK(b, kwok, client, tuned()...) }},
		{"minimal", func(b *testing.B) (int, func()) { return startLight(b, profiles.FidelityMinimal, client) }},
		{"kubelet", func(b *testing.B) (int, func()) { return startLight(b, profiles.FidelityKubelet, client) }},
	} {
		b.Run(p.name, func(b *testing.B) {
			for range b.N {
				p.measure(b, client)
			}
		})
	}
}

// measure carries out the script once.
func (p peer) measure(b *testing.B, client kubernetes.Interface) {
	pid, end := p.begin(b)
	defer end()
	await(b, "all nodes are Ready", func() bool { return readyNodes(b, client) == peerNodes })
	b.ReportMetric(cpuOf(b, pid), "cpu-s/start")
	start, before := time.Now(), cpuOf(b, pid)
	for i := range peerDeployments {
		time.Sleep(time.Until(start.Add(time.Duration(i) * deploymentEvery)))
		if _, err := client.AppsV1().Deployments(peerNamespace).Create(b.Context(), peerDeployment(i), metav1.CreateOptions{}); err != nil {
			b.Fatal(err)
		}
	}
	await(b, "all pods run", func() bool { return availablePods(b, client, peerNamespace) == peerDeployments*podsEach })
	b.ReportMetric(time.Since(start).Seconds(), "s/pods")
	b.ReportMetric(cpuOf(b, pid)-before, "cpu-s/pods")
	b.ReportMetric(pssOf(b, pid)/1e6, "MB")

	rest, at := cpuOf(b, pid), time.Now()
	time.Sleep(30 * time.Second)
	b.ReportMetric(1000*(cpuOf(b, pid)-rest)/time.Since(at).Seconds(), "mcpu/held")

	before = cpuOf(b, pid)
	if err := client.AppsV1().Deployments(peerNamespace).DeleteCollection(b.Context(), metav1.DeleteOptions{}, metav1.ListOptions{}); err != nil {
		b.Fatal(err)
	}
	await(b, "all pods are gone", func() bool { return podsLeft(b, client, peerNamespace) == 0 })
	b.ReportMetric(cpuOf(b, pid)-before, "cpu-s/deleted")
	b.ReportMetric(cpuOf(b, pid), "cpu-s/all")
}

func peerDeployment(i int) *appsv1.Deployment {
	labels := map[string]string{"app": fmt.Sprintf("web-%d", i)}
	return &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: labels["app"]}, Spec: appsv1.DeploymentSpec{
		Replicas: new(int32(podsEach)), Selector: &metav1.LabelSelector{MatchLabels: labels},
		Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}, Spec: corev1.PodSpec{
			TerminationGracePeriodSeconds: new(int64(1)),
			Containers: []corev1.Container{{Name: "pause", Image: "registry.k8s.io/pause:3.10.1", Resources: corev1.ResourceRequirements{
				Requests: corev1.ResourceList{"cpu": resource.MustParse("10m"), "memory": resource.MustParse("10Mi")}}}},
		}},
	}}
}

// tuned is what light nodes do for their process, done for KWOK's: so much of the difference is due to these settings alone.
func tuned() []string {
	light := hollow.ShardConfig{Tier: profiles.TierLight}
	return append(light.Environment(), fmt.Sprintf("GOMAXPROCS=%d", light.Processors(runtime.NumCPU())))
}

// startKWOK makes the nodes, which KWOK does not, and starts it, with these variables besides our own.
func startKWOK(b *testing.B, program string, client kubernetes.Interface, env ...string) (pid int, end func()) {
	dir := b.TempDir()
	config, err := suite.Shared(b).RESTConfig("kwok", "system:masters")
	if err != nil {
		b.Fatal(err)
	}
	kubeconfig := clientcmdapi.Config{
		Clusters:  map[string]*clientcmdapi.Cluster{"c": {Server: config.Host, CertificateAuthorityData: config.CAData}},
		AuthInfos: map[string]*clientcmdapi.AuthInfo{"u": {ClientCertificateData: config.CertData, ClientKeyData: config.KeyData}},
		Contexts:  map[string]*clientcmdapi.Context{"x": {Cluster: "c", AuthInfo: "u"}}, CurrentContext: "x",
	}
	if err := clientcmd.WriteToFile(kubeconfig, filepath.Join(dir, "kubeconfig")); err != nil {
		b.Fatal(err)
	}
	log, err := os.Create(filepath.Join(dir, "kwok.log"))
	if err != nil {
		b.Fatal(err)
	}
	defer log.Close()
	args := []string{"--kubeconfig", filepath.Join(dir, "kubeconfig"), "--manage-all-nodes", "--node-lease-duration-seconds", "40"}
	for _, stage := range kwokStages {
		args = append(args, "--config", filepath.Join(os.Getenv("WINDTUNNEL_KWOK_STAGES"), stage))
	}
	cmd := exec.Command(program, args...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stdout, cmd.Stderr, cmd.SysProcAttr = log, log, &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	for i := range peerNodes {
		name := fmt.Sprintf("kwok-%d", i)
		node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"kubernetes.io/hostname": name, "kubernetes.io/os": "linux"}}}
		if _, err := client.CoreV1().Nodes().Create(b.Context(), node, metav1.CreateOptions{}); err != nil {
			b.Fatal(err)
		}
	}
	return cmd.Process.Pid, func() {
		cmd.Process.Kill()
		cmd.Wait()
		deleteNodes(b, client)
	}
}

func startLight(b *testing.B, fidelity string, client kubernetes.Interface) (pid int, end func()) {
	dir := b.TempDir()
	p, err := nodes.Start(b.Context(), suite.SharedSupervisor(b), suite.Shared(b), nodes.Options{
		Spec:         profiles.HollowNodes{Count: peerNodes, Tier: profiles.TierLight, Fidelity: fidelity, NamePrefix: fidelity + "-"},
		ExpectedPods: peerDeployments * podsEach, KubeBinary: suite.Kube(b), LogDir: dir, Clock: results.NewClock(),
	})
	if err != nil {
		b.Fatal(err)
	}
	if n := len(p.Components()); n != 1 {
		b.Fatalf("%d processes, not one", n)
	}
	return p.Components()[0].PID, func() {
		if err := p.Stop(context.Background()); err != nil {
			b.Error(err)
		}
		deleteNodes(b, client)
	}
}

func deleteNodes(b testing.TB, client kubernetes.Interface) {
	b.Helper()
	if err := client.CoreV1().Nodes().DeleteCollection(context.Background(), metav1.DeleteOptions{}, metav1.ListOptions{}); err != nil {
		b.Error(err)
	}
}

func readyNodes(b testing.TB, client kubernetes.Interface) (ready int) {
	b.Helper()
	list, err := client.CoreV1().Nodes().List(b.Context(), metav1.ListOptions{ResourceVersion: "0"})
	if err != nil {
		b.Fatal(err)
	}
	for _, n := range list.Items {
		for _, c := range n.Status.Conditions {
			if c.Type == corev1.NodeReady && c.Status == corev1.ConditionTrue {
				ready++
			}
		}
	}
	return ready
}

func availablePods(b testing.TB, client kubernetes.Interface, namespace string) (available int32) {
	b.Helper()
	list, err := client.AppsV1().Deployments(namespace).List(b.Context(), metav1.ListOptions{ResourceVersion: "0"})
	if err != nil {
		b.Fatal(err)
	}
	for _, d := range list.Items {
		available += d.Status.AvailableReplicas
	}
	return available
}

func podsLeft(b testing.TB, client kubernetes.Interface, namespace string) int {
	b.Helper()
	list, err := client.CoreV1().Pods(namespace).List(b.Context(), metav1.ListOptions{Limit: 1})
	if err != nil {
		b.Fatal(err)
	}
	return len(list.Items)
}

func await(b testing.TB, what string, holds func() bool) {
	b.Helper()
	for deadline := time.Now().Add(40 * time.Minute); !holds(); time.Sleep(500 * time.Millisecond) {
		if time.Now().After(deadline) {
			b.Fatalf("in vain: %s", what)
		}
	}
}

// cpuOf is the CPU time of a process, in seconds.
func cpuOf(b *testing.B, pid int) (sum float64) {
	b.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		b.Fatal(err)
	}
	fields := strings.Fields(string(text)[strings.LastIndex(string(text), ")")+1:])
	for _, f := range fields[11:13] { // utime and stime, in hundredths
		ticks, err := strconv.ParseFloat(f, 64)
		if err != nil {
			b.Fatal(err)
		}
		sum += ticks / 100
	}
	return sum
}

// pssOf is the proportional set size of a process, in bytes.
func pssOf(b testing.TB, pid int) float64 {
	b.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		b.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if fields := strings.Fields(line); fields[0] == "Pss:" {
			kb, err := strconv.ParseFloat(fields[1], 64)
			if err != nil {
				b.Fatal(err)
			}
			return kb * 1024
		}
	}
	b.Fatal("no PSS")
	return 0
}
