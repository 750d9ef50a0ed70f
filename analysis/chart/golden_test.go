package chart

import (
	"bytes"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"windtunnel/internal/golden"
)

// gallery has every layer, both kinds of axes, marks, references and a crowded axis.
func gallery() []Chart {
	r := rand.New(rand.NewPCG(1, 2))
	nan := math.NaN()
	lines := Chart{Name: "lines", Title: "Requests offered and achieved", Note: "Where the lines part, the system did not keep up.",
		X: Axis{Label: "time since the start of the run", Unit: Elapsed}, Y: Axis{Label: "requests", Unit: "req/s"},
		Marks: []Mark{{Name: "boot", At: 0, Until: 8}, {Name: "prepare", At: 8, Until: 30}, {Name: "workload", At: 30, Until: 170, Measured: true}, {Name: "cleanup", At: 170, Until: 175},
			{Name: "etcd killed", At: 120}},
		References: []Reference{{Name: "limit", Value: 55}}}
	var planned, done, failed []Point
	for i := range 175 {
		p, d, f := 0.0, 0.0, 0.0
		if i >= 30 && i < 170 {
			p = 33 + 8*math.Sin(float64(i)/12)
			d, f = p+r.NormFloat64()*2, math.Max(0, r.NormFloat64())
		}
		if i > 119 && i < 125 {
			d = nan
		}
		planned, done, failed = append(planned, Point{float64(i), p}), append(done, Point{float64(i), d}), append(failed, Point{float64(i), f})
	}
	lines.Layers = []Layer{Line{Series: Series{Name: "planned", N: 5077}, Points: planned}, Line{Series: Series{Name: "answered", N: 5075}, Points: done}, Steps{Series{Name: "failed", N: 88}, failed}}

	bars := Chart{Name: "bars", Title: "Latency of pods by verb", X: Axis{Categories: []string{"DELETE", "GET", "LIST", "PATCH", "POST", "PUT"}}, Y: Axis{Label: "latency", Unit: Seconds, Log: true},
		References: []Reference{{Name: "SLO", Value: 1}},
		Layers: []Layer{Bars{Groups: []BarSeries{
			{Series: Series{Name: "p50"}, Values: []float64{0.051, 0.014, 0.062, 0.022, 0.019, 0.015}, Low: []float64{0.045, 0.012, 0.058, 0.02, 0.017, 0.013}, High: []float64{0.058, 0.016, 0.07, 0.024, 0.021, 0.017}},
			{Series: Series{Name: "p90"}, Values: []float64{0.225, 0.108, 0.212, 0.112, 0.127, 0.077}, Low: []float64{0.2, 0.09, 0.19, 0.1, 0.11, 0.06}, High: []float64{0.25, 0.13, 0.24, 0.13, 0.14, 0.09}},
			{Series: Series{Name: "p99"}, Values: []float64{0.555, 0.255, 0.491, 0.242, 0.257, 0.174}, Low: []float64{0.48, 0.198, 0.46, 0.154, 0.231, 0.151}, High: []float64{0.663, nan, nan, nan, nan, nan}},
		}}}}

	stacked := Chart{Name: "stacked", Title: "Pod start-up by stage", X: Axis{Label: "share of pods", Categories: []string{"50 %", "90 %", "99 %", "100 %"}}, Y: Axis{Label: "time", Unit: Seconds},
		Layers: []Layer{Bars{Stacked: true, Groups: []BarSeries{
			{Series: Series{Name: "create → schedule", N: 3000}, Values: []float64{0.074, 0.159, 0.327, 0.607}},
			{Series: Series{Name: "schedule → run", N: 3000}, Values: []float64{0.41, 0.746, 1.908, 3.104}},
			{Series: Series{Name: "run → observe", N: 3000}, Values: []float64{0.11, 0.385, 1.189, 3.109}},
		}}}}

	heat := Chart{Name: "heat", Title: "Latency over time", X: Axis{Label: "time since the start of the run", Unit: Elapsed}, Y: Axis{Label: "latency", Unit: Seconds, Log: true},
		Marks: []Mark{{Name: "workload", At: 0, Until: 100, Measured: true}}, References: []Reference{{Name: "SLO", Value: 1}}}
	h := Heat{Of: "requests"}
	for i := range 101 {
		h.X = append(h.X, float64(i))
	}
	for j := range 41 {
		h.Y = append(h.Y, 1e-3*math.Pow(10, float64(j)/10))
	}
	h.Count = make([][]int64, 100)
	for i := range h.Count {
		h.Count[i] = make([]int64, 40)
		for range 300 {
			j := int(12 + 4*math.Sin(float64(i)/15) + r.ExpFloat64()*3 + r.NormFloat64())
			if j >= 0 && j < 40 {
				h.Count[i][j]++
			}
		}
	}
	heat.Layers = []Layer{h}

	scatter := Chart{Name: "scatter", Title: "Latency over load, and the knee", X: Axis{Label: "requests", Unit: "req/s"}, Y: Axis{Label: "p99 latency", Unit: Seconds},
		Marks: []Mark{{Name: "knee", At: 620}}, References: []Reference{{Name: "SLO", Value: 10}}}
	var points, fit []Point
	var low, high, xs, lows, highs []float64
	for x := 50.0; x <= 900; x += 50 {
		y := 0.02 / (1.05 - x/950)
		v := y * (1 + 0.1*r.NormFloat64())
		points, fit = append(points, Point{x, v}), append(fit, Point{x, y})
		low, high = append(low, v*0.85), append(high, v*1.2)
		xs, lows, highs = append(xs, x), append(lows, y*0.8), append(highs, y*1.25)
	}
	scatter.Layers = []Layer{Band{Series{Name: "95 % band of the fit"}, xs, lows, highs}, Points{Series: Series{Name: "runs", N: 18}, Points: points, Low: low, High: high}, Line{Series: Series{Name: "fitted law"}, Points: fit}}

	ecdf := Chart{Name: "ecdf", Title: "Latency of GET pods", X: Axis{Label: "latency", Unit: Seconds, Log: true}, Y: Axis{Label: "share of requests", Unit: Fraction}}
	for i, name := range []string{"before", "after"} {
		var ps []Point
		for k := range 200 {
			ps = append(ps, Point{0.004 * math.Exp(float64(k)/40) * (1 + 0.3*float64(i)), float64(k+1) / 200})
		}
		ecdf.Layers = append(ecdf.Layers, Steps{Series{Name: name, N: 200}, ps})
	}

	memory := Chart{Name: "crowded", Title: "Peak memory of components", X: Axis{Categories: []string{"etcd", "hollow-0", "hollow-1", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "windtunnel",
		"endpointslices.discovery.k8s.io", "leases.coordination.k8s.io"}}, Y: Axis{Label: "memory", Unit: Bytes},
		Layers: []Layer{Bars{Groups: []BarSeries{{Series: Series{Name: "peak"}, Values: []float64{148 << 20, 1359 << 20, 1200 << 20, 879 << 20, 153 << 20, 109 << 20, 103 << 20, 50 << 20, 60 << 20}}}}}}

	timeline := Chart{Name: "timeline", Title: "What happened when", X: Axis{Label: "time since the start of the run", Unit: Elapsed}, Y: Axis{Label: "row", Categories: []string{"phases", "etcd", "faults"}},
		Layers: []Layer{Spans{Series{Name: "phase"}, []Span{{Row: 0, From: 0, To: 8, Text: "boot"}, {Row: 0, From: 8, To: 60, Text: "workload"}}},
			Spans{Series{Name: "process"}, []Span{{Row: 1, From: 1, To: 30}, {Row: 1, From: 33, To: 60}}},
			Spans{Series{Name: "fault"}, []Span{{Row: 2, From: 30, To: 30, Text: "kill etcd"}}}}}
	return []Chart{lines, bars, stacked, heat, scatter, ecdf, memory, timeline}
}

// TestGolden: the drawings change only on purpose.
func TestGolden(t *testing.T) {
	for _, c := range gallery() {
		for _, theme := range []Theme{Light(), Dark()} {
			var b bytes.Buffer
			if err := c.Write(&b, SVG, theme); err != nil {
				t.Fatal(err)
			}
			golden.Check(t, filepath.Join("testdata", c.Name+"-"+theme.name+".svg"), b.String())
		}
		var table bytes.Buffer
		if err := c.Table().WriteCSV(&table); err != nil {
			t.Fatal(err)
		}
		golden.Check(t, filepath.Join("testdata", c.Name+".csv"), table.String())
	}
}

// TestSameBytes: the same chart is the same file, in every format.
func TestSameBytes(t *testing.T) {
	for _, c := range gallery() {
		for _, format := range []Format{SVG, PNG, PDF} {
			var first, second bytes.Buffer
			if err := c.Write(&first, format, Light()); err != nil {
				t.Fatal(err)
			}
			if err := c.Write(&second, format, Light()); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(first.Bytes(), second.Bytes()) {
				t.Errorf("%s: two drawings as %s differ", c.Name, format)
			}
		}
	}
}

// TestGallery draws the gallery as PNG for people to look at, where WINDTUNNEL_GALLERY names a directory.
func TestGallery(t *testing.T) {
	dir := os.Getenv("WINDTUNNEL_GALLERY")
	if dir == "" {
		t.Skip("WINDTUNNEL_GALLERY names no directory")
	}
	for _, c := range gallery() {
		for _, theme := range []Theme{Light(), Dark()} {
			for _, format := range []Format{PNG, PDF} {
				var b bytes.Buffer
				if err := c.Write(&b, format, theme); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(filepath.Join(dir, c.Name+"-"+theme.name+"."+string(format)), b.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}
