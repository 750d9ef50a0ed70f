package clusterloader

import (
	"maps"
	"slices"

	"windtunnel/results"
)

// timer is the time between start and stop of every label.
func timer(_ *evidence, w window) finding {
	var f finding
	begun, took := map[string]results.Instant{}, map[string]float64{}
	for _, c := range w.before {
		label, err := c.params.text("label", "")
		if err != nil {
			return failed(err)
		}
		switch c.Action {
		case "start":
			begun[label] = c.At
		case "stop":
			at, ok := begun[label]
			if !ok {
				f.errors = append(f.errors, "the timer "+label+" was stopped and had not been started")
				continue
			}
			took[label] = seconds(c.At - at)
			delete(begun, label)
		}
	}
	for _, label := range slices.Sorted(maps.Keys(took)) {
		f.show(label, took[label], "s", 1)
	}
	f.summaries = append(f.summaries, summary{"Timer", PerfData{Version: "v1",
		DataItems: []DataItem{{Data: took, Unit: "s", Labels: map[string]string{"test": "phases"}}}}})
	return f
}
