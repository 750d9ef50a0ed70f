package clusterloader

import (
	"net/http"
	"time"

	"windtunnel/results"
)

const availabilityMethod = "APIAvailability"

// probePhase is the phase of the records of requests that ask whether the API server is ready; their track is that of the measurement.
const probePhase = "probe"

type availability struct {
	Percentage float64 `json:"availabilityPercentage"`
	Longest    string  `json:"longestUnavailablePeriod"`
}

// apiAvailability is the share of the requests between start and gather to which the API server answered that it is ready, and the longest
// time in which it did not: from the sending of the first of some failed requests in a row until the last of them had ended and the next one
// was answered.
func apiAvailability(e *evidence, w window) finding {
	threshold, err := w.start.params.number("threshold", 0)
	if err != nil {
		return failed(err)
	}
	f := finding{decides: threshold > 0}
	var asked, ready int
	var longest, since results.Instant
	down := false
	for _, r := range e.asked {
		if r.Track != availabilityMethod+"/"+w.identifier || r.Planned < w.start.At || r.Planned > w.gather.At {
			continue
		}
		if w.paused(r.Planned) {
			down = false // nobody knows whether it went on
			continue
		}
		asked++
		ok := r.Code == http.StatusOK && r.Error == ""
		if ok {
			ready++
		} else if !down {
			down, since = true, r.Sent
		}
		if down {
			longest = max(longest, r.Done-since)
		}
		down = down && !ok
	}
	if asked == 0 {
		f.empty = true
		f.note("the API server was never asked")
		return f
	}
	share := 100 * float64(ready) / float64(asked)
	if threshold > 0 {
		f.judge("availability", share, "%", threshold, true, asked)
	} else {
		f.show("availability", share, "%", asked)
	}
	if share < threshold {
		f.violate("the API server was ready at %.2f %% of %d requests, less than %g %%", share, asked, threshold)
	}
	f.show("longest unavailable", seconds(longest), "s", asked)
	for _, name := range []string{"useHostInternalIPs", "useHostPublicIPs"} {
		if hosts, err := w.start.params.boolean(name, false); err == nil && hosts {
			f.note("%s: the hosts of the API server are not asked one by one", name)
		}
	}
	f.summaries = []summary{{availabilityMethod, map[string]any{"clusterMetrics": availability{share, time.Duration(longest).String()}, "hostMetrics": nil}}}
	return f
}

// paused tells whether the measurement was held up at an instant.
func (w window) paused(at results.Instant) bool {
	held := false
	for _, c := range w.before {
		if c.At > at {
			break
		}
		switch c.Action {
		case "pause":
			held = true
		case "unpause", "start":
			held = false
		}
	}
	return held
}
