package stats

import (
	"cmp"
	"slices"
)

// Holm corrects the p of several tests so that rejecting those at or below a level rejects any true hypothesis with at most that
// probability, however the tests depend on each other (Holm, 1979, step-down). The result is in the order of ps.
func Holm(ps []float64) []float64 {
	order := make([]int, len(ps))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(ps[a], ps[b]) })
	adjusted := make([]float64, len(ps))
	least := 0.0
	for rank, i := range order {
		least = max(least, min(1, float64(len(ps)-rank)*ps[i]))
		adjusted[i] = least
	}
	return adjusted
}
