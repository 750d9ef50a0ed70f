package analysis

import (
	"math"

	"windtunnel/analysis/stats"
	"windtunnel/results"
)

// The grid of latencies: cells of equal width on a logarithmic scale. A quantile that is read off it is at most half a cell
// away from the exact one: 10^(1/60), under 4 %.
const (
	gridPerDecade = 30
	gridDecades   = 7    // from gridLowest to 1000 s
	gridLowest    = 1e-4 // seconds
	gridCells     = gridPerDecade * gridDecades
)

// gridEdge is the lower edge of a cell in seconds, and of cell gridCells the upper edge of the last.
func gridEdge(cell int) float64 {
	return gridLowest * math.Pow(10, float64(cell)/gridPerDecade)
}

// gridEdges are the lower edges of all cells in nanoseconds.
func gridEdges() [gridCells]results.Instant {
	var edges [gridCells]results.Instant
	for i := range edges {
		edges[i] = results.Instant(gridEdge(i) * 1e9)
	}
	return edges
}

// cells counts latencies; what is below the grid is in its first cell, what is above it in its last.
type cells [gridCells]uint32

// quantile is the middle of the cell that the q-quantile by nearest rank lies in, in seconds; NaN of no values.
func (c *cells) quantile(q float64) float64 {
	n := c.n()
	if n == 0 {
		return math.NaN()
	}
	rank, sum := stats.NearestRank(n, q), 0
	for i, k := range c {
		if sum += int(k); sum >= rank {
			return math.Sqrt(gridEdge(i) * gridEdge(i+1))
		}
	}
	return math.NaN() // not reached: the rank is within 1 … n
}

func (c *cells) n() int {
	n := 0
	for _, k := range c {
		n += int(k)
	}
	return n
}

func (c *cells) add(o *cells) {
	for i, k := range o {
		c[i] += k
	}
}
