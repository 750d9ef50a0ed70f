package analysis

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"windtunnel/profiles"
	"windtunnel/results"
)

// watching are the events that the watchers of watch steps received in the measured phases.
type watching struct {
	phases window
	writes map[int64]results.Instant // when the write was sent that gave an object this resourceVersion; nil: nobody asks
	rows   map[watched]*watchSample
}

// watched is what watchers are grouped by.
type watched struct{ track, group, resource, phase string } // phase empty: all measured phases together

type watchSample struct {
	watchers map[int32]bool
	events   map[string]int64 // by type
	bytes    int64
	latency  timedSample // from a write's sending to an event's arrival
	opened   int64
	reopened int64
}

// watches tells whether a profile has watch steps.
func watches(p profiles.Profile) bool {
	for _, phase := range p.Phases {
		for _, track := range phase.Tracks {
			if slices.ContainsFunc(track.Steps, func(s profiles.Step) bool { return s.Watch != nil }) {
				return true
			}
		}
	}
	return false
}

func newWatching(w window, asked bool) *watching {
	all := &watching{phases: w, rows: map[watched]*watchSample{}}
	if asked {
		all.writes = map[int64]results.Instant{}
	}
	return all
}

func (w *watching) of(track, group, resource, phase string) *watchSample {
	key := watched{track, group, resource, phase}
	if w.rows[key] == nil {
		w.rows[key] = &watchSample{watchers: map[int32]bool{}, events: map[string]int64{}}
	}
	return w.rows[key]
}

// request keeps what events are joined with, and counts the openings. Requests come before all events.
func (w *watching) request(r results.Request) {
	if w.writes == nil {
		return
	}
	if before, known := w.writes[r.ResourceVersion]; r.ResourceVersion != 0 && r.Error == "" && (!known || r.Sent < before) {
		w.writes[r.ResourceVersion] = r.Sent // the first: a write that changes nothing gives the version of the last that did
	}
	if _, measured := w.phases.phase(r.Phase); measured && r.Verb == profiles.VerbWatch && r.Code == 200 {
		s := w.of(r.Track, r.Group, r.Resource, r.Phase)
		s.opened++
		if r.Attempt > 1 {
			s.reopened++
		}
	}
}

func (w *watching) event(e results.WatchEvent) {
	if _, measured := w.phases.phase(e.Phase); !measured {
		return
	}
	s := w.of(e.Track, e.Group, e.Resource, e.Phase)
	s.watchers[e.Watcher] = true
	s.events[e.Type]++
	s.bytes += e.Bytes
	if e.Type != "ADDED" && e.Type != "MODIFIED" {
		return
	}
	if sent, known := w.writes[e.ResourceVersion]; known && e.At >= sent {
		s.latency = append(s.latency, timed{e.At, seconds(e.At - sent)})
	}
}

// summary is a row a track and resource, in order.
func (w *watching) summary() []results.WatchRow {
	rows := []results.WatchRow{}
	all := map[watched]*watchSample{}
	for key, s := range w.rows {
		key.phase = ""
		if all[key] == nil {
			all[key] = &watchSample{watchers: map[int32]bool{}, events: map[string]int64{}}
		}
		all[key].merge(s)
	}
	keys := slices.SortedFunc(maps.Keys(all), func(a, b watched) int {
		return cmp.Or(strings.Compare(a.track, b.track), strings.Compare(a.resource, b.resource), strings.Compare(a.group, b.group))
	})
	for _, key := range keys {
		s := all[key]
		row := results.WatchRow{Track: key.track, Group: key.group, Resource: key.resource, Watchers: int64(len(s.watchers)),
			Opened: s.opened, Reopened: s.reopened, EventsByType: s.events, Bytes: s.bytes, N: int64(len(s.latency))}
		for _, n := range s.events {
			row.Events += n
		}
		row.P50, row.P90, row.P99, row.Max = latencyOf(s.latency)
		rows = append(rows, row)
	}
	return rows
}

// merge adds another sample, whose latencies it takes over when it has none.
func (s *watchSample) merge(other *watchSample) {
	maps.Copy(s.watchers, other.watchers)
	for event, n := range other.events {
		s.events[event] += n
	}
	s.bytes += other.bytes
	s.opened += other.opened
	s.reopened += other.reopened
	if s.latency == nil {
		s.latency = other.latency[:len(other.latency):len(other.latency)]
		return
	}
	s.latency = append(s.latency, other.latency...)
}
