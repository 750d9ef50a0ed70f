package nodes

import (
	"errors"
	"strings"
	"testing"

	"windtunnel/harness/supervise"
	"windtunnel/hollow"
)

// TestBehindBlamesAShard: by its name, with its socket's answer and its log.
func TestBehindBlamesAShard(t *testing.T) {
	p := &Pack{shards: []*shard{{
		config: hollow.ShardConfig{Name: "hollow-0", Nodes: make([]hollow.Node, 5)}, log: "/nonexistent/hollow-0.log",
		control: hollow.NewClient("/nonexistent/hollow-0.sock"),
	}}}
	err := p.behind(t.Context(), errors.New("3 of 5 are Ready"))
	var failure *supervise.ComponentError
	if !errors.As(err, &failure) || failure.Name != "hollow-0" {
		t.Fatalf("%v", err)
	}
	for _, want := range []string{"3 of 5 are Ready", "/nonexistent/hollow-0.sock", "/nonexistent/hollow-0.log"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in: %v", want, err)
		}
	}
}
