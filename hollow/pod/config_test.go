package pod

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"windtunnel/hollow"
)

func TestNodesOfAPod(t *testing.T) {
	c := Config{NamePrefix: "h-", Count: 7, PerPod: 3, Zones: 2}
	check := func(pod string, want ...string) {
		t.Helper()
		nodes, err := c.Nodes(pod)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, n := range nodes {
			got = append(got, n.Name+" "+n.Labels[zoneLabel])
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s has %q, want %q", pod, got, want)
		}
	}
	check("hollow-nodes-0", "h-0 zone-0", "h-1 zone-1", "h-2 zone-0")
	check("hollow-nodes-2", "h-6 zone-0")
	check("hollow-nodes-3")
	for _, pod := range []string{"", "hollow-nodes", "hollow-nodes-x", "hollow-nodes-"} {
		if _, err := c.Nodes(pod); err == nil {
			t.Errorf("the name %q was taken for a StatefulSet's pod", pod)
		}
	}
}

func TestReadConfigReportsEverything(t *testing.T) {
	file := filepath.Join(t.TempDir(), "nodes.json")
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(`{"namePrefix": "h-", "count": 0, "perPod": -1, "zones": -1}`)
	_, err := ReadConfig(file)
	for _, want := range []string{file, "count is 0", "perPod is -1", "zones is -1"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not say %q", err, want)
		}
	}
	write(`{"count": 1, "perPod": 1, "perPods": 1}`)
	if _, err := ReadConfig(file); err == nil || !strings.Contains(err.Error(), "perPods") {
		t.Errorf("an unknown field: %v", err)
	}
	if _, err := ReadConfig(filepath.Join("..", "..", "manifests", "hollow", "nodes.json")); err != nil {
		t.Errorf("the manifest's own: %v", err)
	}
}

func TestReadiness(t *testing.T) {
	for _, c := range []struct {
		status hollow.Status
		err    error
		code   int
		says   string
	}{
		{hollow.Status{Nodes: 3, Ready: 3}, nil, http.StatusOK, "3 nodes"},
		{hollow.Status{Nodes: 0}, nil, http.StatusOK, "0 nodes"},
		{hollow.Status{Nodes: 3, Ready: 2}, nil, http.StatusServiceUnavailable, "2 of 3 nodes have been Ready\n"},
		{hollow.Status{Nodes: 3, Error: "no user"}, nil, http.StatusServiceUnavailable, "no user"},
		{hollow.Status{}, errors.New("no socket"), http.StatusServiceUnavailable, "does not answer"},
	} {
		answer := httptest.NewRecorder()
		readiness(func(context.Context) (hollow.Status, error) { return c.status, c.err }).ServeHTTP(answer, httptest.NewRequest(http.MethodGet, PathReady, nil))
		if answer.Code != c.code || !strings.Contains(answer.Body.String(), c.says) {
			t.Errorf("%+v, %v: %d %q", c.status, c.err, answer.Code, answer.Body)
		}
	}
}
