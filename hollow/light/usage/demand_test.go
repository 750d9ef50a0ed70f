package usage

import (
	"math"
	"testing"
	"time"

	"windtunnel/profiles"
)

func demandsOf(t *testing.T, u profiles.Usage) demands {
	t.Helper()
	p := profiles.Profile{HollowNodes: profiles.HollowNodes{Usage: &u}}
	p.Default()
	d, err := readDemands(u, 7)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func near(got, want, tolerance float64) bool { return math.Abs(got-want) <= tolerance }

// TestSecondsAreTheIntegralOfTheRate: against sums of rectangles, over spans that are no whole waves; and never less than before, even when
// the rate falls to 0.
func TestSecondsAreTheIntegralOfTheRate(t *testing.T) {
	for _, swing := range []float64{0, 0.3, 1} {
		d := demand{cpu: 0.25, memory: 1000, swing: swing, omega: 2 * math.Pi / 60, phase: 1}
		rate := func(at float64) float64 { return 0.25 * (1 + swing*math.Sin(d.omega*at+1)) }
		sum, last := 0.0, 0.0
		const step = 0.01
		for i := range 15000 {
			sum += step * rate((float64(i)+0.5)*step)
			got := d.seconds(0, time.Duration(i+1)*10*time.Millisecond)
			if !near(got, sum, 1e-6) {
				t.Fatalf("swing %v: %v core seconds after %v, want %v", swing, got, time.Duration(i+1)*10*time.Millisecond, sum)
			}
			if got < last {
				t.Fatalf("swing %v: the counter falls from %v to %v", swing, last, got)
			}
			last = got
		}
		if whole := d.seconds(7*time.Second, 127*time.Second); !near(whole, 0.25*120, 1e-9) {
			t.Errorf("swing %v: two waves are %v core seconds, want the average, 30", swing, whole)
		}
		parts := d.seconds(3*time.Second, 11*time.Second) + d.seconds(11*time.Second, 40*time.Second)
		if all := d.seconds(3*time.Second, 40*time.Second); !near(parts, all, 1e-9) {
			t.Errorf("swing %v: parts are %v and all of it %v", swing, parts, all)
		}
		low, high := math.Inf(1), math.Inf(-1)
		for at := range 60 {
			low, high = min(low, d.bytes(time.Duration(at)*time.Second)), max(high, d.bytes(time.Duration(at)*time.Second))
		}
		if !near(low, 1000*(1-swing), 5) || !near(high, 1000*(1+swing), 5) {
			t.Errorf("swing %v: the working set is between %v and %v", swing, low, high)
		}
	}
}

func TestWhatContainersUse(t *testing.T) {
	const mi = 1 << 20
	asks := container{name: "a", cpu: 0.5, memory: 200 * mi}
	for _, c := range []struct {
		name        string
		usage       profiles.Usage
		annotations annotations
		container   container
		cpu, memory float64
	}{
		{"defaults", profiles.Usage{}, annotations{}, asks, 0.25, 100 * mi},
		{"shares", profiles.Usage{CPU: "80%", Memory: "150%"}, annotations{}, asks, 0.4, 300 * mi},
		{"shares of no request", profiles.Usage{}, annotations{}, container{name: "a"}, 0.001, mi},
		{"quantities", profiles.Usage{CPU: "100m", Memory: "64Mi"}, annotations{}, asks, 0.1, 64 * mi},
		{"KWOK's annotations", profiles.Usage{}, annotations{cpu: "2", memory: "1Gi", allMemory: "1"}, asks, 2, 1024 * mi},
		{"annotations that say nothing", profiles.Usage{}, annotations{cpu: "much", memory: "-1"}, asks, 0.25, 100 * mi},
		{"the memory of all", profiles.Usage{}, annotations{allMemory: "64Mi"}, asks, 0.25, 32 * mi},
		{"the memory of all, of an init container", profiles.Usage{}, annotations{allMemory: "64Mi"}, container{name: "i", init: true, memory: mi}, 0.001, 0},
	} {
		d := demandsOf(t, c.usage)
		p := &pod{namespace: "ns", name: "p", annotations: c.annotations, containers: []container{c.container, {name: "b"}, {name: "i", init: true}}}
		got := d.of(p, &c.container)
		if !near(got.cpu, c.cpu, 1e-9) || !near(got.memory, c.memory, 1e-3) {
			t.Errorf("%s: %v cores and %v bytes, want %v and %v", c.name, got.cpu, got.memory, c.cpu, c.memory)
		}
	}
}

// TestPhases: one seed gives one life, and containers do not swing together.
func TestPhases(t *testing.T) {
	d := demandsOf(t, profiles.Usage{Swing: 0.5})
	p := &pod{namespace: "ns", name: "p"}
	a, b := d.of(p, &container{name: "a"}), d.of(p, &container{name: "b"})
	if a.phase == b.phase || a.phase < 0 || a.phase >= 2*math.Pi {
		t.Errorf("phases %v and %v", a.phase, b.phase)
	}
	if again := d.of(p, &container{name: "a"}); again != a {
		t.Errorf("%v is another time %v", a, again)
	}
	d.seed++
	if other := d.of(p, &container{name: "a"}); other.phase == a.phase {
		t.Error("the seed decides nothing")
	}
}
