package stats

// MaxRate is the largest number of ascending instants, in nanoseconds, in any half-open window of that many seconds, per second.
func MaxRate(at []int64, seconds float64) float64 {
	most, from := 0, 0
	for to := range at {
		for float64(at[to]-at[from]) >= seconds*1e9 {
			from++
		}
		most = max(most, to-from+1)
	}
	return float64(most) / seconds
}
