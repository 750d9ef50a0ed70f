package e2e

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"windtunnel/results"
)

// TestClockSkew: a node whose clock is behind renews its lease with the time that it has, and with the right one when its clock is right again;
// the other node's time is right all the while. Neither is lost by it, as the controllers go by when a renewal came.
func TestClockSkew(t *testing.T) {
	const offset = -30 * time.Minute
	w := windtunnel(t, "run", "-f", filepath.Join(testdata(t), "clock.yaml")).run(0)
	f, err := os.Open(filepath.Join(w.dir(), results.AuditFile))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	wrong, right := map[string]int{}, map[string]int{}
	last := map[string]bool{}
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var event struct {
			Verb                     string
			ObjectRef                struct{ Resource, Name string }
			RequestReceivedTimestamp time.Time
			RequestObject            struct {
				Spec struct{ RenewTime time.Time }
			}
		}
		if err := json.Unmarshal(lines.Bytes(), &event); err != nil {
			t.Fatal(err)
		}
		if event.Verb != "update" || event.ObjectRef.Resource != "leases" || event.RequestObject.Spec.RenewTime.IsZero() {
			continue
		}
		name := event.ObjectRef.Name
		switch ahead := event.RequestObject.Spec.RenewTime.Sub(event.RequestReceivedTimestamp); {
		case ahead.Abs() < 5*time.Second:
			right[name]++
			last[name] = true
		case (ahead - offset).Abs() < 5*time.Second:
			wrong[name]++
			last[name] = false
		default:
			t.Errorf("the lease of %s was renewed %v ahead", name, ahead)
		}
	}
	if wrong["hollow-1"] < 2 || !last["hollow-1"] {
		t.Errorf("hollow-1 renewed its lease %d times with a wrong clock and %d times with a right one", wrong["hollow-1"], right["hollow-1"])
	}
	if wrong["hollow-0"] != 0 || right["hollow-0"] < 2 {
		t.Errorf("hollow-0, whose clock is right, renewed its lease %d times with a wrong clock and %d times with a right one", wrong["hollow-0"], right["hollow-0"])
	}
	for _, r := range w.summary().NodeFaults {
		if r.Kind != "clockSkew" || r.Faults != 1 || r.Times["to_not_ready"].N != 0 {
			t.Errorf("%+v", r)
		}
	}
}
