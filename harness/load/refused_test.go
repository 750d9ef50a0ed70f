package load

import (
	"io"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"windtunnel/profiles"
)

// TestNobodyThere: a stream to a server that is down keeps to its plan, with a record of each request.
func TestNobodyThere(t *testing.T) {
	srv := startServer(t, func(http.ResponseWriter, *http.Request) {})
	rec := &recorder{}
	client := dialTest(t, srv, 1, 2, rec.record)
	client.Close()
	srv.Close()
	away := client.options
	away.Server = client.server.String()
	client, err := Dial(t.Context(), away)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	if _, err := client.Stream(t.Context(), reads(100, profiles.Duration(100*time.Millisecond), 10)); err != nil {
		t.Error(err)
	}
	if by := byClass(rec.records("")); by[ClassConnection] != 10 || len(by) != 1 {
		t.Errorf("classes %v, want 10 connection", by)
	}
}

// TestTargetsRefused: a step that is refused the names of its targets asks again, and its plan begins when it has them.
func TestTargetsRefused(t *testing.T) {
	var asked atomic.Int32
	srv := startServer(t, func(w http.ResponseWriter, _ *http.Request) {
		if asked.Add(1) == 1 {
			w.WriteHeader(http.StatusTooManyRequests)
			return
		}
		io.WriteString(w, `{"items": [{"metadata": {"name": "one"}}]}`)
	})
	rec := &recorder{}
	s := reads(100, profiles.Duration(50*time.Millisecond), 10)
	s.Requests.Mix = []profiles.Request{{Verb: "GET", Resource: "nodes", Weight: 1}}
	if _, err := dialTest(t, srv, 1, 1, rec.record).Stream(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	looks, gets := rec.records("LIST"), rec.records("GET")
	if len(looks) != 2 || looks[0].Error != ClassTooManyRequests || looks[1].Error != "" || looks[1].Attempt != 2 || looks[1].Planned < looks[0].Done {
		t.Errorf("looks %+v", looks)
	}
	if len(gets) != 5 || gets[0].Object != "one" || gets[0].Planned < looks[1].Done {
		t.Errorf("requests %+v", gets)
	}
}
