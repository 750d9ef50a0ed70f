package stats

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// uslLaws are of the sizes that control planes and textbooks have.
func uslLaws() []USL {
	return []USL{
		{Lambda: 995.6, Sigma: 0.0267, Kappa: 0.000769}, // Gunther's example of a Cisco benchmark
		{Lambda: 40, Sigma: 0.3, Kappa: 0.002},
		{Lambda: 250, Sigma: 0.08, Kappa: 0},
		{Lambda: 250, Sigma: 0, Kappa: 0.001},
		{Lambda: 12.5, Sigma: 0, Kappa: 0},
		{Lambda: 3, Sigma: 0.6, Kappa: 0.01},
	}
}

// uslPoints are points of a law with independent normal errors of a standard deviation relative to the throughput.
func uslPoints(u USL, loads []float64, deviation float64, seed uint64) []LoadPoint {
	random := rand.New(rand.NewPCG(seed, 7))
	points := make([]LoadPoint, len(loads))
	for i, n := range loads {
		points[i] = LoadPoint{Load: n, Throughput: u.Throughput(n) * (1 + deviation*random.NormFloat64())}
	}
	return points
}

// uslNear says that two numbers agree to a relative error, or that both are next to nothing.
func uslNear(a, b, relative, nothing float64) bool {
	return math.Abs(a-b) <= max(relative*math.Abs(b), nothing)
}

func TestUSLRecoversNoiselessParameters(t *testing.T) {
	for _, want := range uslLaws() {
		for _, loads := range [][]float64{{1, 2, 4, 8, 16, 32}, {0.3, 0.9, 3, 7, 15, 24, 40}, {2, 10, 20, 30, 40, 50, 60}} {
			got, err := FitUSL(uslPoints(want, loads, 0, 1), USLOptions{Resamples: 2})
			if err != nil {
				t.Fatal(err)
			}
			if !uslNear(got.Lambda, want.Lambda, 1e-3, 0) || !uslNear(got.Sigma, want.Sigma, 1e-3, 1e-4) || !uslNear(got.Kappa, want.Kappa, 1e-3, 1e-6) {
				t.Errorf("loads %v: fitted %+v, want %+v", loads, got.USL, want)
			}
			// The refits of the bootstrap go without the polish, which would make good for a wrong slope.
			points := uslPoints(want, loads, 0, 1)
			rough := leastSquares(points, USL{Lambda: want.Lambda, Sigma: 0.15, Kappa: 0.003}, false)
			if !uslNear(rough.Lambda, want.Lambda, 0.01, 0) || !uslNear(rough.Sigma, want.Sigma, 0.02, 2e-3) || !uslNear(rough.Kappa, want.Kappa, 0.02, 2e-5) {
				t.Errorf("loads %v: fitted without polish %+v, want %+v", loads, rough, want)
			}
			if got.R2 < 0.999999 {
				t.Errorf("R² of a noiseless law is %v", got.R2)
			}
		}
	}
}

// TestUSLRecoversNoisyParameters: the mean of many fits is the truth, within what the noise leaves of it.
func TestUSLRecoversNoisyParameters(t *testing.T) {
	if testing.Short() {
		t.Skip("a simulation, which make test runs without the race detector")
	}
	want := USL{Lambda: 200, Sigma: 0.1, Kappa: 0.004}
	loads := []float64{1, 2, 4, 8, 12, 16, 24, 32, 48}
	const fits = 200
	var knees, lambdas []float64
	for seed := range uint64(fits) {
		f, err := FitUSL(uslPoints(want, loads, 0.03, seed), USLOptions{Resamples: 2})
		if err != nil {
			t.Fatal(err)
		}
		knee, _ := f.Knee()
		knees, lambdas = append(knees, knee), append(lambdas, f.Lambda)
	}
	slices.Sort(knees)
	slices.Sort(lambdas)
	knee, _ := want.Knee() // 15
	if m := knees[fits/2]; !uslNear(m, knee, 0.05, 0) {
		t.Errorf("the median knee is %v, want %v", m, knee)
	}
	if m := lambdas[fits/2]; !uslNear(m, want.Lambda, 0.02, 0) {
		t.Errorf("the median λ is %v, want %v", m, want.Lambda)
	}
}

// TestUSLCoverage: of 95 % intervals about 95 % hold the truth. The bootstrap of ten measurements falls a little short: over 400
// samples (a standard error of 1.1 %) λ's held it in 92.0 % and the others in 94.0 to 94.3 %, as docs/capacity.md states. Half
// as many samples are drawn here, so that 90 to 98.5 % are accepted.
func TestUSLCoverage(t *testing.T) {
	if testing.Short() {
		t.Skip("a simulation, which make test runs without the race detector")
	}
	want := USL{Lambda: 200, Sigma: 0.1, Kappa: 0.004}
	knee, _ := want.Knee()
	loads := []float64{1, 2, 4, 6, 8, 12, 16, 24, 32, 40}
	const samples = 200
	held := map[string]int{}
	for seed := range uint64(samples) {
		points := uslPoints(want, loads, 0.03, seed)
		for i := range points {
			points[i].Weight = 1 / (points[i].Throughput * points[i].Throughput)
		}
		f, err := FitUSL(points, USLOptions{Seed: seed, Resamples: 199})
		if err != nil {
			t.Fatal(err)
		}
		count := func(name string, interval [2]float64, truth float64) {
			if interval[0] <= truth && truth <= interval[1] {
				held[name]++
			}
		}
		count("λ", f.LambdaInterval, want.Lambda)
		count("σ", f.SigmaInterval, want.Sigma)
		count("κ", f.KappaInterval, want.Kappa)
		count("knee", f.KneeInterval, knee)
		count("peak", f.PeakInterval, want.Peak())
	}
	for _, name := range []string{"λ", "σ", "κ", "knee", "peak"} {
		share := float64(held[name]) / samples
		t.Logf("%s: %.3f", name, share)
		if share < 0.90 || share > 0.985 {
			t.Errorf("95 %% intervals of %s hold the truth in %.1f %% of %d samples", name, 100*share, samples)
		}
	}
}

func TestUSLIsDeterministic(t *testing.T) {
	points := uslPoints(USL{Lambda: 100, Sigma: 0.05, Kappa: 0.001}, []float64{1, 2, 4, 8, 16, 32, 64}, 0.05, 3)
	a, _ := FitUSL(points, USLOptions{Seed: 5, Resamples: 100})
	b, _ := FitUSL(points, USLOptions{Seed: 5, Resamples: 100})
	c, _ := FitUSL(points, USLOptions{Seed: 6, Resamples: 100})
	if a.KneeInterval != b.KneeInterval || a.USL != b.USL {
		t.Error("the same seed gives different fits")
	}
	if a.KneeInterval == c.KneeInterval {
		t.Error("another seed gives the same interval")
	}
}

// TestUSLLaws: the knee is where the law itself is largest, and latency follows from throughput by Little's law.
func TestUSLLaws(t *testing.T) {
	for _, u := range uslLaws() {
		knee, ok := u.Knee()
		if ok != (u.Kappa > 0) {
			t.Errorf("%+v: knee %v %v", u, knee, ok)
		}
		if ok && (u.Throughput(knee) < u.Throughput(knee*1.01) || u.Throughput(knee) < u.Throughput(knee*0.99)) {
			t.Errorf("%+v: throughput is not largest at the knee %v", u, knee)
		}
		for _, n := range []float64{0.5, 1, 3, 10} {
			if got := u.Latency(n) * u.Throughput(n); !uslNear(got, n, 1e-9, 0) {
				t.Errorf("%+v: latency times throughput at %v is %v", u, n, got)
			}
		}
	}
	// Without coherence a rate of 250/s is that of a queue with S = 0.8/100 s and room for 500/s: R = S/(1−ρ) = 16 ms at N = 4.
	queue := USL{Lambda: 100, Sigma: 0.2}
	if r := queue.Latency(4); !uslNear(queue.Throughput(4), 250, 1e-9, 0) || !uslNear(r, 0.016, 1e-9, 0) {
		t.Errorf("with κ = 0 the latency is %v at %v a second, want S/(1−ρ) = 0.016 at 250", r, queue.Throughput(4))
	}
}

func TestUSLRefusesWhatItCannotFit(t *testing.T) {
	six := func(change func(p []LoadPoint)) []LoadPoint {
		p := uslPoints(USL{Lambda: 10, Sigma: 0.1}, []float64{1, 2, 3, 4, 5, 6}, 0, 1)
		change(p)
		return p
	}
	bad := map[string][]LoadPoint{
		"nothing":           nil,
		"five loads":        six(func([]LoadPoint) {})[:5],
		"a load twice":      six(func(p []LoadPoint) { p[1].Load = 1 }),
		"no throughput":     six(func(p []LoadPoint) { p[3].Throughput = 0 }),
		"negative load":     six(func(p []LoadPoint) { p[3].Load = -1 }),
		"not a number":      six(func(p []LoadPoint) { p[3].Throughput = math.NaN() }),
		"infinite":          six(func(p []LoadPoint) { p[3].Throughput = math.Inf(1) }),
		"a negative weight": six(func(p []LoadPoint) { p[3].Weight = -1 }),
	}
	for name, points := range bad {
		if _, err := FitUSL(points, USLOptions{Resamples: 2}); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// TestUSLWarns: what cannot be believed is said.
func TestUSLWarns(t *testing.T) {
	loads := []float64{1, 2, 3, 4, 5, 6, 7, 8}
	fit := func(points []LoadPoint) []string {
		f, err := FitUSL(points, USLOptions{Resamples: 50})
		if err != nil {
			t.Fatal(err)
		}
		return f.Warnings
	}
	if w := fit(uslPoints(USL{Lambda: 100, Sigma: 0.05, Kappa: 0.0005}, loads, 0, 1)); len(w) != 1 {
		t.Errorf("a knee at 44 beyond loads to 8 is one warning, not %q", w)
	}
	if w := fit(uslPoints(USL{Lambda: 100, Sigma: 0.05, Kappa: 0.05}, loads, 0, 1)); len(w) != 0 {
		t.Errorf("a clean law with its knee inside warns %q", w)
	}
	flat := uslPoints(USL{Lambda: 100}, loads, 0, 1)
	for i := range flat {
		flat[i].Throughput = 20
		if i%2 == 0 {
			flat[i].Throughput = 60
		}
	}
	if w := fit(flat); len(w) == 0 {
		t.Error("a zigzag is fitted without a warning")
	}
}
