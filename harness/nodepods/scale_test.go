package nodepods

import (
	"testing"
	"time"
)

func TestPacing(t *testing.T) {
	p := pacing{step: firstStep}
	for _, c := range []struct {
		took time.Duration
		want int
	}{
		{time.Second, 100}, {30 * time.Second, 100}, {2 * time.Minute, 50}, {time.Hour, 25}, {time.Hour, 12}, {time.Hour, 6}, {time.Hour, leastStep}, {time.Hour, leastStep}, {time.Second, 2 * leastStep},
	} {
		if p.took(c.took); p.step != c.want {
			t.Errorf("after %v the step is %d, want %d", c.took, p.step, c.want)
		}
	}
	for range 20 {
		p.took(0)
	}
	if p.step != mostStep {
		t.Errorf("the step grows to %d", p.step)
	}
}
