package stats

import (
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/optimize"
	"gonum.org/v1/gonum/stat/distuv"
)

// linearised is the fit of N/X = 1/λ + (σ/λ)(N−1) + (κ/λ)N(N−1), which is linear in its coefficients: where the search for
// the least squares begins. Each equation is divided by its left side, so that the relative errors count.
func linearised(points []LoadPoint) USL {
	a, ones := mat.NewDense(len(points), 3, nil), mat.NewVecDense(len(points), nil)
	for i, p := range points {
		w, x := math.Sqrt(p.weight()), p.Throughput/p.Load
		a.SetRow(i, []float64{w * x, w * x * (p.Load - 1), w * x * p.Load * (p.Load - 1)})
		ones.SetVec(i, w)
	}
	var c mat.VecDense
	if err := c.SolveVec(a, ones); err != nil || !(c.AtVec(0) > 0) {
		return USL{Lambda: points[0].Throughput / points[0].Load, Sigma: 0.1, Kappa: 1e-4}
	}
	return USL{Lambda: 1 / c.AtVec(0), Sigma: c.AtVec(1) / c.AtVec(0), Kappa: c.AtVec(2) / c.AtVec(0)}
}

// leastSquares finds the law with the smallest weighted sum of squared errors, beginning at start. The best may lie on the
// border (σ = 0 or κ = 0), which no smooth parameter reaches: so the law is fitted with both, with either and with none of
// them, and the best is taken, the one with fewer parameters among equals. polish searches on to full precision.
func leastSquares(points []LoadPoint, start USL, polish bool) USL {
	sigma, kappa := logit(start.Sigma), math.Log(max(start.Kappa, 1e-9))
	models := []struct {
		from []float64
		law  func(x []float64) USL
	}{
		{nil, func([]float64) USL { return USL{} }},
		{[]float64{sigma}, func(x []float64) USL { return USL{Sigma: logistic(x[0])} }},
		{[]float64{kappa}, func(x []float64) USL { return USL{Kappa: math.Exp(x[0])} }},
		{[]float64{sigma, kappa}, func(x []float64) USL { return USL{Sigma: logistic(x[0]), Kappa: math.Exp(x[1])} }},
	}
	best, least := USL{}, math.Inf(1)
	scale := 0.0
	for _, p := range points {
		scale += p.weight() * p.Throughput * p.Throughput
	}
	for _, m := range models {
		problem := optimize.Problem{
			Func: func(x []float64) float64 {
				_, sum := project(points, m.law(x))
				return sum / scale
			},
			Grad: func(grad, x []float64) {
				u, _ := project(points, m.law(x))
				s, k := slope(points, u)
				both := []float64{s * u.Sigma * (1 - u.Sigma) / scale, k * u.Kappa / scale} // by the logit of σ and the logarithm of κ
				copy(grad, both)
				if len(x) == 1 && u.Sigma == 0 {
					grad[0] = both[1]
				}
			},
		}
		law, sum := project(points, m.law(minimum(problem, m.from, polish)))
		if sum/scale < least*(1-1e-9)-1e-15 {
			best, least = law, sum/scale
		}
	}
	return best
}

// slope is the derivative of the sum of squared errors by σ and by κ. λ is at its best, so that its own change adds nothing.
func slope(points []LoadPoint, u USL) (bySigma, byKappa float64) {
	for _, p := range points {
		g := u.gain(p.Load)
		// ∂X/∂σ = −λg²(N−1)/N and ∂X/∂κ = −λg²(N−1).
		common := 2 * p.weight() * (p.Throughput - u.Lambda*g) * u.Lambda * g * g * (p.Load - 1)
		bySigma += common / p.Load
		byKappa += common
	}
	return bySigma, byKappa
}

// project gives a law its best λ, which for given σ and κ is a linear least squares in one unknown, and the sum of squared
// errors that remains: infinite for a law that is not positive at every load.
func project(points []LoadPoint, u USL) (USL, float64) {
	var xg, gg float64
	for _, p := range points {
		g := u.gain(p.Load)
		if !positive(g) {
			return u, math.Inf(1)
		}
		xg += p.weight() * p.Throughput * g
		gg += p.weight() * g * g
	}
	u.Lambda = xg / gg
	sum := 0.0
	for _, p := range points {
		e := p.Throughput - u.Throughput(p.Load)
		sum += p.weight() * e * e
	}
	return u, sum
}

// minimum searches by BFGS, and with polish from where that ended by Nelder and Mead's simplex, which needs no slope and so
// gets nearer where the slope is next to nothing.
func minimum(problem optimize.Problem, from []float64, polish bool) []float64 {
	if len(from) == 0 {
		return nil
	}
	at := from
	search := func(method optimize.Method, s optimize.Settings) {
		// A search that can make no more progress ends with an error and where it was, which is what is wanted.
		if r, _ := optimize.Minimize(problem, at, &s, method); r != nil && r.F <= problem.Func(at) {
			at = r.X
		}
	}
	search(&optimize.BFGS{}, optimize.Settings{MajorIterations: 200, GradientThreshold: 1e-12,
		Converger: &optimize.FunctionConverge{Absolute: 1e-18, Relative: 1e-9, Iterations: 3}})
	if polish {
		search(&optimize.NelderMead{}, optimize.Settings{MajorIterations: 2000,
			Converger: &optimize.FunctionConverge{Absolute: 1e-18, Relative: 1e-10, Iterations: 30}})
	}
	return at
}

// logit maps the contention from 0 … 1 to all numbers; the ends, which have no image, are moved inwards.
func logit(p float64) float64 {
	p = min(max(p, 1e-6), 1-1e-6)
	return math.Log(p / (1 - p))
}

func logistic(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

// bootstrap fills the intervals: the residuals, drawn with replacement, are added to the fitted curve and the law is fitted
// again (Efron and Tibshirani, An Introduction to the Bootstrap, §9.4). The residuals of a fit are smaller than the errors,
// each by √(1−h) with h its leverage (Davison and Hinkley, Bootstrap Methods and their Application, §6.2.3), and a
// percentile interval of few of them is too short, by about Student's quantile with n−3 degrees of freedom over the normal
// one: both are made good.
func (f *USLFit) bootstrap(points []LoadPoint, o USLOptions) {
	tail := (1 + o.Confidence) / 2
	enlarge := distuv.StudentsT{Sigma: 1, Nu: float64(len(points) - 3)}.Quantile(tail) / distuv.UnitNormal.Quantile(tail)
	residuals := f.residuals(points)
	random := rand.New(rand.NewPCG(o.Seed, uint64(len(points))))
	var lambda, sigma, kappa, knee, peak []float64
	again := slices.Clone(points)
	for range o.Resamples {
		for i, p := range points {
			e := enlarge * residuals[random.IntN(len(residuals))] / math.Sqrt(p.weight())
			again[i].Throughput = max(f.Throughput(p.Load)+e, 1e-3*p.Throughput) // a throughput cannot be negative
		}
		u := leastSquares(again, f.USL, false)
		k, _ := u.Knee()
		lambda, sigma, kappa = append(lambda, u.Lambda), append(sigma, u.Sigma), append(kappa, u.Kappa)
		knee, peak = append(knee, k), append(peak, u.Peak())
	}
	ends := func(values []float64) [2]float64 {
		slices.Sort(values)
		from := max(int(float64(len(values)+1)*(1-tail)), 1) // the rank from either end
		return [2]float64{values[from-1], values[len(values)-from]}
	}
	f.LambdaInterval, f.SigmaInterval, f.KappaInterval = ends(lambda), ends(sigma), ends(kappa)
	f.KneeInterval, f.PeakInterval = ends(knee), ends(peak)
}

// residuals are the errors of unit weight, each enlarged for its leverage, and centred.
func (f *USLFit) residuals(points []LoadPoint) []float64 {
	jacobian := mat.NewDense(len(points), 3, nil)
	residuals := make([]float64, len(points))
	for i, p := range points {
		w, g := math.Sqrt(p.weight()), f.gain(p.Load)
		jacobian.SetRow(i, []float64{w * g, -w * f.Lambda * g * g * (p.Load - 1) / p.Load, -w * f.Lambda * g * g * (p.Load - 1)})
		residuals[i] = w * (p.Throughput - f.Throughput(p.Load))
	}
	var qr mat.QR
	qr.Factorize(jacobian)
	var q mat.Dense
	qr.QTo(&q)
	mean := 0.0
	for i := range residuals {
		leverage := mat.Dot(q.RowView(i).(*mat.VecDense).SliceVec(0, 3), q.RowView(i).(*mat.VecDense).SliceVec(0, 3))
		residuals[i] /= math.Sqrt(max(1-leverage, 0.05)) // a point that the fit must pass through has no residual to enlarge
		mean += residuals[i] / float64(len(residuals))
	}
	for i := range residuals {
		residuals[i] -= mean
	}
	return residuals
}
