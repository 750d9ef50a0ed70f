package run

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"windtunnel/profiles"
)

// TestScriptFaultsChoose: a fraction of the nodes that had no fault yet, rounded up, and none twice; the same for the same seed.
func TestScriptFaultsChoose(t *testing.T) {
	var names []string
	for i := range 10 {
		names = append(names, fmt.Sprintf("hollow-%d", i))
	}
	choices := func(seed uint64) (all [][]int) {
		f := &scriptFaults{had: map[string]bool{}}
		random := rand.New(rand.NewPCG(seed, faultStream))
		spec := profiles.ScriptFaults{Fraction: 0.4, Except: []string{"hollow-3"}}
		for {
			chosen := f.choose(names, spec, random)
			if len(chosen) == 0 {
				return all
			}
			all = append(all, chosen)
		}
	}
	for _, fraction := range []float64{-0.5, math.NaN(), 7} {
		f := &scriptFaults{had: map[string]bool{}}
		chosen := f.choose(names, profiles.ScriptFaults{Fraction: fraction}, rand.New(rand.NewPCG(1, faultStream)))
		if want := map[bool]int{true: len(names)}[fraction > 1]; len(chosen) != want {
			t.Errorf("fraction %v chooses %d of %d nodes", fraction, len(chosen), len(names))
		}
	}
	all := choices(1)
	var sizes, nodes []int
	for _, chosen := range all {
		sizes, nodes = append(sizes, len(chosen)), append(nodes, chosen...)
	}
	if !slices.Equal(sizes, []int{4, 2, 2, 1}) { // of 9, 5, 3 and 1
		t.Errorf("%v nodes at a time", sizes)
	}
	slices.Sort(nodes)
	if !slices.Equal(nodes, []int{0, 1, 2, 4, 5, 6, 7, 8, 9}) {
		t.Errorf("nodes %v: each but the excepted one once", nodes)
	}
	if fmt.Sprint(all) != fmt.Sprint(choices(1)) || fmt.Sprint(all) == fmt.Sprint(choices(2)) {
		t.Error("the choice does not depend on the seed alone")
	}
}
