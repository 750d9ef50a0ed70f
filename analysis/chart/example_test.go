package chart_test

import (
	"bytes"
	"fmt"
	"os"

	"windtunnel/analysis/chart"
)

// A chart is data and words. Write draws it in any format and theme; Table is the same for readers who do not see it.
func Example() {
	c := chart.Chart{
		Name:  "latency-over-load",
		Title: "Latency over load",
		Note:  "Each point is one run; the knee is where the fitted line leaves the threshold behind.",
		X:     chart.Axis{Label: "requests", Unit: "req/s"},
		Y:     chart.Axis{Label: "p99 latency", Unit: chart.Seconds, Log: true},
		Layers: []chart.Layer{
			chart.Points{Series: chart.Series{Name: "measured", N: 3}, Points: []chart.Point{{X: 100, Y: 0.012}, {X: 200, Y: 0.021}, {X: 400, Y: 0.35}},
				Low: []float64{0.010, 0.018, 0.28}, High: []float64{0.015, 0.026, 0.44}},
			chart.Line{Series: chart.Series{Name: "fit"}, Points: []chart.Point{{X: 100, Y: 0.011}, {X: 200, Y: 0.022}, {X: 400, Y: 0.33}}},
		},
		References: []chart.Reference{{Name: "SLO", Value: 1}},
	}

	var svg, png bytes.Buffer
	if err := c.Write(&svg, chart.SVG, chart.Light()); err != nil {
		fmt.Println(err)
	}
	if err := c.Write(&png, chart.PNG, chart.Dark()); err != nil {
		fmt.Println(err)
	}
	fmt.Println(svg.Len() > 0, png.Len() > 0)
	if err := c.Table().WriteCSV(os.Stdout); err != nil {
		fmt.Println(err)
	}
	// Output:
	// true true
	// requests (req/s),"measured, n 3 (ms)",measured low (ms),measured high (ms),fit (ms)
	// 100,12,10,15,11
	// 200,21,18,26,22
	// 400,350,280,440,330
}
