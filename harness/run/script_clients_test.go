package run

import (
	"testing"

	"windtunnel/profiles"
)

// TestConnectionsFor: the workers of a closed loop all have room, and nothing else has more connections than usual.
func TestConnectionsFor(t *testing.T) {
	for _, c := range []struct {
		kind                   profiles.PaceKind
		workers, actions, want int
	}{
		{profiles.PaceParallel, 1, 5000, 4}, {profiles.PaceParallel, 400, 5000, 4}, {profiles.PaceParallel, 401, 5000, 5}, {profiles.PaceParallel, 1000, 5000, 10},
		{profiles.PaceParallel, 1000, 450, 5}, {profiles.PaceEven, 0, 5000, 4},
	} {
		b := profiles.Batch{Pace: profiles.Pace{Kind: c.kind, Workers: c.workers}, Actions: make([]profiles.Action, c.actions)}
		if got := connectionsFor(b); got != c.want {
			t.Errorf("%s, %d workers, %d actions: %d connections, want %d", c.kind, c.workers, c.actions, got, c.want)
		}
	}
}
