package shard

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
)

type answer func(*http.Request) (*http.Response, error)

func (a answer) RoundTrip(r *http.Request) (*http.Response, error) { return a(r) }

func TestReadiness(t *testing.T) {
	const (
		yes = `{"status":{"conditions":[{"type":"MemoryPressure","status":"False"},{"type":"Ready","status":"True"}]}}`
		no  = `{"status":{"conditions":[{"type":"Ready","status":"False"}]}}`
	)
	for _, c := range []struct {
		name, method, path, body string
		code                     int
		err                      error
		ready, strain            int
	}{
		{"ready", "PATCH", "/api/v1/nodes/n/status", yes, 200, nil, 1, 0},
		{"not ready", "PATCH", "/api/v1/nodes/n/status", no, 200, nil, 0, 0},
		{"no condition", "PATCH", "/api/v1/nodes/n/status", `{"metadata":{}}`, 200, nil, 0, 0},
		{"no JSON", "PATCH", "/api/v1/nodes/n/status", "\x00", 200, nil, 0, 0},
		{"refused", "PATCH", "/api/v1/nodes/n/status", yes, 409, nil, 0, 0},
		{"other node", "PATCH", "/api/v1/nodes/nn/status", yes, 200, nil, 0, 0},
		{"other verb", "PUT", "/api/v1/nodes/n/status", yes, 200, nil, 0, 0},
		{"throttled", "GET", "/api/v1/nodes/n", "", 429, nil, 0, 1},
		{"no answer in time", "GET", "/api/v1/nodes/n", "", 0, context.DeadlineExceeded, 0, 1},
		{"cancelled", "GET", "/api/v1/nodes/n", "", 0, context.Canceled, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			ready, strain := 0, 0
			body := "" // what the server gets
			transport := newReadiness(answer(func(r *http.Request) (*http.Response, error) {
				if r.Body != nil {
					text := new(strings.Builder)
					if _, err := io.Copy(text, r.Body); err != nil {
						t.Error(err)
					}
					body = text.String()
				}
				return &http.Response{StatusCode: c.code}, c.err
			}), "n", func() { ready++ }, func() { strain++ })
			for range 2 {
				request, err := http.NewRequestWithContext(t.Context(), c.method, "https://server"+c.path, strings.NewReader(c.body))
				if err != nil {
					t.Fatal(err)
				}
				if _, err := transport.RoundTrip(request); err != c.err {
					t.Errorf("got %v, want the transport's %v", err, c.err)
				}
				if body != c.body {
					t.Errorf("the server got %q, want %q", body, c.body)
				}
			}
			if ready != c.ready || strain != 2*c.strain {
				t.Errorf("ready %d times and strain %d times after two equal requests, want %d and %d", ready, strain, c.ready, 2*c.strain)
			}
		})
	}
}
