package profiles

import (
	"iter"
	"math/rand/v2"
	"sort"
	"time"
)

// Pool is the window of a template's live instances: the numbers First ≤ i < Next.
type Pool struct {
	First int `json:"first"`
	Next  int `json:"next"`
	// Bound is the number of the first instance that was not taken by an EffectBind yet.
	Bound int `json:"bound,omitempty"`
}

// Size is the number of live instances.
func (p Pool) Size() int { return p.Next - p.First }

// Pick is one planned request of a Requests step.
type Pick struct {
	// At is the planned instant, since the step's start.
	At time.Duration
	// Request is the index in the step's mix.
	Request int
	// Index is the number of the target instance; -1 where there is none (EffectNone).
	Index int
	// Identity is the number of the user who sends it.
	Identity int
	// Draw is a random number for choices among what is known only at run time: the namespace of a LIST, the target of a
	// GET by resource. Take it modulo the number of candidates.
	Draw uint64
	// NoTarget says that the pool cannot serve this request, which is then recorded and not sent: it is empty, or a DELETE
	// would leave fewer than half of the instances that it had at the start.
	NoTarget bool
}

// Picks yields the planned requests of a step in the order of their instants. It is a pure function of the step, the pools
// as they are when the step begins, and the seed (see StreamSeed): it assumes that what it plans happens. Which instance
// a request takes follows from its Effect: the next number, the oldest instance, the oldest that was not bound yet, or one
// at random that is neither about to go nor has only just come, see safeMiddle. Templates that pools does not have start empty. A
// step that is a closed loop has no planned instants, see Users.
func Picks(r Requests, pools map[string]Pool, seed uint64) iter.Seq[Pick] {
	return func(yield func(Pick) bool) {
		p := newPicker(r, pools, seed)
		if p.total <= 0 || r.Arrivals == nil {
			return
		}
		for at := range Schedule(*r.Arrivals, seed) {
			if !yield(p.pick(at)) {
				return
			}
		}
	}
}

// picker is the state of Picks between two requests.
type picker struct {
	mix        []Request
	effects    []Effect  // of each request
	cumulative []float64 // weights summed up to and with each request
	total      float64
	identities int
	random     *rand.Rand
	pools      map[string]*livePool
}

// livePool is a pool during a step.
type livePool struct {
	Pool
	initial  int
	post     bool // the mix adds instances
	deletion bool // the mix removes instances
}

func newPicker(r Requests, pools map[string]Pool, seed uint64) *picker {
	p := &picker{
		mix:        r.Mix,
		identities: max(r.Identities, 1),
		random:     rand.New(rand.NewPCG(seed, pickStream)),
		pools:      map[string]*livePool{},
	}
	for _, request := range r.Mix {
		p.total += max(request.Weight, 0)
		p.cumulative = append(p.cumulative, p.total)
		p.effects = append(p.effects, request.Effect())
		if request.Object == "" {
			continue
		}
		pool := p.pools[request.Object]
		if pool == nil {
			start := pools[request.Object]
			pool = &livePool{Pool: start, initial: start.Size()}
			p.pools[request.Object] = pool
		}
		pool.post = pool.post || request.Effect() == EffectAdd
		pool.deletion = pool.deletion || request.Effect() == EffectRemove
	}
	return p
}

// pick plans one request. It draws the same count of random numbers whatever the request, so that a change of one verb
// leaves the other choices as they were.
func (p *picker) pick(at time.Duration) Pick {
	share := p.random.Float64() * p.total
	pick := Pick{
		At:       at,
		Request:  sort.Search(len(p.cumulative)-1, func(i int) bool { return p.cumulative[i] > share }),
		Index:    -1,
		Identity: p.random.IntN(p.identities),
		Draw:     p.random.Uint64(),
	}
	request := p.mix[pick.Request]
	if effect := p.effects[pick.Request]; effect != EffectNone {
		pick.Index, pick.NoTarget = p.pools[request.Object].take(effect, pick.Draw)
	}
	return pick
}

// triedNumbers is where the numbers begin of instances that are tried and never made, far from those that are.
const triedNumbers = 1_000_000_000

// take chooses the instance for a request and accounts for what the request does to the pool.
func (l *livePool) take(effect Effect, draw uint64) (index int, noTarget bool) {
	switch effect {
	case EffectAdd:
		l.Next++
		return l.Next - 1, false
	case EffectTry:
		return triedNumbers + int(draw%triedNumbers), false
	case EffectRemove:
		if l.Size() == 0 || 2*(l.Size()-1) < l.initial {
			return -1, true
		}
		l.First++
		return l.First - 1, false
	case EffectBind:
		young := 0
		if l.post {
			young = l.Size() / 4 // may not have come yet
		}
		if l.Bound = max(l.Bound, l.First); l.Bound >= l.Next-young {
			return -1, true
		}
		l.Bound++
		return l.Bound - 1, false
	}
	low, high := l.safeMiddle()
	if high <= low {
		return -1, true
	}
	return low + int(draw%uint64(high-low)), false
}

// safeMiddle is the part of the window from which reads and updates take their targets. Requests overlap, so an instance
// at the old end may be gone before a GET that was planned earlier arrives, and one at the young end may not have come
// yet; a quarter of the pool is left alone at an end that moves.
func (l *livePool) safeMiddle() (low, high int) {
	low, high = l.First, l.Next
	margin := l.Size() / 4
	if l.deletion {
		low += margin
	}
	if l.post {
		high -= margin
	}
	return low, high
}
