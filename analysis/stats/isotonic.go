package stats

// Isotonic is the least-squares fit of a sequence that never falls: the values y, in order of what they depend on, with their
// weights (nil: all alike), replaced by the nearest ones that ascend. It is the pool-adjacent-violators algorithm (Barlow,
// Bartholomew, Bremner and Brunk, Statistical Inference under Order Restrictions, 1972, §1.2).
func Isotonic(y, weights []float64) []float64 {
	type block struct {
		mean, weight float64
		n            int
	}
	var blocks []block
	for i, v := range y {
		b := block{v, 1, 1}
		if weights != nil {
			b.weight = weights[i]
		}
		for len(blocks) > 0 && blocks[len(blocks)-1].mean >= b.mean {
			last := blocks[len(blocks)-1]
			blocks = blocks[:len(blocks)-1]
			b = block{(last.mean*last.weight + b.mean*b.weight) / (last.weight + b.weight), last.weight + b.weight, last.n + b.n}
		}
		blocks = append(blocks, b)
	}
	fitted := make([]float64, 0, len(y))
	for _, b := range blocks {
		for range b.n {
			fitted = append(fitted, b.mean)
		}
	}
	return fitted
}
