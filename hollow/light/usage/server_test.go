package usage

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"windtunnel/hollow"
	"windtunnel/hollow/light/wire"
	"windtunnel/profiles"
)

// serve runs a server on loopback until the test ends.
func serve(t *testing.T) (*Server, *reviewer) {
	t.Helper()
	s, err := New(hollow.ShardConfig{Usage: &profiles.Usage{CPU: "250m", Memory: "64Mi", Period: profiles.Duration(time.Minute)}}, "127.0.0.1", func(err error) { t.Log(err) })
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return s, &reviewer{t: t}
}

// get asks for a path and gives the answer's code and body.
func get(t *testing.T, s *Server, method, path, token string) (int, string, error) {
	t.Helper()
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ForceAttemptHTTP2: true}
	defer transport.CloseIdleConnections()
	r, err := http.NewRequestWithContext(t.Context(), method, fmt.Sprintf("https://127.0.0.1:%d%s", s.Port(), path), nil)
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	answer, err := (&http.Client{Transport: transport}).Do(r)
	if err != nil {
		return 0, "", err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	return answer.StatusCode, string(body), err
}

// scrape reads a node's metrics.
func scrape(t *testing.T, s *Server, node string) map[string]*dto.MetricFamily {
	t.Helper()
	code, body, err := get(t, s, http.MethodGet, "/nodes/"+node+"/metrics/resource", "reader")
	if err != nil || code != http.StatusOK {
		t.Fatalf("%d, %v: %s", code, err, body)
	}
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	return families
}

func TestServesWhatPodsUse(t *testing.T) {
	s, v := serve(t)
	n := s.Node("n", NewAccess(v.post, 1))
	n.Seen(event(t, wire.Added, "p", nil))
	n.Start("uid-p", "", time.Now())
	s.Node("idle", NewAccess(v.post, 1))
	first := scrape(t, s, "n")
	pod := func(families map[string]*dto.MetricFamily) *dto.Metric {
		return families["pod_cpu_usage_seconds_total"].GetMetric()[0]
	}
	last := first
	for pod(last).GetTimestampMs() < pod(first).GetTimestampMs()+100 {
		last = scrape(t, s, "n")
	}
	rate := 1000 * (pod(last).GetCounter().GetValue() - pod(first).GetCounter().GetValue()) / float64(pod(last).GetTimestampMs()-pod(first).GetTimestampMs())
	if !near(rate/0.5, 1, 1e-6) {
		t.Errorf("the pod uses %v cores, want 0.5", rate)
	}
	if m := last["container_memory_working_set_bytes"].GetMetric(); len(m) != 2 || m[0].GetGauge().GetValue() != 64<<20 {
		t.Errorf("%v", m)
	}
	if idle := scrape(t, s, "idle"); idle["pod_cpu_usage_seconds_total"] != nil || idle["node_cpu_usage_seconds_total"] == nil {
		t.Errorf("an idle node: %v", idle)
	}
	if v.tokens != 2 || v.rights != 2 {
		t.Errorf("%d and %d reviews, want one each of two nodes", v.tokens, v.rights)
	}
}

func TestWhoMayRead(t *testing.T) {
	s, v := serve(t)
	n := s.Node("n", NewAccess(v.post, 1))
	for _, c := range []struct {
		method, path, token string
		code                int
		says                string
	}{
		{"GET", "/nodes/n/metrics/resource", "reader", http.StatusOK, "node_cpu_usage_seconds_total"},
		{"GET", "/nodes/n/metrics/resource", "", http.StatusUnauthorized, "Unauthorized"},
		{"GET", "/nodes/n/metrics/resource", "nobody's", http.StatusUnauthorized, "Unauthorized"},
		{"GET", "/nodes/n/metrics/resource", "other", http.StatusForbidden, "Forbidden (user=other, verb=get, resource=nodes, subresource(s)=[metrics])"},
		{"GET", "/nodes/m/metrics/resource", "reader", http.StatusNotFound, ""},
		{"GET", "/metrics/resource", "reader", http.StatusNotFound, ""},
		{"POST", "/nodes/n/metrics/resource", "reader", http.StatusMethodNotAllowed, ""},
	} {
		code, body, err := get(t, s, c.method, c.path, c.token)
		if err != nil || code != c.code || !strings.Contains(body, c.says) {
			t.Errorf("%+v: %d, %v: %s", c, code, err, body)
		}
	}
	v.status, v.unansweredFor = http.StatusForbidden, 2
	if code, _, err := get(t, s, "GET", "/nodes/n/metrics/resource", "new"); err != nil || code != http.StatusUnauthorized {
		t.Errorf("a token that cannot be reviewed: %d, %v", code, err)
	}
	v.unansweredFor = 0
	if _, err := who(t, n.access, "Bearer new"); err != nil {
		t.Error(err)
	}
	v.unansweredFor = 1
	if code, body, err := get(t, s, "GET", "/nodes/n/metrics/resource", "new"); err != nil || code != http.StatusInternalServerError || !strings.Contains(body, "Authorization error (user=new") {
		t.Errorf("a right that cannot be reviewed: %d, %v: %s", code, err, body)
	}
	n.Cut(true)
	if code, _, err := get(t, s, "GET", "/nodes/n/metrics/resource", "reader"); err == nil {
		t.Errorf("a node that is cut off answers %d", code)
	}
	n.Cut(false)
	again := s.Node("n", n.access)
	n.Leave() // of a node that has gone, which is not the one of its name
	if code, _, err := get(t, s, "GET", "/nodes/n/metrics/resource", "reader"); err != nil || code != http.StatusOK {
		t.Errorf("the next node of the name: %d, %v", code, err)
	}
	again.Leave()
	if code, _, err := get(t, s, "GET", "/nodes/n/metrics/resource", "reader"); err != nil || code != http.StatusNotFound {
		t.Errorf("a node that has left: %d, %v", code, err)
	}
}

func TestBadUsage(t *testing.T) {
	for want, u := range map[string]profiles.Usage{
		"period is 0s": {CPU: "1", Memory: "1"}, "usage: cpu": {CPU: "x", Memory: "1", Period: 1}, "usage: memory": {CPU: "1", Memory: "x", Period: 1},
	} {
		if _, err := New(hollow.ShardConfig{Usage: &u}, "127.0.0.1", nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	if s, err := New(hollow.ShardConfig{}, "127.0.0.1", nil); s != nil || err != nil {
		t.Errorf("without usage: %v, %v", s, err)
	}
}
