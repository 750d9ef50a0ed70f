package paper

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"sort"

	"windtunnel/analysis/stats"
)

const (
	blockSeconds = 10   // length of a block
	minBlocks    = 10   // below so many blocks there is no interval
	resamples    = 5000 // of the bootstrap
)

// blocks cuts the strata of a run into pieces of ten seconds. Requests that are close in time share what slows them down, so that
// whole pieces are drawn again, not single requests (Carlstein 1986: blocks that do not overlap), and each stratum gets as many
// pieces as it has: no resample lacks a peak, and none has two.
type blocks struct {
	strata []stratum
	first  []int // number of each stratum's first block; −1 of one that is left out
	n      int
	part   bool // a stratum is left out
}

func newBlocks(all []stratum, keep func(stratum) bool) blocks {
	b := blocks{strata: all}
	for _, s := range all {
		if !keep(s) {
			b.first, b.part = append(b.first, -1), true
			continue
		}
		b.first = append(b.first, b.n)
		b.n += b.in(s)
	}
	return b
}

// in is the number of blocks of a stratum: whole ones, the last of which takes what is left over.
func (b blocks) in(s stratum) int {
	return max(int((s.end-s.begin)/(blockSeconds*1e9)), 1)
}

// of is the block of a request, by the stratum that had begun last when it was planned; −1 when none had, or that is left out.
func (b blocks) of(r Request) int {
	for i := len(b.strata) - 1; i >= 0; i-- {
		if s := b.strata[i]; r.At >= s.begin {
			if b.first[i] < 0 {
				return -1
			}
			return b.first[i] + min(int((r.At-s.begin)/(blockSeconds*1e9)), b.in(s)-1)
		}
	}
	return -1
}

// draw counts how often each block is drawn in one resample.
func (b blocks) draw(random *rand.Rand, times []int) {
	clear(times)
	for i, s := range b.strata {
		if b.first[i] < 0 {
			continue
		}
		n := b.in(s)
		for range n {
			times[b.first[i]+random.IntN(n)]++
		}
	}
}

// weighted is a sample in ascending order, each value with its block. below[k][b] is how many of the first k·stride values are
// of block b, so that a quantile of a resample costs the same for every size of the sample.
type weighted struct {
	value  []float64
	block  []int
	stride int
	below  [][]int
}

// segments is the most parts that a sample is counted in.
const segments = 1024

// weigh sorts requests; those in no block are left out.
func (b blocks) weigh(requests []Request) weighted {
	sorted := slices.SortedFunc(slices.Values(requests), func(x, y Request) int {
		return cmp.Or(cmp.Compare(x.Latency, y.Latency), cmp.Compare(x.At, y.At))
	})
	w := weighted{stride: len(sorted)/segments + 1}
	counts := make([]int, b.n)
	for _, r := range sorted {
		block := b.of(r)
		if block < 0 {
			continue
		}
		if len(w.value)%w.stride == 0 {
			w.below = append(w.below, slices.Clone(counts))
		}
		w.value, w.block = append(w.value, r.Latency), append(w.block, block)
		counts[block]++
	}
	w.below = append(w.below, counts)
	return w
}

// weighted are a sample's answers with the blocks of its run.
func (s *Sample) weighted(b blocks) weighted {
	if w, ok := s.weights[b.part]; ok {
		return w
	}
	if s.weights == nil {
		s.weights = map[bool]weighted{}
	}
	s.weights[b.part] = b.weigh(s.answers())
	return s.weights[b.part]
}

// quantile is the q-quantile by nearest rank of the sample in which every value stands as often as its block was drawn; false
// when none was.
func (w weighted) quantile(q float64, times []int) (float64, bool) {
	drawn := func(k int) int {
		sum := 0
		for b, n := range w.below[k] {
			sum += n * times[b]
		}
		return sum
	}
	last := len(w.below) - 1
	n := drawn(last)
	if n == 0 {
		return 0, false
	}
	rank := stats.NearestRank(n, q)
	k := sort.Search(last-1, func(k int) bool { return drawn(k+1) >= rank })
	rank -= drawn(k)
	for i := k * w.stride; ; i++ { // the segment holds the rank, so that this ends in it
		if rank -= times[w.block[i]]; rank <= 0 {
			return w.value[i], true
		}
	}
}

// bootstrap gives the percentile interval, of a level such as 0.95, of a statistic of a run whose blocks are drawn again. The statistic gets how
// often each block was drawn and says whether it has a value; every one of a run sees the same draws for the same seed. nil
// where the run has too few blocks, or the statistic too few values.
func bootstrap(b blocks, seed uint64, level float64, statistic func(times []int) (float64, bool)) (low, high *float64) {
	if b.n < minBlocks {
		return nil, nil
	}
	random := rand.New(rand.NewPCG(seed, uint64(b.n)))
	times := make([]int, b.n)
	values := make([]float64, 0, resamples)
	for range resamples {
		b.draw(random, times)
		if v, ok := statistic(times); ok {
			values = append(values, v)
		}
	}
	if len(values) < resamples*9/10 {
		return nil, nil
	}
	slices.Sort(values)
	low, high = &values[stats.NearestRank(len(values), (1-level)/2)-1], &values[stats.NearestRank(len(values), (1+level)/2)-1]
	return low, high
}
