package stats

// CliffsDelta is an effect size without unit: the probability that a value of y is above one of x, less the probability that it
// is below (Cliff, 1993). It is −1 when all y are below all x, 0 when both lie alike, 1 when all y are above. Vargha and
// Delaney's A12 is (1 + CliffsDelta)/2. It is 0 when a sample is empty.
func CliffsDelta(x, y []float64) float64 {
	if len(x) == 0 || len(y) == 0 {
		return 0
	}
	d := 0
	for _, a := range x {
		for _, b := range y {
			switch {
			case b > a:
				d++
			case b < a:
				d--
			}
		}
	}
	return float64(d) / float64(len(x)*len(y))
}
