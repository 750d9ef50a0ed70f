package kubelet

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"windtunnel/hollow"
	"windtunnel/hollow/light/h2"
)

// eventCalls are the calls about events, without their paths.
func (s *served) eventCalls() (all []string) {
	s.a.do(func() {
		for _, c := range s.calls {
			if method, rest, _ := strings.Cut(c, " "); strings.Contains(rest, "/events") {
				all = append(all, method+rest[strings.LastIndex(rest, " "):])
			}
		}
	})
	return all
}

// TestEventsAreCounted: an event that says what another has said counts it once more.
func TestEventsAreCounted(t *testing.T) {
	onANode(t, hollow.ShardConfig{}, func(a *alone) {
		s := a.served(answers(nil))
		a.do(func() {
			a.describe()
			a.describe()
			a.statusEvent("NodeReady")
		})
		time.Sleep(time.Second)
		want := []string{"POST 200", "POST 200", "POST 200", "PATCH 200", "PATCH 200", "PATCH 200", "POST 200"}
		if got := s.eventCalls(); !slices.Equal(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	})
	onANode(t, hollow.ShardConfig{}, func(a *alone) { // each restart of a container says the same again
		s := a.served(answers(nil))
		a.bind(func(o *corev1.Pod) { o.Annotations["windtunnel/run-for"] = "1s" })
		time.Sleep(9 * time.Second)
		// Pulling, Pulled, Created and Started; that the image is there, Created and Started; BackOff.
		want := []string{"POST 200", "POST 200", "POST 200", "POST 200", "POST 200", "PATCH 200", "PATCH 200", "POST 200"}
		if got := s.eventCalls(); !slices.Equal(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	})
}

// TestEventsThatFail: one that the server refuses is dropped, one that it has no more is posted anew, and what gets no answer is sent
// again and counted once.
func TestEventsThatFail(t *testing.T) {
	sends := func(answer func(call string) h2.Response, lasts time.Duration, reasons ...string) (calls []string, counted int32) {
		onANode(t, hollow.ShardConfig{}, func(a *alone) {
			s := a.served(answer)
			a.do(func() {
				a.strain = func() { t.Error("an event shows strain") }
				for _, reason := range reasons {
					a.statusEvent(reason)
				}
			})
			time.Sleep(lasts)
			calls = s.eventCalls()
			a.do(func() {
				for _, c := range a.events.own.came {
					counted = max(counted, c.count)
				}
			})
		})
		return calls, counted
	}
	refuses := answers(map[string]h2.Response{"POST": {Status: http.StatusInternalServerError}})
	if got, _ := sends(refuses, time.Hour, "a", "b"); !slices.Equal(got, []string{"POST 500", "POST 500"}) {
		t.Errorf("refused: %q", got)
	}
	limited := answers(map[string]h2.Response{"POST": {Status: http.StatusTooManyRequests, RetryAfter: 1}})
	if got, _ := sends(limited, time.Hour, "a"); len(got) != 11 {
		t.Errorf("limited: %q", got)
	}
	lost := answers(map[string]h2.Response{"PATCH": {Status: http.StatusNotFound}})
	if got, _ := sends(lost, time.Hour, "a", "a"); !slices.Equal(got, []string{"POST 200", "PATCH 404", "POST 200"}) {
		t.Errorf("not there any more: %q", got)
	}
	tries := 0
	silent := func(call string) h2.Response {
		if strings.HasPrefix(call, "PATCH") {
			if tries++; tries <= 2 {
				return h2.Response{}
			}
		}
		return h2.Response{Status: http.StatusOK}
	}
	if got, counted := sends(silent, 25*time.Second, "a", "a"); !slices.Equal(got, []string{"POST 200", "PATCH 0", "PATCH 0", "PATCH 200"}) || counted != 2 {
		t.Errorf("no answer: %q, counted %d", got, counted)
	}
	if got, _ := sends(func(string) h2.Response { return h2.Response{} }, time.Hour, "a"); len(got) != eventTries {
		t.Errorf("never an answer: %q", got)
	}
}

// TestBackOffIsSaidAgain: while a container waits to be started again the kubelet says so whenever it looks at the pod, once a minute or
// a little later; of all that about one pod only a burst is sent, and all is counted.
func TestBackOffIsSaidAgain(t *testing.T) {
	onANode(t, hollow.ShardConfig{}, func(a *alone) {
		s := a.served(answers(nil))
		p := a.bind(func(o *corev1.Pod) { o.Annotations["windtunnel/run-for"] = "1s" })
		backOffs := func() (n int32) {
			a.do(func() {
				for _, c := range p.events.came {
					if c.first.Sub(s.begun) > 2*time.Second {
						n = max(n, c.count)
					}
				}
			})
			return n
		}
		time.Sleep(70 * time.Second) // the container waits for 10, 20 and 40 s, and from then on for 80 and 160 s
		short := backOffs()
		time.Sleep(4 * time.Minute)
		if long := backOffs(); short != 3 || long < 3+1+2 || long > 3+2+3 {
			t.Errorf("said %d times, and %d times with a long wait", short, long)
		}
		time.Sleep(20 * time.Minute)
		if sent := len(s.eventCalls()); sent < eventsOfObject || sent > eventsOfObject+5 || backOffs() < 12 {
			t.Errorf("%d events sent, said %d times", sent, backOffs())
		}
	})
}
