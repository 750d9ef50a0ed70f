package profiles

import (
	"cmp"
	"fmt"
	"time"
)

// PhaseOutline is what a phase is planned to do. Durations are what is planned, without what the system needs to answer: a
// reconcile as fast as it goes, a wait and a fault that nothing ends count nothing.
type PhaseOutline struct {
	Name     string         `json:"name"`
	Measured bool           `json:"measured"`
	Duration time.Duration  `json:"duration"` // of the longest foreground track
	Tracks   []TrackOutline `json:"tracks"`
}

// TrackOutline is what a track is planned to do.
type TrackOutline struct {
	Name       string        `json:"name"`
	Background bool          `json:"background"`
	Duration   time.Duration `json:"duration"` // a stream to the end of the phase counts up to there
	Steps      []StepOutline `json:"steps"`
}

// StepOutline is what a step is planned to do.
type StepOutline struct {
	Kind     string         `json:"kind"` // reconcile | requests | watch | wait | pause | fault
	Text     string         `json:"text"` // one line for people
	Begin    time.Duration  `json:"begin"`
	Duration time.Duration  `json:"duration"`
	Objects  map[string]int `json:"objects,omitempty"`  // instances afterwards, of the templates that the step changes
	Requests map[string]int `json:"requests,omitempty"` // verb + " " + resource -> planned requests
}

// Outline is the plan phase by phase, for people and for the estimate.
func (p *Plan) Outline() []PhaseOutline { return outlines(&p.Profile, p.Objects) }

// outlines works on profiles that have problems, too: then with an empty objects.
func outlines(p *Profile, objects map[string]Template) []PhaseOutline {
	all := make([]PhaseOutline, len(p.Phases))
	for i, phase := range p.Phases {
		all[i] = PhaseOutline{Name: phase.Name, Measured: phase.Measured, Tracks: make([]TrackOutline, len(phase.Tracks))}
		for j, track := range phase.Tracks {
			all[i].Tracks[j] = TrackOutline{Name: track.Name, Background: track.Background}
		}
	}
	replay(p.Phases, func(m moment, s Step) {
		track := &all[m.phase].Tracks[m.track]
		step := outlineStep(m, s, objects)
		step.Begin = track.Duration
		track.Duration += step.Duration
		track.Steps = append(track.Steps, step)
	})
	for i := range all {
		for _, track := range all[i].Tracks {
			if !track.Background {
				all[i].Duration = max(all[i].Duration, track.Duration)
			}
		}
		for j := range all[i].Tracks {
			finishTrack(&all[i].Tracks[j], p.Phases[i].Tracks[j], all[i].Duration, objects)
		}
	}
	return all
}

// outlineStep is a step by itself. A stream without an end gets its duration and requests from finishTrack.
func outlineStep(m moment, s Step, objects map[string]Template) StepOutline {
	switch {
	case s.Reconcile != nil:
		return outlineReconcile(m, *s.Reconcile, objects)
	case s.Requests != nil:
		length := s.Requests.Length()
		return StepOutline{Kind: "requests", Text: s.Requests.text(), Duration: length, Requests: s.Requests.outline(length, objects)}
	case s.Watch != nil:
		return StepOutline{Kind: "watch", Text: s.Watch.text(), Duration: time.Duration(s.Watch.For)}
	case s.Wait != nil:
		return StepOutline{Kind: "wait", Text: s.Wait.text()}
	case s.Fault != nil && s.Fault.Nodes != nil:
		return StepOutline{Kind: "fault", Text: s.Fault.text(), Duration: s.Fault.Nodes.Length()}
	case s.Fault != nil:
		return StepOutline{Kind: "fault", Text: s.Fault.text()}
	}
	return StepOutline{Kind: "pause", Text: "pause " + s.Pause.String(), Duration: max(time.Duration(s.Pause), 0)}
}

func outlineReconcile(m moment, r Reconcile, objects map[string]Template) StepOutline {
	change := max(r.Count, 0) - m.have[r.Object]
	verb, n := VerbPost, change
	if change < 0 {
		verb, n = VerbDelete, -change
	}
	step := StepOutline{Kind: "reconcile", Objects: map[string]int{r.Object: max(r.Count, 0)}, Requests: map[string]int{}}
	if n > 0 {
		step.Requests[verb+" "+objects[r.Object].Resource.Name] = n
	}
	pace := "as fast as it goes"
	if r.Arrivals != nil {
		pace = r.Arrivals.text()
		if n > 1 {
			step.Duration = r.Arrivals.reach(float64(n - 1)) // the last arrival
		}
	}
	step.Text = fmt.Sprintf("%s: %d → %d, %s, at most %d in flight", r.Object, m.have[r.Object], r.Count, pace, r.MaxInFlight)
	return step
}

// finishTrack gives a stream without an end the rest of its phase.
func finishTrack(outline *TrackOutline, track Track, phase time.Duration, objects map[string]Template) {
	for k := range outline.Steps {
		if watch := track.Steps[k].Watch; watch != nil && watch.For == 0 {
			outline.Steps[k].Duration = max(phase-outline.Steps[k].Begin, 0)
			outline.Duration = max(outline.Duration, phase)
			continue
		}
		if fault := track.Steps[k].Fault; fault != nil && fault.Nodes != nil && fault.Nodes.Length() == 0 {
			outline.Steps[k].Duration = max(phase-outline.Steps[k].Begin, 0)
			outline.Duration = max(outline.Duration, phase)
			continue
		}
		requests := track.Steps[k].Requests
		if requests == nil || !requests.endless() || track.Steps[k].Reconcile != nil {
			continue
		}
		step := &outline.Steps[k]
		step.Duration = max(phase-step.Begin, 0)
		step.Requests = requests.outline(step.Duration, objects)
		outline.Duration = max(outline.Duration, step.Begin+step.Duration)
	}
}

// outline is the number of planned requests by verb and resource in the first t. A closed loop plans none.
func (r *Requests) outline(t time.Duration, objects map[string]Template) map[string]int {
	count, all := map[string]int{}, r.expected(t)
	for _, one := range r.Mix {
		name := objects[one.Object].Resource.Name
		if one.Object == "" {
			resource, _ := ResourceByName(one.Resource)
			name = resource.Name
		}
		if n := r.share(one, all); n > 0 {
			count[one.Verb+" "+name] += n
		}
	}
	return count
}

func (r *Requests) text() string {
	return fmt.Sprintf("%d kinds of requests, %s, %d connections, %d identities", len(r.Mix), r.pace(), r.Connections, r.Identities)
}

func (w *Watch) text() string {
	text := fmt.Sprintf("%s of %s over %s", counted(w.Watchers, "watcher"), cmp.Or(w.Object, w.Resource), counted(w.ConnectionCount(), "connection"))
	if w.For > 0 {
		text += " for " + w.For.String()
	}
	return text
}

func (w Wait) text() string {
	all := func(n int, what string) string {
		if n == -1 {
			return "all " + what
		}
		return fmt.Sprintf("%d %s", n, what)
	}
	switch {
	case w.PodsGone:
		return fmt.Sprintf("wait until no pod of %s is left, at most %s", w.Object, w.Timeout)
	case w.NodesReady != 0:
		return fmt.Sprintf("wait for %s to be ready, at most %s", all(w.NodesReady, "nodes"), w.Timeout)
	}
	return fmt.Sprintf("wait for %s of %s to run, at most %s", all(w.PodsRunning, "pods"), w.Object, w.Timeout)
}

func (f Fault) text() string {
	switch {
	case f.Nodes != nil:
		return f.Nodes.text()
	case f.Kill != "":
		return "kill " + f.Kill
	case f.Restart != "":
		return "restart " + f.Restart
	case f.NodesUp == -1:
		return "bring all nodes up again"
	case f.NodesUp != 0:
		return fmt.Sprintf("bring %s up again", counted(f.NodesUp, "node"))
	}
	return fmt.Sprintf("cut %s off", counted(f.NodesDown, "node"))
}
