package profiles

import (
	"math"
	"math/rand/v2"
	"time"
)

// The think processes of a closed loop.
const (
	ThinkConstant    = "constant"
	ThinkExponential = "exponential"
)

// thinkStream is the generator of the first user's think times; the next user's is the next. It follows pickStream.
const thinkStream = 3

// Users hands out what the users of a closed loop do: which requests they send, in the order in which they take them,
// and how long each of them thinks. Which user takes which request depends on the answers; all else is a pure function
// of the step, the pools as they are when it begins, and the seed (see StreamSeed), as for Picks.
type Users struct {
	loop   ClosedLoop
	picker *picker
	random []*rand.Rand // by user, so that one's think times do not depend on how fast others are answered
}

// NewUsers begins the closed loop of a step, which must have one.
func NewUsers(r Requests, pools map[string]Pool, seed uint64) *Users {
	u := &Users{loop: *r.ClosedLoop, picker: newPicker(r, pools, seed)}
	for i := range max(u.loop.Users, 0) {
		u.random = append(u.random, rand.New(rand.NewPCG(seed, thinkStream+uint64(i))))
	}
	return u
}

// Pick is the next request that any user sends; its At says nothing. False when the weights of the mix sum to zero. Not
// for several goroutines at once.
func (u *Users) Pick() (Pick, bool) {
	if u.picker.total <= 0 {
		return Pick{}, false
	}
	return u.picker.pick(0), true
}

// Begin is how long after the step's beginning a user sends its first request: users are spread over one think time, as
// they would be if they had been there for long, and do not all come at once. Each user's numbers begin at 0. It is called
// once, before the user's Think. Different users may be asked about at the same time.
func (u *Users) Begin(user int) time.Duration {
	if u.loop.ThinkProcess == ThinkExponential {
		return u.Think(user) // what is left of an exponential time is exponential
	}
	return fraction(max(time.Duration(u.loop.ThinkTime), 0), user, max(len(u.random), 1))
}

// Think is how long a user thinks after an answer, the next such time with every call. Different users may be asked about
// at the same time.
func (u *Users) Think(user int) time.Duration {
	mean := float64(max(u.loop.ThinkTime, 0))
	if u.loop.ThinkProcess != ThinkExponential {
		return time.Duration(u.loop.ThinkTime)
	}
	nanos := -math.Log1p(-u.random[user].Float64()) * mean
	if nanos >= math.MaxInt64 {
		return math.MaxInt64
	}
	return time.Duration(nanos)
}
