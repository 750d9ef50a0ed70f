package kubelet

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"windtunnel/hollow"
	"windtunnel/hollow/light/behaviour"
	"windtunnel/hollow/light/staged"
	"windtunnel/hollow/stages"
	"windtunnel/internal/golden"
	"windtunnel/profiles"
)

// lifeOf is the life of pods that a text of stages says.
func lifeOf(t *testing.T, text string) behaviour.Behaviour {
	t.Helper()
	life, err := staged.Life(hollow.ShardConfig{Seed: 3, Stages: []profiles.StageSource{{Name: "life.yaml", Text: text}}}, func(err error) { t.Error(err) })
	if err != nil {
		t.Fatal(err)
	}
	return life
}

// changed brings the pod as the server has it after a change, in a version of its own.
func (a *alone) changed(p *pod, change func(*corev1.Pod)) {
	a.do(func() {
		object := p.object.DeepCopy()
		object.ResourceVersion = fmt.Sprint(version(object.ResourceVersion) + 1)
		change(object)
		c := podChange{uid: string(object.UID), generation: object.Generation, deleting: object.DeletionTimestamp != nil, object: object}
		if s := object.DeletionGracePeriodSeconds; s != nil {
			c.grace = time.Duration(*s) * time.Second
		}
		a.podChanged(c)
	})
	synctest.Wait()
}

func deleted(object *corev1.Pod) {
	object.DeletionTimestamp, object.DeletionGracePeriodSeconds = &metav1.Time{Time: time.Now().Add(30 * time.Second)}, new(int64(30))
	object.Generation++
}

// says is what a status says, on a line.
func says(s *corev1.PodStatus) string {
	line := fmt.Sprintf("%s %q", s.Phase, s.PodIP)
	for _, c := range s.ContainerStatuses {
		line += fmt.Sprintf(", %s restarts=%d ready=%v ", c.Name, c.RestartCount, c.Ready)
		switch state := c.State; {
		case state.Waiting != nil:
			line += "waiting: " + state.Waiting.Reason
		case state.Running != nil:
			line += "running"
		case state.Terminated != nil:
			line += fmt.Sprintf("terminated: %s %d", state.Terminated.Reason, state.Terminated.ExitCode)
		}
	}
	if ready := findCondition(s.Conditions, corev1.PodReady); ready != nil {
		line += fmt.Sprintf(", Ready=%s %s generation=%d", ready.Status, ready.Reason, ready.ObservedGeneration)
	}
	return line
}

// history writes down what the pod's status says and the events about it for a while.
func (a *alone) history(p *pod, lasts time.Duration) (lines []string) {
	last, start := "", time.Now()
	for ; time.Since(start) <= lasts; time.Sleep(100 * time.Millisecond) {
		synctest.Wait()
		at := time.Since(start).Round(100 * time.Millisecond)
		a.do(func() {
			for ; a.told < len(a.events.queue); a.told++ {
				e := a.events.queue[a.told]
				lines = append(lines, fmt.Sprintf("%v: event %s %s", at, e.Type, e.Reason))
			}
			if now := says(p.status()); now != last {
				lines, last = append(lines, fmt.Sprintf("%v: %s", at, now)), now
			}
			if p.finished && lines[len(lines)-1] != "finished" {
				lines = append(lines, "finished")
			}
		})
	}
	return lines
}

// TestBuiltinLives holds what a node says of a pod in each of the built-in life cycles, which is deleted after a minute: a day on a
// node that is cut off, so that nothing of it depends on answers.
func TestBuiltinLives(t *testing.T) {
	for _, name := range stages.Builtins() {
		if !strings.HasPrefix(name, "pod-") {
			continue
		}
		t.Run(name, func(t *testing.T) {
			text, _ := stages.Builtin(name)
			var lines []string
			onANodeWith(t, hollow.ShardConfig{}, lifeOf(t, string(text)), func(a *alone) {
				p := a.bind(func(o *corev1.Pod) { o.Status.Phase = corev1.PodPending })
				lines = a.history(p, time.Minute)
				a.changed(p, deleted)
				lines = append(append(lines, "deleted"), a.history(p, 20*time.Second)...)
				if a.addresses.Used() != 0 {
					t.Errorf("%d addresses are in use", a.addresses.Used())
				}
			})
			got, file := strings.Join(lines, "\n")+"\n", filepath.Join("testdata", name+".txt")
			golden.Check(t, file, got)
		})
	}
}

// upOnly is a life that says how pods start, and not how they end. Its events come without a change.
const upOnly = `
apiVersion: kwok.x-k8s.io/v1alpha1
kind: Stage
metadata: {name: up}
spec:
  resourceRef: {kind: Pod}
  selector: {matchExpressions: [{key: .status.phase, operator: In, values: [Pending]}]}
  next:
    statusTemplate: |
      phase: Running
      conditions: [{type: Ready, status: "True"}, {type: example.com/mine, status: "True"}]
      containerStatuses:
      - {name: main, image: x, imageID: "", ready: true, restartCount: 0, state: {running: {startedAt: {{ Now | Quote }}}}}
---
apiVersion: kwok.x-k8s.io/v1alpha1
kind: Stage
metadata: {name: tell}
spec:
  resourceRef: {kind: Pod}
  selector: {matchExpressions: [{key: .status.phase, operator: In, values: [Running]}, {key: .metadata.deletionTimestamp, operator: DoesNotExist},
    {key: .metadata.labels.done, operator: DoesNotExist}]}
  next: {event: {type: Normal, reason: Told, message: x}}
---
apiVersion: kwok.x-k8s.io/v1alpha1
kind: Stage
metadata: {name: back}
spec:
  resourceRef: {kind: Pod}
  selector: {matchExpressions: [{key: .status.phase, operator: In, values: [Succeeded]}, {key: .metadata.deletionTimestamp, operator: DoesNotExist}]}
  next: {statusTemplate: "{phase: Running, message: again}"}
---
apiVersion: kwok.x-k8s.io/v1alpha1
kind: Stage
metadata: {name: done}
spec:
  resourceRef: {kind: Pod}
  selector: {matchLabels: {done: "yes"}, matchExpressions: [{key: .status.phase, operator: In, values: [Running]}]}
  next: {statusTemplate: "{phase: Succeeded}"}
`

func pending(o *corev1.Pod) { o.Status.Phase = corev1.PodPending }

// TestNodeEndsWhatStagesDoNot: a pod that is deleted, and that no stage selects any more, ends as on any node.
func TestNodeEndsWhatStagesDoNot(t *testing.T) {
	onANodeWith(t, hollow.ShardConfig{ContainerStop: 2 * time.Second}, lifeOf(t, upOnly), func(a *alone) {
		p := a.bind(pending)
		time.Sleep(time.Second)
		a.do(func() { a.told = len(a.events.queue) })
		a.changed(p, deleted)
		got := a.history(p, 5*time.Second)
		want := []string{
			"0s: event Normal Killing",
			`0s: Running "", main restarts=0 ready=true running, Ready=True  generation=2`,
			`2s: Succeeded "", main restarts=0 ready=false terminated: Completed 0, Ready=False PodCompleted generation=2`, "finished",
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	})
}

// TestAskedOnlyOfNews: what the node has written itself comes back without that anything follows; what others write is news.
func TestAskedOnlyOfNews(t *testing.T) {
	onANodeWith(t, hollow.ShardConfig{}, lifeOf(t, upOnly), func(a *alone) {
		p := a.bind(pending)
		told := func() (n int) {
			time.Sleep(time.Second)
			a.do(func() {
				for _, e := range a.events.queue {
					if e.Reason == "Told" {
						n++
					}
				}
			})
			return n
		}
		if n := told(); n != 1 {
			t.Errorf("told %d times", n)
		}
		a.changed(p, func(o *corev1.Pod) { o.Status.Conditions = nil }) // as it was when the first status was on its way
		if n := told(); n != 1 {
			t.Errorf("told %d times after its own write", n)
		}
		a.changed(p, func(o *corev1.Pod) { o.Labels = map[string]string{"a": "b"} })
		if n := told(); n != 2 {
			t.Errorf("told %d times after a new label", n)
		}
	})
}

// TestConditionsOfOthers: what others say of a pod is left to them, but for what a stage has said.
func TestConditionsOfOthers(t *testing.T) {
	onANodeWith(t, hollow.ShardConfig{}, lifeOf(t, upOnly), func(a *alone) {
		p := a.bind(pending)
		time.Sleep(time.Second)
		others := []corev1.PodCondition{{Type: "example.com/theirs", Status: "True"}, {Type: "example.com/mine", Status: "False"}, {Type: corev1.PodReady, Status: "False"}}
		a.changed(p, func(o *corev1.Pod) { o.Status.Phase, o.Status.Conditions = corev1.PodFailed, others })
		a.do(func() {
			all := func(list []corev1.PodCondition) (all []string) {
				for _, c := range list {
					all = append(all, fmt.Sprintf("%s=%s", c.Type, c.Status))
				}
				return all
			}
			if got, want := all(p.object.Status.Conditions), []string{"example.com/theirs=True", "Ready=True", "example.com/mine=True"}; !slices.Equal(got, want) {
				t.Errorf("stages see %q, want %q", got, want)
			}
			written := p.status()
			if got, want := all(written.Conditions), []string{"Ready=True", "example.com/mine=True"}; !slices.Equal(got, want) || written.Phase != corev1.PodRunning {
				t.Errorf("says %s and %q, want %q", written.Phase, got, want)
			}
			merge(&corev1.PodStatus{Conditions: others}, written)
			if got, want := all(written.Conditions), []string{"example.com/theirs=True", "Ready=True", "example.com/mine=True"}; !slices.Equal(got, want) {
				t.Errorf("writes %q, want %q", got, want)
			}
		})
	})
}

// TestStagesEndPods: a pod whose stage says that it has ended leaves what it had of the node, does not run again, and is deleted only when
// it has been let go.
func TestStagesEndPods(t *testing.T) {
	onANodeWith(t, hollow.ShardConfig{}, lifeOf(t, upOnly), func(a *alone) {
		p := a.bind(func(o *corev1.Pod) {
			o.Status.Phase = corev1.PodPending
			o.Labels = map[string]string{"done": "yes"}
		})
		got := a.changes(2*time.Second, func() any { return fmt.Sprint(p.status().Phase, " ", p.status().Message) })
		if want := []string{"0s: Pending ", "100ms: Running ", "200ms: Succeeded ", "300ms: Succeeded again"}; !slices.Equal(got, want) {
			t.Errorf("says %q, want %q", got, want)
		}
		if !p.terminal || !p.finished || p.driven.released || a.addresses.Used() != 0 {
			t.Errorf("terminal %v, finished %v, released %v, %d addresses", p.terminal, p.finished, p.driven.released, a.addresses.Used())
		}
		a.changed(p, deleted)
		if !p.driven.released {
			t.Error("is not let go")
		}
	})
}

// TestStagedPodsAreEvicted: the memory that pods say they use counts for those of stages, too.
func TestStagedPodsAreEvicted(t *testing.T) {
	onANodeWith(t, hollow.ShardConfig{}, lifeOf(t, upOnly), func(a *alone) {
		p := a.bind(func(o *corev1.Pod) {
			o.Status.Phase = corev1.PodPending
			o.Annotations["windtunnel/memory"] = "5Gi"
		})
		time.Sleep(30 * time.Second)
		var status *corev1.PodStatus
		a.do(func() { status = p.status() })
		if status.Phase != corev1.PodFailed || status.Reason != "Evicted" || findCondition(status.Conditions, corev1.DisruptionTarget) == nil || status.ContainerStatuses[0].State.Terminated == nil {
			t.Errorf("%+v", status)
		}
		a.changed(p, func(o *corev1.Pod) { o.Labels = map[string]string{"done": "yes"} })
		time.Sleep(time.Second)
		a.do(func() { status = p.status() })
		if status.Phase != corev1.PodFailed || status.Reason != "Evicted" {
			t.Errorf("%+v", status)
		}
	})
}
