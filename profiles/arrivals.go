package profiles

import (
	"fmt"
	"math"
	"time"
)

// Length is how long the stream lasts: For, or the sum of the stages. 0 means that it has no end of its own.
func (a Arrivals) Length() time.Duration {
	if len(a.Stages) == 0 {
		return time.Duration(a.For)
	}
	total := time.Duration(0)
	for _, stage := range a.Stages {
		total += stage.length(total)
	}
	return total
}

// endless tells that the stream has no end of its own.
func (a Arrivals) endless() bool { return len(a.Stages) == 0 && a.For == 0 }

// Expected is the number of arrivals planned in the first t of the stream: with process constant the number itself,
// rounded up, with poisson its mean. It is the integral of the rate from 0 to t.
func (a Arrivals) Expected(t time.Duration) float64 {
	if len(a.Stages) > 0 {
		return intensityOf(a).expected(t)
	}
	if a.For > 0 {
		t = min(t, time.Duration(a.For))
	}
	return a.Rate * secondsOf(Duration(t))
}

// Peak is the largest rate of the stream, in arrivals a second.
func (a Arrivals) Peak() float64 {
	if len(a.Stages) == 0 {
		return a.Rate
	}
	largest := 0.0
	for _, p := range intensityOf(a) {
		largest = max(largest, p.shape.peak())
	}
	return largest
}

// reach is the instant by which n arrivals are expected, at most the stream's length.
func (a Arrivals) reach(n float64) time.Duration {
	if len(a.Stages) > 0 {
		if at, ever := intensityOf(a).instant(n); ever {
			return at
		}
		return a.Length()
	}
	if !(a.Rate > 0) {
		return 0
	}
	return time.Duration(min(n/a.Rate, 1e9) * float64(time.Second))
}

// text is the arrivals in a few words.
func (a Arrivals) text() string {
	if n := len(a.Stages); n > 0 {
		return fmt.Sprintf("%s, %s over %s, at most %s/s", a.Process, counted(n, "stage"), Duration(a.Length()), shortRate(a.Peak()))
	}
	text := fmt.Sprintf("%s %.4g/s", a.Process, a.Rate)
	if a.For > 0 {
		text += " for " + a.For.String()
	}
	return text
}

// shortRate is a rate with four significant digits, or all before the point.
func shortRate(rate float64) string {
	if rate >= 1000 {
		return fmt.Sprintf("%.0f", math.Ceil(rate))
	}
	return fmt.Sprintf("%.4g", rate)
}

// text is the closed loop in a few words.
func (c ClosedLoop) text() string {
	text := fmt.Sprintf("closed loop, %s, think %s", counted(c.Users, "user"), c.ThinkTime)
	if c.ThinkProcess == ThinkExponential {
		text += " in the mean"
	}
	if c.For > 0 {
		text += " for " + c.For.String()
	}
	return text
}

// Length is how long the step sends requests by itself; 0 means to the end of the phase.
func (r *Requests) Length() time.Duration {
	switch {
	case r.Arrivals != nil:
		return r.Arrivals.Length()
	case r.ClosedLoop != nil:
		return time.Duration(r.ClosedLoop.For)
	}
	return 0
}

// endless tells that the step has no end of its own.
func (r *Requests) endless() bool {
	if r.Arrivals != nil {
		return r.Arrivals.endless()
	}
	return r.ClosedLoop != nil && r.ClosedLoop.For == 0
}

// expected is how many requests are planned in the first t. Of a closed loop that is not known before its answers are.
func (r *Requests) expected(t time.Duration) float64 {
	if r.Arrivals == nil {
		return 0
	}
	return r.Arrivals.Expected(t)
}

// pace says when requests are sent, in a few words.
func (r *Requests) pace() string {
	switch {
	case r.Arrivals != nil:
		return r.Arrivals.text()
	case r.ClosedLoop != nil:
		return r.ClosedLoop.text()
	}
	return "never"
}
