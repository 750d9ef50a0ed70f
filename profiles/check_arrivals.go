package profiles

import (
	"fmt"
	"strings"
)

const (
	// fastest bounds a rate: one stream of more arrivals a second is a slip of the keyboard.
	fastest = 1e6
	// streamsPerConnection is how many requests a connection carries at a time: kube-apiserver's default of
	// --http2-max-streams-per-connection.
	streamsPerConnection = 100
)

// pace checks what says when a step's requests are sent.
func (c *checker) pace(path string, track Track, index int, r Requests) {
	switch {
	case r.Arrivals == nil && r.ClosedLoop == nil:
		if !c.unknown(path+".arrivals", path+".closedLoop") {
			c.problem(path, "write arrivals: {rate: NUMBER} for an open loop, or closedLoop: {users: NUMBER}", "it does not say when: arrivals or closedLoop is required")
		}
		return
	case r.Arrivals != nil && r.ClosedLoop != nil:
		c.problem(path+".closedLoop", "take one of them away", "arrivals say already when requests are sent")
	}
	if r.Arrivals != nil {
		c.arrivals(path+".arrivals", *r.Arrivals)
		c.endless(path+".arrivals", track, index, r)
	}
	if r.ClosedLoop != nil {
		c.closedLoop(path, r)
		c.oneLoop(path+".closedLoop", track)
		c.endless(path+".closedLoop", track, index, r)
	}
}

// arrivals checks a rate, fixed or in stages.
func (c *checker) arrivals(path string, a Arrivals) {
	c.enum(path+".process", a.Process, enumOf[Arrivals]("process"))
	if len(a.Stages) > 0 {
		c.stages(path, a)
		return
	}
	if c.absent(path + ".rate") {
		if !c.unknown(path + ".stages") {
			c.problem(path+".rate", "write the number of arrivals a second, or stages", "is required")
		}
	} else if c.notTooFast(path+".rate", a.Rate) {
		c.positive(path+".rate", a.Rate)
	}
	c.delay(path+".for", a.For)
}

// notTooFast checks the upper bound of a rate.
func (c *checker) notTooFast(path string, rate float64) bool {
	if rate > fastest {
		c.problem(path, "", "must be at most %d, not %v", int(fastest), rate)
		return false
	}
	return true
}

// stages checks a rate that changes.
func (c *checker) stages(path string, a Arrivals) {
	if a.For != 0 {
		c.problem(path+".for", "take it away", "the stages say how long the stream lasts, %s", Duration(a.Length()))
	}
	switch first := a.Stages[0].Shape; {
	case a.Rate != 0 && first != ShapeLinear && !c.unknown(joinIndex(path+".stages", 0)+".shape"):
		c.problem(path+".rate", "take it away", "the stages say the rate; only a first stage of shape linear begins from it, and this one is %s", first)
	case c.notTooFast(path+".rate", a.Rate):
		c.notNegative(path+".rate", a.Rate)
	}
	before := len(c.found.list)
	for i, stage := range a.Stages {
		c.stage(joinIndex(path+".stages", i), stage)
	}
	if len(c.found.list) == before && !c.unknownWithin(path+".stages") && a.Peak() == 0 {
		c.problem(path+".stages", "give at least one stage a rate", "all rates are 0, so there is nothing to send")
	}
}

func (c *checker) stage(path string, s Stage) {
	if c.absent(path + ".for") {
		c.problem(path+".for", "write for: DURATION, how long the stage lasts", "is required")
	} else {
		c.span(path+".for", s.For)
	}
	if !c.enum(path+".shape", s.Shape, enumOf[Stage]("shape")) || c.unknown(path+".shape") {
		return
	}
	c.stageRate(path+".rate", s)
	c.amplitude(path+".amplitude", s)
	c.samples(path+".rates", s)
}

// stageRate checks what rate means for the shape: a ramp may end, and a stream may hold, at 0.
func (c *checker) stageRate(path string, s Stage) {
	switch {
	case s.Shape != ShapeCurve && c.absent(path):
		c.problem(path, "write the number of arrivals a second", "is required")
	case !c.notTooFast(path, s.Rate):
	case s.Shape == ShapeSine || s.Shape == ShapeCurve:
		c.positive(path, s.Rate)
	default:
		c.notNegative(path, s.Rate)
	}
}

func (c *checker) amplitude(path string, s Stage) {
	switch {
	case s.Shape != ShapeSine:
		if s.Amplitude != 0 {
			c.problem(path, "take it away, or write shape: sine", "only a sine has an amplitude, and this stage is %s", s.Shape)
		}
	case c.absent(path):
		c.problem(path, "write how far the rate goes below and above its mean, in arrivals a second", "is required")
	case s.Amplitude > s.Rate && s.Rate > 0:
		c.problem(path, fmt.Sprintf("write at most %v, with which the lowest rate is 0", s.Rate), "must be at most the rate, %v, not %v: the rate would be negative for a while", s.Rate, s.Amplitude)
	default:
		c.positive(path, s.Amplitude)
	}
}

func (c *checker) samples(path string, s Stage) {
	switch {
	case s.Shape != ShapeCurve:
		if len(s.Rates) > 0 {
			c.problem(path, "take it away, or write shape: curve", "only a curve has rates, and this stage is %s", s.Shape)
		}
		return
	case c.absent(path):
		c.problem(path, "write rates: [NUMBER, NUMBER, …], evenly spaced over the stage", "is required")
		return
	case len(s.Rates) < 2:
		c.problem(path, "write the rate at the stage's beginning and at its end, at least", "has %s; a curve needs at least 2", counted(len(s.Rates), "sample"))
	}
	for i, rate := range s.Rates {
		at := joinIndex(path, i)
		switch {
		case s.Rate > 0 && rate <= fastest && rate*s.Rate > fastest:
			c.problem(at, "", "must be at most %d, not %v times %v", int(fastest), rate, s.Rate)
		case c.notTooFast(at, rate):
			c.notNegative(at, rate)
		}
	}
}

// closedLoop checks the users. All of them must be able to have a request under way, or they would wait for each other
// in the generator, which no record would show.
func (c *checker) closedLoop(path string, r Requests) {
	l, at := *r.ClosedLoop, path+".closedLoop"
	if c.absent(at + ".users") {
		c.problem(at+".users", "write the number of users", "is required")
		return
	}
	c.atLeast(at+".users", l.Users, 1)
	c.delay(at+".thinkTime", l.ThinkTime)
	c.enum(at+".thinkProcess", l.ThinkProcess, enumOf[ClosedLoop]("thinkProcess"))
	if l.ThinkProcess == ThinkExponential && l.ThinkTime == 0 && !c.unknown(at+".thinkTime") {
		c.problem(at+".thinkProcess", "write thinkTime: DURATION, or take it away", "an exponential think time needs a mean, and thinkTime is 0s")
	}
	c.delay(at+".for", l.For)
	if c.unknown(at+".users", path+".maxInFlight", path+".connections") || r.MaxInFlight < 1 || r.Connections < 1 {
		return
	}
	if l.Users > r.MaxInFlight {
		c.problem(path+".maxInFlight", "take it away: the users are the bound", "must be at least the number of users, %d, not %d", l.Users, r.MaxInFlight)
	}
	if l.Users > r.Connections*streamsPerConnection {
		need := (l.Users-1)/streamsPerConnection + 1
		c.problem(at+".users", fmt.Sprintf("write connections: %d", need), "%s carry at most %d requests at a time", counted(r.Connections, "connection"), r.Connections*streamsPerConnection)
	}
}

// oneLoop checks that all requests of a track are of a closed loop when some are: results are told apart by track.
func (c *checker) oneLoop(path string, t Track) {
	var open []string
	for i, s := range t.Steps {
		if s.arrivals() != nil && (s.Requests == nil || s.Requests.ClosedLoop == nil) { // a step with both is a problem already
			open = append(open, joinIndex("steps", i))
		}
	}
	if len(open) > 0 {
		c.problem(path, "put the closed loop into a track of its own, or into another phase", "this track has arrivals, too (%s), and results tell a closed loop from an open one by the track", strings.Join(open, ", "))
	}
}

// endless checks a stream that does not say how long it lasts.
func (c *checker) endless(path string, track Track, index int, r Requests) {
	switch {
	case !r.endless() || c.unknown(path+".for", path+".stages"):
	case !track.Background:
		c.problem(path, "write for: DURATION, or make the track background: true", "the stream has no end, and the phase would wait for it")
	case index < len(track.Steps)-1:
		c.problem(path, "write for: DURATION", "the stream lasts to the end of the phase, so the steps after it are never reached")
	}
}
