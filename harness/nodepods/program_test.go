package nodepods_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	"windtunnel/hollow"
	"windtunnel/hollow/pod"
	manifests "windtunnel/manifests/hollow"
	"windtunnel/results"
)

// TestProgram: a pod's program with no more than the account of the manifests has its nodes join, and follows its description.
func TestProgram(t *testing.T) {
	for _, tier := range tiers {
		t.Run(tier.name, func(t *testing.T) { followsDescription(t, tier.change, tier.extras) })
	}
}

func followsDescription(t *testing.T, change func(map[string]any), extras []manifests.Extra) {
	description := func(count int) map[string]any {
		d := description(count)
		change(d)
		return d
	}
	p := startProgram(t, "hollow-nodes-1", description(5), extras...)
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
	for _, tier := range tiers {
		t.Run(tier.name, func(t *testing.T) { streamsSamples(t, tier.change, tier.extras) })
	}
}

func streamsSamples(t *testing.T, change func(map[string]any), extras []manifests.Extra) {
	described := description(2)
	change(described)
	p := startProgram(t, "hollow-nodes-0", described, extras...)
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
		p.place(fmt.Sprint("p", i), fmt.Sprint("signed-", i%2))
	}
	t.Cleanup(p.clear)
	eventually(t, "they run", func() bool { return len(p.running()) == 4 })
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
