package stats

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// series is one value a run, lying at the level of its segment.
func series(random *rand.Rand, segments ...struct {
	n  int
	at float64
}) []float64 {
	var s []float64
	for _, g := range segments {
		for range g.n {
			s = append(s, g.at+random.NormFloat64())
		}
	}
	return s
}

type segment = struct {
	n  int
	at float64
}

func TestChangePointsAreFound(t *testing.T) {
	random := rand.New(rand.NewPCG(19, 20))
	for _, c := range []struct {
		segments []segment
		want     []int
	}{
		{[]segment{{20, 0}, {20, 6}}, []int{20}},
		{[]segment{{20, 0}, {15, 6}, {25, 0}}, []int{20, 35}},
		{[]segment{{20, 0}, {10, 6}, {20, 0}}, []int{20, 30}},
		{[]segment{{10, 0}, {10, 6}, {10, 12}, {10, 18}}, []int{10, 20, 30}},
		{[]segment{{5, 0}, {15, 6}}, []int{5}},
		{[]segment{{9, 0}, {31, 20}}, []int{9}},
	} {
		var got []int
		s := series(random, c.segments...)
		for _, p := range ChangePoints(s, 0.01) {
			got = append(got, p.At)
			if p.P <= 0 || p.P > 0.01 {
				t.Errorf("p = %g", p.P)
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%v: found %v, want %v", c.segments, got, c.want)
		}
		if again := ChangePoints(s, 0.01); len(again) != len(got) || len(again) > 0 && again[0] != ChangePoints(slices.Clone(s), 0.01)[0] {
			t.Errorf("the second time: %v", again)
		}
	}
}

// TestPlaceOfALargeShift: ranks alone would draw it to the middle, where 1 … 12 and the 13th are parted as well.
func TestPlaceOfALargeShift(t *testing.T) {
	s := []float64{3, 1, 4, 2, 6, 5, 8, 7, 10, 9, 12, 11, 13, 113, 111, 112, 115, 114, 117, 116, 119, 118, 121, 120}
	if got := ChangePoints(s, 0.05); len(got) == 0 || !slices.ContainsFunc(got, func(p ChangePoint) bool { return p.At == 13 }) {
		t.Errorf("found %v, want one at 13", got)
	}
}

// TestOutliersAreNoChange: one or two wild runs are what histories are full of.
func TestOutliersAreNoChange(t *testing.T) {
	s := series(rand.New(rand.NewPCG(21, 22)), segment{40, 0})
	s[13], s[29] = 1000, 900
	if got := ChangePoints(s, 0.05); len(got) != 0 {
		t.Errorf("found %v", got)
	}
	for _, s := range [][]float64{nil, {1}, {1, 1, 1, 9, 9}, slices.Repeat([]float64{3}, 30)} {
		if got := ChangePoints(s, 0.05); len(got) != 0 {
			t.Errorf("%v: found %v", s, got)
		}
	}
}

// TestFalseAlarmsOfChangePoints: of histories in which nothing changed, 5 % have a change point, at the level of one in a hundred 1 %.
func TestFalseAlarmsOfChangePoints(t *testing.T) {
	if testing.Short() {
		t.Skip("a simulation, which make test runs without the race detector")
	}
	random := rand.New(rand.NewPCG(23, 24))
	const trials = 600
	for _, level := range []float64{0.05, 0.01} {
		alarms := 0
		for i := range trials {
			s := series(random, segment{12 + i%20, 0})
			for j := range s {
				s[j] = math.Exp(s[j])
			}
			if len(ChangePoints(s, level)) > 0 {
				alarms++
			}
		}
		if share, err := float64(alarms)/trials, 3*math.Sqrt(level*(1-level)/trials); math.Abs(share-level) > err {
			t.Errorf("level %g: %.4f false alarms ± %.4f", level, share, err)
		}
	}
}
