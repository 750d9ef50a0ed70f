package profiles

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func genArrivals(t *rapid.T) Arrivals {
	return Arrivals{
		Process: rapid.SampledFrom([]string{ProcessConstant, ProcessPoisson}).Draw(t, "process"),
		Rate:    rapid.Float64Range(0.1, 500).Draw(t, "rate"),
		For:     Duration(rapid.Int64Range(int64(time.Millisecond), int64(20*time.Second)).Draw(t, "for")),
	}
}

func TestScheduleProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, seed := genArrivals(t), rapid.Uint64().Draw(t, "seed")
		instants := slices.Collect(Schedule(a, seed))
		if !slices.Equal(instants, slices.Collect(Schedule(a, seed))) {
			t.Fatal("the same seed gives other instants")
		}
		if !slices.IsSorted(instants) {
			t.Fatal("not in order")
		}
		for _, at := range instants {
			if at < 0 || at >= time.Duration(a.For) {
				t.Fatalf("%s is outside of %s", at, a.For)
			}
		}
		mean := a.Rate * secondsOf(a.For)
		n := float64(len(instants))
		if a.Process == ProcessConstant {
			if math.Abs(n-math.Ceil(mean)) > 1 {
				t.Fatalf("%v arrivals, want %v", n, mean)
			}
			return
		}
		// The count is Poisson distributed; eight standard deviations (and a little for small means) never happen.
		if math.Abs(n-mean) > 8*math.Sqrt(mean)+8 {
			t.Fatalf("%v arrivals, want about %v", n, mean)
		}
	})
}

// TestConstantDoesNotDrift looks at an instant far out.
func TestConstantDoesNotDrift(t *testing.T) {
	const k = 1_000_000
	i := 0
	for at := range Schedule(Arrivals{Process: ProcessConstant, Rate: 3}, 1) {
		if i == k {
			want := time.Duration(math.Round(float64(k) / 3 * 1e9))
			if d := at - want; d < -time.Microsecond || d > time.Microsecond {
				t.Errorf("arrival %d at %s, want %s", k, at, want)
			}
			break
		}
		i++
	}
}

// TestPoissonGaps compares the distribution of the gaps with the exponential one (Kolmogorov-Smirnov; 1.95/√n is the bound
// at 0.1 %).
func TestPoissonGaps(t *testing.T) {
	const rate, n = 50.0, 20_000
	var gaps []float64
	last := 0.0
	for at := range Schedule(Arrivals{Process: ProcessPoisson, Rate: rate}, 7) {
		gaps = append(gaps, at.Seconds()-last)
		last = at.Seconds()
		if len(gaps) == n {
			break
		}
	}
	slices.Sort(gaps)
	distance := 0.0
	for i, gap := range gaps {
		cdf := 1 - math.Exp(-rate*gap)
		distance = max(distance, math.Abs(cdf-float64(i)/n), math.Abs(cdf-float64(i+1)/n))
	}
	if limit := 1.95 / math.Sqrt(n); distance > limit {
		t.Errorf("distance %v, want at most %v", distance, limit)
	}
}

func TestScheduleOfNoRate(t *testing.T) {
	for _, rate := range []float64{0, -1, math.NaN(), math.Inf(1)} {
		for at := range Schedule(Arrivals{Rate: rate, For: Duration(time.Second)}, 1) {
			t.Fatalf("rate %v gives an arrival at %s", rate, at)
		}
	}
}

func TestStreamSeed(t *testing.T) {
	seeds := map[uint64]bool{}
	for _, run := range []uint64{0, 1} {
		for _, names := range [][2]string{{"a", "b"}, {"ab", ""}, {"", "ab"}, {"b", "a"}} {
			for step := range 3 {
				seeds[StreamSeed(run, names[0], names[1], step)] = true
			}
		}
	}
	if len(seeds) != 24 {
		t.Errorf("%d different seeds of 24", len(seeds))
	}
	// The published plans of old runs must stay what they were.
	if got := StreamSeed(1, "workload", "users", 0); got != 0x8e5d292b6aa1db63 {
		t.Errorf("the seed of a stream has changed: %#x", got)
	}
}

func genRequests(t *rapid.T) (Requests, map[string]Pool) {
	arrivals := genArrivals(t)
	r := Requests{Arrivals: &arrivals, Identities: rapid.IntRange(0, 5).Draw(t, "identities")}
	pools := map[string]Pool{}
	for _, name := range []string{"a", "b"} {
		first := rapid.IntRange(0, 50).Draw(t, "first")
		pools[name] = Pool{First: first, Next: first + rapid.IntRange(0, 60).Draw(t, "size")}
	}
	for range rapid.IntRange(1, 8).Draw(t, "requests") {
		r.Mix = append(r.Mix, Request{
			Verb:   rapid.SampledFrom([]string{VerbGet, VerbList, VerbPost, VerbPut, VerbPatch, VerbDelete}).Draw(t, "verb"),
			Object: rapid.SampledFrom([]string{"a", "b"}).Draw(t, "object"),
			Weight: rapid.Float64Range(0, 3).Draw(t, "weight"),
		})
	}
	return r, pools
}

// TestPicksProperties replays the picks against a model of the pools: nothing is deleted twice or before it was made, no
// number is given out twice, targets are alive, and a pool keeps half of what it began with.
func TestPicksProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r, pools := genRequests(t)
		seed := rapid.Uint64().Draw(t, "seed")
		picks := slices.Collect(Picks(r, pools, seed))
		if diff := cmp.Diff(picks, slices.Collect(Picks(r, pools, seed))); diff != "" {
			t.Fatalf("the same seed gives other picks:\n%s", diff)
		}
		live, next, initial := map[string]map[int]bool{}, map[string]int{}, map[string]int{}
		for name, pool := range pools {
			live[name], next[name], initial[name] = map[int]bool{}, pool.Next, pool.Size()
			for i := pool.First; i < pool.Next; i++ {
				live[name][i] = true
			}
		}
		for _, p := range picks {
			one := r.Mix[p.Request]
			if one.Weight == 0 {
				t.Fatal("a request of no weight is sent")
			}
			if p.Identity < 0 || p.Identity >= max(r.Identities, 1) {
				t.Fatalf("identity %d of %d", p.Identity, r.Identities)
			}
			set := live[one.Object]
			switch {
			case one.Verb == VerbList:
				if p.Index != -1 || p.NoTarget {
					t.Fatalf("a LIST has the target %d", p.Index)
				}
			case p.NoTarget:
				if p.Index != -1 || one.Verb == VerbPost || one.Verb != VerbDelete && len(set) > 0 {
					t.Fatalf("%s with %d instances has no target (%d)", one.Verb, len(set), p.Index)
				}
				if one.Verb == VerbDelete && len(set) > 0 && 2*(len(set)-1) >= initial[one.Object] {
					t.Fatalf("no DELETE with %d of %d instances", len(set), initial[one.Object])
				}
			case one.Verb == VerbPost:
				if p.Index != next[one.Object] {
					t.Fatalf("POST of %d, want %d", p.Index, next[one.Object])
				}
				set[p.Index] = true
				next[one.Object]++
			case !set[p.Index]:
				t.Fatalf("%s of %d, which is not there", one.Verb, p.Index)
			case one.Verb == VerbDelete:
				for i := range set {
					if i < p.Index {
						t.Fatalf("DELETE of %d while %d is older", p.Index, i)
					}
				}
				delete(set, p.Index)
				if 2*len(set) < initial[one.Object] {
					t.Fatalf("%d of %d instances left", len(set), initial[one.Object])
				}
			}
		}
	})
}

// TestReadsKeepAway holds the margin at the ends of a pool that moves.
func TestReadsKeepAway(t *testing.T) {
	r := Requests{Arrivals: &Arrivals{Rate: 100, For: Duration(10 * time.Second)}, Mix: []Request{
		{Verb: VerbGet, Object: "a", Weight: 1}, {Verb: VerbPost, Object: "a", Weight: 1}, {Verb: VerbDelete, Object: "a", Weight: 1},
	}}
	pool := Pool{Next: 100}
	reads := 0
	for p := range Picks(r, map[string]Pool{"a": pool}, 3) {
		switch {
		case p.NoTarget:
		case p.Request == 1:
			pool.Next++
		case p.Request == 2:
			pool.First++
		default:
			reads++
			if low, high := p.Index-pool.First, pool.Next-1-p.Index; low < pool.Size()/4 || high < pool.Size()/4 {
				t.Fatalf("GET of %d in %+v", p.Index, pool)
			}
		}
	}
	if reads < 200 {
		t.Errorf("%d reads", reads)
	}
}

// TestMixLeavesInstants holds that the instants do not depend on the mix.
func TestMixLeavesInstants(t *testing.T) {
	r := Requests{Arrivals: &Arrivals{Process: ProcessPoisson, Rate: 50, For: Duration(5 * time.Second)}, Mix: []Request{{Verb: VerbList, Resource: "nodes", Weight: 1}}}
	want := slices.Collect(Schedule(*r.Arrivals, 9))
	for _, mix := range [][]Request{r.Mix, append(r.Mix, Request{Verb: VerbGet, Object: "a", Weight: 2})} {
		r.Mix = mix
		var got []time.Duration
		for p := range Picks(r, nil, 9) {
			got = append(got, p.At)
		}
		if !slices.Equal(got, want) {
			t.Errorf("other instants with %d requests", len(mix))
		}
	}
}

func TestWeights(t *testing.T) {
	r := Requests{Arrivals: &Arrivals{Rate: 1000, For: Duration(10 * time.Second)}, Mix: []Request{
		{Verb: VerbList, Weight: 1}, {Verb: VerbList, Weight: 0}, {Verb: VerbList, Weight: 3},
	}}
	var count [3]int
	for p := range Picks(r, nil, 5) {
		count[p.Request]++
	}
	if count[1] != 0 || count[0] < 2200 || count[0] > 2800 || count[0]+count[2] != 10_000 {
		t.Errorf("counts %v, want about 2 500, 0 and 7 500", count)
	}
}
