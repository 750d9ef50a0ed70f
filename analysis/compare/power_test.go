package compare

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"windtunnel/analysis/stats"
	"windtunnel/internal/golden"
)

// TestPowerTable: how often a figure that is 10 % larger is called a regression, by runs a side, scatter from run to run, and the
// number of figures that are corrected for. docs/compare.md shows the table; -update writes it.
func TestPowerTable(t *testing.T) {
	if testing.Short() {
		t.Skip("a simulation, which make test runs without the race detector")
	}
	const trials = 3000
	families := []int{1, 70}
	scatters := []float64{0.02, 0.05, 0.10, 0.20}
	var b strings.Builder
	b.WriteString("\n| runs a side |")
	for _, m := range families {
		for _, cv := range scatters {
			fmt.Fprintf(&b, " %s, CV %g %% |", map[int]string{1: "one figure", 70: "of 70"}[m], 100*cv)
		}
	}
	b.WriteString("\n|---|" + strings.Repeat("---|", len(families)*len(scatters)) + "\n")
	power := map[[3]int]float64{}
	for _, n := range []int{4, 5, 6, 8, 10, 12, 16, 20} {
		found := detections(n, scatters, families, trials)
		fmt.Fprintf(&b, "| %d |", n)
		for mi, m := range families {
			for si := range scatters {
				cell := "–" // no p of so few runs is small enough
				if stats.LeastRankP(n, n)*float64(m) <= 0.05 {
					cell = fmt.Sprintf("%.0f %%", 100*float64(found[mi][si])/trials)
				}
				power[[3]int{n, mi, si}] = float64(found[mi][si]) / trials
				fmt.Fprintf(&b, " %s |", cell)
			}
		}
		b.WriteString("\n")
	}
	// More runs, less scatter and fewer figures never find less, but for the error of the trials.
	for key, p := range power {
		for _, more := range [][3]int{{key[0] * 2, key[1], key[2]}, {key[0], key[1] - 1, key[2]}, {key[0], key[1], key[2] - 1}} {
			if q, ok := power[more]; ok && q < p-0.03 {
				t.Errorf("%v finds %.3f, %v finds %.3f", key, p, more, q)
			}
		}
	}
	const doc, begin, end = "../../docs/compare.md", "<!-- begin of the power table -->\n", "<!-- end of the power table -->"
	b.WriteString("\n")
	golden.Section(t, doc, begin, end, b.String())
}

// detections counts the trials in which a figure with lognormal scatter that is 10 % larger is shown to be, alone among others
// that did not change, and is estimated to be at least 5 % larger; by family and scatter.
func detections(n int, scatters []float64, families []int, trials int) [][]int {
	random := rand.New(rand.NewPCG(71, uint64(n)))
	found := make([][]int, len(families))
	for i := range found {
		found[i] = make([]int, len(scatters))
	}
	p := map[float64]float64{} // by U, since there are no ties
	for si, cv := range scatters {
		sigma := math.Sqrt(math.Log1p(cv * cv))
		for range trials {
			x, y := make([]float64, n), make([]float64, n)
			for i := range n {
				x[i], y[i] = math.Exp(sigma*random.NormFloat64()), 1.1*math.Exp(sigma*random.NormFloat64())
			}
			delta := stats.CliffsDelta(x, y)
			if _, known := p[delta]; !known {
				p[delta] = stats.MannWhitney(x, y).P
			}
			if p[delta] > 0.05 || delta < 0 || middleRatio(x, y) < 1.05 {
				continue
			}
			for mi, m := range families {
				if p[delta]*float64(m) <= 0.05 {
					found[mi][si]++
				}
			}
		}
	}
	return found
}

// middleRatio is the estimate of stats.Ratio without its interval, which would take most of the time.
func middleRatio(x, y []float64) float64 {
	var all []float64
	for _, a := range x {
		for _, b := range y {
			all = append(all, b/a)
		}
	}
	slices.Sort(all)
	return math.Sqrt(all[(len(all)-1)/2] * all[len(all)/2])
}
