package host

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"windtunnel/hollow"
	"windtunnel/results"
)

// listen asks for the samples of a server.
func listen(t *testing.T, server *httptest.Server, clock results.Clock) *http.Response {
	t.Helper()
	answer, err := http.Get(fmt.Sprintf("%s/?%s=%d&%s=%s", server.URL, hollow.QueryBase, clock.Base(), hollow.QueryBoot, hollow.BootID()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { answer.Body.Close() })
	return answer
}

func TestStreams(t *testing.T) {
	s := newStreams()
	server := httptest.NewServer(http.HandlerFunc(s.serve))
	defer server.Close()
	clock := results.NewClock()
	var listeners []*http.Response
	for range mostStreams {
		listeners = append(listeners, listen(t, server, clock))
	}
	if one := listen(t, server, clock); one.StatusCode != http.StatusTooManyRequests {
		t.Errorf("one listener too many: %s", one.Status)
	}
	const events = 3000
	for i := range events {
		s.publish(happening{at: time.Now(), event: results.PodEvent{UID: fmt.Sprint(i), Event: "started"}})
	}
	s.end()
	for i, one := range listeners {
		var got bytes.Buffer
		if err := results.CopyStream(&got, one.Body); err != nil {
			t.Errorf("listener %d: %v", i, err)
		}
		if i > 0 && got.Len() == 0 {
			t.Errorf("listener %d got nothing", i)
		}
	}
	if one := listen(t, server, clock); one.StatusCode != http.StatusTooManyRequests {
		t.Errorf("after the end: %s", one.Status)
	}
}

// TestSlowListenerIsCutOff: who publishes never waits, and who is too slow sees that something is missing.
func TestSlowListenerIsCutOff(t *testing.T) {
	s := newStreams()
	server := httptest.NewServer(http.HandlerFunc(s.serve))
	defer server.Close()
	slow := listen(t, server, results.NewClock())
	open := func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return len(s.open) > 0
	}
	// More than the writer, the sockets' buffers and the backlog hold: it is not read, so it must be cut off some time.
	sent := 0
	for ; open() && sent < 100_000_000; sent++ {
		s.publish(happening{at: time.Now(), event: results.PodEvent{UID: fmt.Sprintf("%x-%d", time.Now().UnixNano(), sent), Name: fmt.Sprint(sent), Event: "started"}})
	}
	if open() {
		t.Fatalf("a listener that reads nothing is still served after %d events", sent)
	}
	var got bytes.Buffer
	if err := results.CopyStream(&got, slow.Body); err == nil {
		t.Error("what it got ends as if it were everything")
	} else if !errors.Is(err, results.ErrUnfinished) {
		t.Logf("cut off with: %v", err)
	}
	s.publish(happening{}) // nobody listens
}
