package e2e

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"windtunnel/results"
)

// lab is a cluster that windtunnel reaches by a kubeconfig alone, as if it were somebody else's.
type lab struct {
	t          *testing.T
	kubeconfig string
	audit      string // the API server's log of all requests
	client     *kubernetes.Clientset
	metadata   metadata.Interface
}

func newLab(t *testing.T) *lab {
	t.Helper()
	own := filepath.Join(t.TempDir(), "own.kubeconfig")
	up := windtunnel(t, "up", "-f", filepath.Join(testdata(t), "guest.yaml"), "--kubeconfig", own, "--set", "controlPlane.apiServer.audit=metadata")
	up.start()
	if err := <-up.done; err != nil {
		t.Fatalf("%v\n%s", err, &up.stderr)
	}
	t.Cleanup(func() {
		down := windtunnel(t, "down", "--kubeconfig", own)
		down.start()
		if err := <-down.done; err != nil {
			t.Errorf("%v\n%s", err, &down.stderr)
		}
	})
	data, err := os.ReadFile(own)
	if err != nil {
		t.Fatal(err)
	}
	l := &lab{t: t, kubeconfig: filepath.Join(t.TempDir(), "lab.kubeconfig")}
	if err := os.WriteFile(l.kubeconfig, data, 0o600); err != nil {
		t.Fatal(err)
	}
	l.audit = filepath.Join(logsOf(t, up), "audit.log")
	config, err := clientcmd.RESTConfigFromKubeConfig(data)
	if err != nil {
		t.Fatal(err)
	}
	config.QPS, config.WarningHandler = -1, rest.NoWarnings{}
	if l.client, err = kubernetes.NewForConfig(config); err != nil {
		t.Fatal(err)
	}
	if l.metadata, err = metadata.NewForConfig(config); err != nil {
		t.Fatal(err)
	}
	// The controller manager puts one into each namespace, soon after the boot; what comes by itself is no trace of a guest.
	eventually(t, time.Minute, "every namespace has its root certificate", func() bool {
		namespaces, err := l.client.CoreV1().Namespaces().List(t.Context(), metav1.ListOptions{})
		if err != nil {
			t.Fatal(err)
		}
		all := l.inventory()
		for _, n := range namespaces.Items {
			if !all["configmaps "+n.Name+"/kube-root-ca.crt"] {
				return false
			}
		}
		return true
	}, func() string { return "" })
	return l
}

// logsOf is where up says that the logs are.
func logsOf(t *testing.T, up *invocation) string {
	t.Helper()
	logs := regexp.MustCompile(`(?m)^logs: (.*)$`).FindStringSubmatch(up.stdout.String())
	if logs == nil {
		t.Fatalf("up does not say where the logs are:\n%s", &up.stdout)
	}
	return logs[1]
}

// of is the lab of a subtest.
func (l *lab) of(t *testing.T) *lab {
	own := *l
	own.t = t
	return &own
}

// inventory is everything on the cluster, but for events, which come and go by themselves.
func (l *lab) inventory() map[string]bool {
	l.t.Helper()
	lists, err := discovery.ServerPreferredResources(l.client.Discovery())
	if err != nil {
		l.t.Fatal(err)
	}
	all := map[string]bool{}
	for _, list := range lists {
		group, err := schema.ParseGroupVersion(list.GroupVersion)
		if err != nil {
			l.t.Fatal(err)
		}
		for _, r := range list.APIResources {
			if strings.Contains(r.Name, "/") || r.Name == "events" || !slices.Contains(r.Verbs, "list") {
				continue
			}
			found, err := l.metadata.Resource(group.WithResource(r.Name)).List(l.t.Context(), metav1.ListOptions{})
			if err != nil {
				l.t.Fatalf("list %s: %v", r.Name, err)
			}
			for _, o := range found.Items {
				all[fmt.Sprintf("%s %s/%s", group.WithResource(r.Name).GroupResource(), o.Namespace, o.Name)] = true
			}
		}
	}
	return all
}

// unchanged checks that the cluster is as it was.
func (l *lab) unchanged(before map[string]bool) {
	l.t.Helper()
	now := l.inventory()
	for name := range now {
		if !before[name] {
			l.t.Errorf("left on the cluster: %s", name)
		}
	}
	for name := range before {
		if !now[name] {
			l.t.Errorf("taken from the cluster: %s", name)
		}
	}
}

// guest prepares a run on the cluster.
func (l *lab) guest(t *testing.T, sets ...string) *invocation {
	args := []string{"run", "-f", filepath.Join(testdata(t), "guest.yaml"), "--provider", "existing", "--set", "controlPlane.existing.kubeconfig=" + l.kubeconfig}
	for _, set := range sets {
		args = append(args, "--set", set)
	}
	return windtunnel(t, args...)
}

func (l *lab) consent(t *testing.T, args ...string) {
	windtunnel(t, append([]string{"consent", "--kubeconfig", l.kubeconfig}, args...)...).run(0)
}

// TestExisting is the life of a guest on a cluster of somebody else's.
func TestExisting(t *testing.T) {
	l := newLab(t)
	t.Run("refused", l.refused)
	t.Run("whole", l.whole)
	t.Run("script", l.script)
	t.Run("switched off", func(t *testing.T) {
		l.switched(t, func() error { return l.setConsent(map[string]string{"load": "off"}) })
	})
	t.Run("deleted", func(t *testing.T) {
		l.switched(t, func() error {
			return l.client.CoreV1().ConfigMaps("windtunnel").Delete(t.Context(), "windtunnel-consent", metav1.DeleteOptions{})
		})
	})
	t.Run("namespace deleted", func(t *testing.T) {
		l.switched(t, func() error {
			return l.client.CoreV1().Namespaces().Delete(t.Context(), "windtunnel", metav1.DeleteOptions{})
		})
	})
	eventually(t, time.Minute, "the namespace is gone", func() bool { return !l.inventory()["namespaces /windtunnel"] }, func() string { return "" })
	t.Run("killed", l.killed)
}

// refused: no load and not a trace without the owner's consent, or beyond it.
func (l *lab) refused(t *testing.T) {
	l = l.of(t)
	before := l.inventory()
	w := l.guest(t).run(2)
	w.says("windtunnel consent on")
	if runs, _ := os.ReadDir(w.root); len(runs) > 0 {
		t.Errorf("a refused run left %v", runs)
	}
	l.unchanged(before)
	l.consent(t, "on", "--max-requests-per-second", "100")
	before = l.inventory()
	l.guest(t).run(2).says("allows 100 (maxRequestsPerSecond)")
	l.consent(t, "off")
	l.guest(t).run(2).says("consent is off")
	for _, wrong := range []map[string]string{{"load": "yes"}, {"load": "on", "until": "2001-01-01T00:00:00Z"}, {"load": "on", "maxNode": "5"}} {
		if err := l.setConsent(wrong); err != nil {
			t.Fatal(err)
		}
		l.guest(t).run(2).says("consent")
	}
	l.unchanged(before)
	windtunnel(t, "run", "smoke", "--provider", "existing", "--set", "controlPlane.existing.kubeconfig=/nowhere", "--set", "controlPlane.existing.image=x").run(2).says("/nowhere")
}

func (l *lab) setConsent(data map[string]string) error {
	maps := l.client.CoreV1().ConfigMaps("windtunnel")
	m, err := maps.Get(l.t.Context(), "windtunnel-consent", metav1.GetOptions{})
	if err != nil {
		return err
	}
	m.Data = data
	_, err = maps.Update(l.t.Context(), m, metav1.UpdateOptions{})
	return err
}

// whole: a run from its begin to its end, as whom it was, by which way, and what is left of it.
func (l *lab) whole(t *testing.T) {
	l = l.of(t)
	l.consent(t, "on", "--for", "1h", "--max-nodes", "5")
	before := l.inventory()
	w := l.guest(t, "controlPlane.controllerManager.qps=100").run(0)
	l.unchanged(before)
	run, _ := w.record()
	if run.Provider != "existing" || run.Shared == nil || run.Shared.Level != "windtunnel" {
		t.Errorf("run.json says provider %q, shared %+v", run.Provider, run.Shared)
	}
	w.says("controlPlane.controllerManager.qps is not applied", "cannot be looked at")
	levels, users := map[string]int{}, map[string]int{}
	for _, r := range w.requests("workload", "users") {
		levels[r.PriorityLevel]++
		users[r.Identity]++
		if r.Error != "" && r.Error != "conflict" { // of a PUT that another user's write overtook
			t.Errorf("%s %s: %s", r.Verb, r.Object, r.Error)
		}
	}
	if len(levels) != 1 || levels[""] != 0 || len(users) != 3 || users["system:serviceaccount:windtunnel:user-2"] == 0 {
		t.Errorf("requests by priority level %v, by user %v", levels, users)
	}
	others := 0
	for r, err := range results.Read[results.Request](filepath.Join(w.dir(), results.BystanderFile)) {
		if err != nil {
			t.Fatal(err)
		}
		if others++; r.Error != "" || levels[r.PriorityLevel] > 0 || r.PriorityLevel == "" {
			t.Errorf("the bystander: %+v", r)
		}
	}
	if others < 20 {
		t.Errorf("the bystander asked %d times in a baseline of 10 s and a load of 15 s", others)
	}
	l.noToken(w.dir())
	for _, e := range l.audited(time.Time{}) {
		if strings.HasPrefix(e.User.Username, "system:serviceaccount:windtunnel:user-") && !strings.HasPrefix(e.UserAgent, "windtunnel/guest-") && !strings.HasPrefix(e.RequestURI, "/apis/authentication.k8s.io/") {
			t.Fatalf("a request of the load has the user agent %q: %+v", e.UserAgent, e)
		}
	}
}

// script: a config of ClusterLoader2's does its work there as the load's users and a provisioner of volumes, within the owner's limits, says what it
// can neither do nor see, and leaves the cluster as it was.
func (l *lab) script(t *testing.T) {
	l = l.of(t)
	prepare := func() *invocation {
		return windtunnel(t, "run", "-f", filepath.Join(testdata(t), "script", "guest.yaml"), "--provider", "existing", "--set", "controlPlane.existing.kubeconfig="+l.kubeconfig,
			"--set", "hollowNodes.count=0", "--set", patient, "-o", "json")
	}
	l.consent(t, "on", "--max-requests-per-second", "39")
	prepare().run(2).says("the script plans 40 requests in a second", "allows 39 (maxRequestsPerSecond)")
	l.consent(t, "on")
	before := l.inventory()
	w := prepare().run(0)
	l.unchanged(before)
	levels := map[string]int{}
	for _, track := range []string{"step-2.1", "step-2.2", "step-2.3", "step-5", "step-8"} {
		for _, r := range w.requests("workload", track) {
			levels[r.PriorityLevel+" "+r.Identity]++
			if r.Error != "" {
				t.Errorf("%s %s: %s", r.Verb, r.Object, r.Error)
			}
		}
	}
	if len(levels) != 1 || slices.Collect(maps.Values(levels))[0] != 2+20+2+40+4 {
		t.Errorf("requests by priority level and user: %v", levels)
	}
	skipped := map[string]string{}
	for _, m := range w.summary().ClusterLoader.Measurements {
		skipped[m.Method] += m.Skip
	}
	if !strings.Contains(skipped["RestartApiserver"], "belongs to somebody else") || !strings.Contains(skipped["EtcdMetrics"], "lets nobody read the metrics of etcd") {
		t.Errorf("skipped: %v", skipped)
	}
	provided := 0
	for _, e := range l.audited(time.Time{}) {
		if e.User.Username == "system:serviceaccount:windtunnel:volumes" && strings.HasPrefix(e.RequestURI, "/api/v1/persistentvolumes?") {
			provided++
		}
	}
	if provided == 0 {
		t.Error("nobody has provided volumes")
	}
	l.noToken(w.dir())
}

// noToken checks that nothing that looks like a service account's token is in a file.
func (l *lab) noToken(dir string) {
	l.t.Helper()
	filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil || bytes.Contains(data, []byte("eyJhbGciOi")) {
			l.t.Errorf("%s: a token in it, or %v", path, err)
		}
		return nil
	})
}

// audited is a line of the audit log.
type audited struct {
	User                     struct{ Username string }
	UserAgent, RequestURI    string
	RequestReceivedTimestamp time.Time
}

// audited are the requests since a time that the API server says it got.
func (l *lab) audited(since time.Time) []audited {
	l.t.Helper()
	return auditedIn(l.t, l.audit, since)
}

func auditedIn(t *testing.T, log string, since time.Time) (all []audited) {
	t.Helper()
	f, err := os.Open(log)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var e audited
		if json.Unmarshal(lines.Bytes(), &e) == nil && e.RequestReceivedTimestamp.After(since) { // the last line may be under way
			all = append(all, e)
		}
	}
	return all
}

// switched: all load stops within a second of the owner's wish, by our records and by the API server's, and the run ends in order.
func (l *lab) switched(t *testing.T, off func() error) {
	l = l.of(t)
	l.consent(t, "on")
	before := l.inventory()
	w := l.guest(t)
	w.start()
	run := w.untilPhase("workload")
	time.Sleep(3 * time.Second) // load flows
	at, wall := results.ClockAt(run.ClockBase).Now(), time.Now()
	if err := off(); err != nil {
		t.Fatal(err)
	}
	w.wait(130)
	w.says("all load has stopped", "consent")
	var sent []results.Instant
	for r, err := range results.Read[results.Request](filepath.Join(w.dir(), results.RequestsFile)) {
		if err != nil {
			t.Fatal(err)
		}
		sent = append(sent, r.Sent)
	}
	last := slices.Max(sent)
	flowing := 0
	for _, s := range sent {
		if s > at-1e9 && s <= at {
			flowing++
		}
	}
	t.Logf("%d requests in the second before the switch; the last was sent %.3f s after it", flowing, float64(last-at)/1e9)
	if flowing < 100 || last > at+1e9 {
		t.Errorf("%d requests in the second before the switch, the last %.3f s after it", flowing, float64(last-at)/1e9)
	}
	for _, e := range l.audited(wall.Add(time.Second)) {
		if strings.HasPrefix(e.User.Username, "system:serviceaccount:windtunnel:user-") {
			t.Errorf("the API server got a request of the load %v after the switch: %s", e.RequestReceivedTimestamp.Sub(wall), e.RequestURI)
		}
	}
	if run, _ := w.record(); run.Outcome != "interrupted" || len(run.Events) == 0 {
		t.Errorf("run.json: outcome %q, events %v", run.Outcome, run.Events)
	}
	if v := w.summary().Verdict; v != results.Invalid {
		t.Errorf("verdict %q: an interrupted run is invalid", v)
	}
	now := l.inventory()
	for name := range now {
		if !before[name] {
			t.Errorf("left on the cluster: %s", name)
		}
	}
	for name := range before {
		if !now[name] && !strings.Contains(name, "windtunnel") { // which the owner took away
			t.Errorf("taken from the cluster: %s", name)
		}
	}
}

// killed: after kill -9 in the middle of a run, one down makes the cluster what it was.
func (l *lab) killed(t *testing.T) {
	l = l.of(t)
	l.consent(t, "on")
	eventually(t, time.Minute, "the namespace is whole", func() bool {
		return l.inventory()["configmaps windtunnel/kube-root-ca.crt"] && l.inventory()["serviceaccounts windtunnel/default"]
	},
		func() string { return strings.Join(slices.Sorted(maps.Keys(l.inventory())), "\n") })
	// A namespace of the owner's that merely looks like one of the run's.
	if _, err := l.client.CoreV1().Namespaces().Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "team-9"}}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, time.Minute, "team-9 is whole", func() bool {
		return l.inventory()["configmaps team-9/kube-root-ca.crt"] && l.inventory()["serviceaccounts team-9/default"]
	}, func() string { return "" })
	before := l.inventory()
	w := l.guest(t)
	w.start()
	w.untilPhase("workload")
	windtunnel(t, "down", "--kubeconfig", l.kubeconfig).run(2).says("is under way")
	if err := w.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-w.done
	w.nothingLeft()
	left := len(l.inventory()) - len(before)
	if left < 40 {
		t.Fatalf("the killed run left %d things", left)
	}
	l.guest(t).run(2).says("windtunnel down")
	dry := windtunnel(t, "down", "--kubeconfig", l.kubeconfig, "--dry-run").run(0)
	dry.says("would remove namespaces team-0", "would remove serviceaccounts windtunnel/observer", "would remove clusterroles.rbac.authorization.k8s.io look-0")
	if now := len(l.inventory()) - len(before); now != left {
		t.Errorf("a dry run changed the cluster: it had %d things more than before, now %d", left, now)
	}
	down := windtunnel(t, "down", "--kubeconfig", l.kubeconfig).run(0)
	down.says("removed namespaces team-0")
	if got, want := strings.Count(down.stdout.String(), "removed "), strings.Count(dry.stdout.String(), "would remove "); got != want {
		t.Errorf("down removed %d things, the dry run named %d", got, want)
	}
	t.Logf("the killed run left %d things; down names %d", left, strings.Count(down.stdout.String(), "removed "))
	l.unchanged(before)
	windtunnel(t, "down", "--kubeconfig", l.kubeconfig).run(0).says("nothing of windtunnel's")
}
