package stats

import (
	"fmt"
	"math"
)

// USL is Gunther's Universal Scalability Law: the throughput of a system with N requests (or users) in it at the same time,
//
//	X(N) = λN / (1 + σ(N−1) + κN(N−1)).
//
// Source: Gunther, Guerrilla Capacity Planning, 2007, chapter 4, in the form with an explicit λ of Gunther, Puglia and
// Tomasette, Hadoop Superlinear Scalability, ACM Queue 13(5), 2015.
type USL struct {
	Lambda float64 `json:"lambda"` // throughput of one request at a time, 1/s; > 0
	Sigma  float64 `json:"sigma"`  // contention: the share of the work that has to queue; 0 … 1
	Kappa  float64 `json:"kappa"`  // coherence: the cost of each pair that has to agree; ≥ 0
}

// Throughput is X(N), a second.
func (u USL) Throughput(n float64) float64 { return u.Lambda * u.gain(n) }

// gain is X(N)/λ.
func (u USL) gain(n float64) float64 { return n / (1 + u.Sigma*(n-1) + u.Kappa*n*(n-1)) }

// Latency is the mean time of a request in seconds when N are in the system: R = N/X(N), by Little's law.
func (u USL) Latency(n float64) float64 { return n / u.Throughput(n) }

// Knee is the load N* = √((1−σ)/κ) beyond which throughput falls; there is none when κ is 0.
func (u USL) Knee() (n float64, ok bool) {
	if u.Kappa <= 0 {
		return math.Inf(1), false
	}
	return math.Sqrt((1 - u.Sigma) / u.Kappa), true
}

// Peak is the largest throughput that the law allows: X(N*) at the knee, the asymptote λ/σ when κ is 0, and infinite when
// σ is 0, too.
func (u USL) Peak() float64 {
	if n, ok := u.Knee(); ok {
		return u.Throughput(max(n, 1)) // a knee below 1 means that one request at a time is best
	}
	return u.Lambda / u.Sigma
}

// LoadPoint is one measurement of a system under load.
type LoadPoint struct {
	Load       float64 // requests or users in the system, on average; > 0
	Throughput float64 // a second; > 0
	Weight     float64 // of its squared error; 0 counts as 1
}

// USLFit is a law fitted to measurements, with percentile intervals of a residual bootstrap.
type USLFit struct {
	USL
	N          int     // measurements
	Loads      int     // different loads among them
	From, To   float64 // the loads that were measured
	Confidence float64
	// Intervals are low and high ends. The knee's are infinite where the resamples had none.
	LambdaInterval, SigmaInterval, KappaInterval, KneeInterval, PeakInterval [2]float64
	R2                                                                       float64 // share of the (weighted) variance of throughput that the law explains; below 0 it is worse than the mean
	RelativeError                                                            float64 // root mean square of (measured − fitted)/fitted
	Warnings                                                                 []string
}

// USLOptions are the choices of a fit.
type USLOptions struct {
	Seed       uint64  // of the bootstrap; the same seed gives the same intervals
	Resamples  int     // 0 means 999
	Confidence float64 // 0 means 0.95
}

// leastLoads is how many different loads a fit needs: three parameters fit three points of anything exactly, and Gunther
// asks for about six so that the shape shows.
const leastLoads = 6

// FitUSL fits the law by weighted least squares of throughput. It refuses, with an error that says why, what it cannot
// fit: fewer than six different loads, or measurements that are not positive numbers. What makes a fit doubtful is in its
// Warnings.
func FitUSL(points []LoadPoint, o USLOptions) (USLFit, error) {
	if o.Resamples == 0 {
		o.Resamples = 999
	}
	if o.Confidence == 0 {
		o.Confidence = 0.95
	}
	f := USLFit{N: len(points), From: math.Inf(1), Confidence: o.Confidence}
	different := map[float64]bool{}
	for i, p := range points {
		if !positive(p.Load) || !positive(p.Throughput) || !(p.Weight >= 0) || math.IsInf(p.Weight, 1) {
			return f, fmt.Errorf("measurement %d of %d is not a load with a throughput above 0: load %v, throughput %v, weight %v", i+1, len(points), p.Load, p.Throughput, p.Weight)
		}
		different[p.Load] = true
		f.From, f.To = min(f.From, p.Load), max(f.To, p.Load)
	}
	f.Loads = len(different)
	if f.Loads < leastLoads {
		return f, fmt.Errorf("%d different loads; a scalability law needs at least %d", f.Loads, leastLoads)
	}
	f.USL = leastSquares(points, linearised(points), true)
	f.goodness(points)
	f.bootstrap(points, o)
	f.warn()
	return f, nil
}

func positive(v float64) bool { return v > 0 && !math.IsInf(v, 1) }

func (p LoadPoint) weight() float64 {
	if p.Weight == 0 {
		return 1
	}
	return p.Weight
}

// goodness fills R2 and RelativeError.
func (f *USLFit) goodness(points []LoadPoint) {
	var weights, mean, within, total, relative float64
	for _, p := range points {
		weights += p.weight()
		mean += p.weight() * p.Throughput
	}
	mean /= weights
	for _, p := range points {
		fitted := f.Throughput(p.Load)
		within += p.weight() * (p.Throughput - fitted) * (p.Throughput - fitted)
		total += p.weight() * (p.Throughput - mean) * (p.Throughput - mean)
		relative += (p.Throughput/fitted - 1) * (p.Throughput/fitted - 1)
	}
	f.R2 = 1 - within/total
	if total == 0 {
		f.R2 = 0 // all throughputs are the same: there is nothing to explain
	}
	f.RelativeError = math.Sqrt(relative / float64(len(points)))
}

// warn says what a reader must know before believing the fit.
func (f *USLFit) warn() {
	add := func(format string, args ...any) { f.Warnings = append(f.Warnings, fmt.Sprintf(format, args...)) }
	if f.R2 < 0.9 {
		add("the law explains %.0f %% of the variance of throughput: it does not describe these measurements well", 100*max(f.R2, 0))
	}
	knee, ok := f.Knee()
	switch {
	case !ok && f.Sigma == 0:
		add("throughput rises in proportion to the load over the whole range: no limit shows in it")
	case !ok:
		add("there is no knee (κ is 0): throughput nears %.4g and does not fall", f.Peak())
	case knee > f.To:
		add("the knee at %.3g lies outside of the measured loads (%.3g to %.3g): it is extrapolated", knee, f.From, f.To)
	}
	if ok && math.IsInf(f.KneeInterval[1], 1) {
		add("the knee has no upper bound: some resamples have none")
	}
}
