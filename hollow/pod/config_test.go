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

func TestParseReportsEverything(t *testing.T) {
	_, _, err := Parse(map[string]string{KeyNodes: `{"count": -2, "perPod": 0, "zones": -1}`, KeyDown: `["a"`})
	for _, want := range []string{"count is -2", "perPod is 0", "zones is -1", "no namePrefix", KeyDown} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not say %q", err, want)
		}
	}
	if _, _, err := Parse(map[string]string{KeyNodes: `{"namePrefix": "h-", "count": 1, "perPod": 1, "perPods": 1}`}); err == nil || !strings.Contains(err.Error(), "perPods") {
		t.Errorf("an unknown field: %v", err)
	}
	if _, _, err := Parse(map[string]string{KeyNodes: `{"namePrefix": "h-", "count": 1, "perPod": 1, "shard": {"usage": {}}}`}); err == nil || !strings.Contains(err.Error(), "shard.usage: nodes in pods serve no metrics") {
		t.Errorf("usage: %v", err)
	}
	if _, _, err := Parse(nil); err == nil || !strings.Contains(err.Error(), KeyNodes) {
		t.Errorf("nothing at all: %v", err)
	}
	c, down, err := Parse(map[string]string{KeyNodes: `{"namePrefix": "h-", "count": 5, "perPod": 2}`, KeyDown: `["h-1"]`})
	if err != nil || c.Pods() != 3 || c.Name(4) != "h-4" || !slices.Equal(down, []string{"h-1"}) {
		t.Errorf("%+v, %v, %v", c, down, err)
	}
	text, err := os.ReadFile(filepath.Join("..", "..", "manifests", "hollow", "nodes.json"))
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := Parse(map[string]string{KeyNodes: string(text)}); err != nil {
		t.Errorf("the manifest's own: %v", err)
	}
}

func TestReadiness(t *testing.T) {
	status := func(wanted, nodes, ready int, err, problem, version string) Status {
		return Status{Status: hollow.Status{Nodes: nodes, Ready: ready, Error: err}, Wanted: wanted, Problem: problem, Version: version}
	}
	for _, c := range []struct {
		status Status
		err    error
		code   int
		says   string
	}{
		{status(3, 3, 3, "", "", "7"), nil, http.StatusOK, "3 nodes"},
		{status(0, 0, 0, "", "", "7"), nil, http.StatusOK, "0 nodes"},
		{status(3, 3, 2, "", "", "7"), nil, http.StatusServiceUnavailable, "2 of 3 nodes have been Ready\n"},
		{status(3, 2, 2, "", "", "7"), nil, http.StatusServiceUnavailable, "2 of 3 nodes"}, // one waits for its certificate
		{status(3, 3, 0, "no user", "", "7"), nil, http.StatusServiceUnavailable, "no user"},
		{status(3, 3, 3, "", "makes no sense", "7"), nil, http.StatusServiceUnavailable, "makes no sense"},
		{status(0, 0, 0, "", "", ""), nil, http.StatusServiceUnavailable, "0 of 0"}, // there is no description
		{Status{}, errors.New("no socket"), http.StatusServiceUnavailable, "no socket"},
	} {
		answer := httptest.NewRecorder()
		answerReady(answer, httptest.NewRequest(http.MethodGet, PathReady, nil), func(context.Context) (Status, error) { return c.status, c.err })
		if answer.Code != c.code || !strings.Contains(answer.Body.String(), c.says) {
			t.Errorf("%+v, %v: %d %q", c.status, c.err, answer.Code, answer.Body)
		}
	}
}
