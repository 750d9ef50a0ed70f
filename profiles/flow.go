package profiles

import (
	"maps"
	"math"
)

// moment is a step of a profile with what is known when it begins.
type moment struct {
	phase, track, step int
	path               string
	// have is the number of instances by template, as the steps before in this track and the phases before leave them.
	have map[string]int
	// elsewhere has the templates whose instances another track of the same phase makes or deletes.
	elsewhere map[string]bool
}

// replay goes through all steps in their order and keeps count of the instances. It is arithmetic on the profile, not a
// simulation: requests are taken to succeed, and a stream without an end or a closed loop, of which nobody knows how many
// requests it will send, leaves the counts as they are.
func replay(phases []Phase, visit func(m moment, s Step)) {
	have := map[string]int{}
	for i, phase := range phases {
		after := maps.Clone(have)
		for j, track := range phase.Tracks {
			mine := maps.Clone(have)
			elsewhere := writtenElsewhere(phase, j)
			for k, step := range track.Steps {
				path := joinIndex(joinKey(joinIndex(joinKey(joinIndex("phases", i), "tracks"), j), "steps"), k)
				visit(moment{phase: i, track: j, step: k, path: path, have: maps.Clone(mine), elsewhere: elsewhere}, step)
				applyStep(step, mine)
			}
			for name := range writtenBy(track) {
				after[name] = mine[name]
			}
		}
		have = after
	}
}

// applyStep changes the counts as a step does.
func applyStep(s Step, have map[string]int) {
	if s.Reconcile != nil {
		have[s.Reconcile.Object] = max(s.Reconcile.Count, 0)
	}
	if s.Requests == nil {
		return
	}
	before, all := maps.Clone(have), s.Requests.expected(s.Requests.Length())
	for _, r := range s.Requests.Mix {
		n := s.Requests.share(r, all)
		switch r.Effect() {
		case EffectAdd:
			have[r.Object] += n
		case EffectRemove:
			have[r.Object] = max(have[r.Object]-n, (before[r.Object]+1)/2)
		}
	}
}

// secondsOf is a duration in seconds.
func secondsOf(d Duration) float64 { return float64(d) / 1e9 }

// share is how many of all requests are one.
func (r *Requests) share(one Request, all float64) int {
	total := r.totalWeight()
	if !(total > 0) {
		return 0
	}
	return clampInt(math.Round(all * max(one.Weight, 0) / total))
}

func (r *Requests) totalWeight() float64 {
	total := 0.0
	for _, one := range r.Mix {
		total += max(one.Weight, 0)
	}
	return total
}

// clampInt converts what may be far out of range.
func clampInt(f float64) int {
	if !(f > 0) {
		return 0
	}
	return int(min(f, math.MaxInt32))
}

// writtenBy are the templates whose instances a track makes or deletes.
func writtenBy(t Track) map[string]bool {
	names := map[string]bool{}
	for _, s := range t.Steps {
		if s.Reconcile != nil {
			names[s.Reconcile.Object] = true
		}
		if s.Requests != nil {
			for _, r := range s.Requests.Mix {
				if r.changesInstances() {
					names[r.Object] = true
				}
			}
		}
	}
	return names
}

// changesInstances tells whether there are more or fewer instances after the request.
func (r Request) changesInstances() bool {
	effect := r.Effect()
	return effect == EffectAdd || effect == EffectRemove || r.Verb == VerbDeleteCollection && !r.DryRun
}

func writtenElsewhere(p Phase, track int) map[string]bool {
	names := map[string]bool{}
	for i, t := range p.Tracks {
		if i != track {
			maps.Copy(names, writtenBy(t))
		}
	}
	return names
}

// namespacesOf is, by template, the number of namespaces that there are when its first instance is made.
func namespacesOf(phases []Phase, objects map[string]Template) map[string]int {
	spread := map[string]int{}
	note := func(name string, have map[string]int) {
		in := objects[name].In
		if _, known := spread[name]; !known && in != "" && have[in] > 0 {
			spread[name] = have[in]
		}
	}
	replay(phases, func(m moment, s Step) {
		if s.Reconcile != nil && s.Reconcile.Count > 0 {
			note(s.Reconcile.Object, m.have)
		}
		if s.Requests == nil {
			return
		}
		for _, r := range s.Requests.Mix {
			if r.Effect() == EffectAdd {
				note(r.Object, m.have)
			}
		}
	})
	return spread
}

// peak is the largest sum, over the run, of the instances times what each weighs, and the phase where it occurs. Tracks of
// one phase are taken to reach their largest at the same time.
func peak(phases []Phase, weight func(template string) float64) (largest float64, phase int) {
	type at struct{ phase, track int }
	tracks := map[at]float64{}
	still := make([]float64, len(phases)) // what no track of the phase changes
	seen := make([]bool, len(phases))
	replay(phases, func(m moment, s Step) {
		written := writtenBy(phases[m.phase].Tracks[m.track])
		sum := func(have map[string]int, of func(string) bool) float64 {
			total := 0.0
			for name, n := range have {
				if of(name) {
					total += float64(n) * weight(name)
				}
			}
			return total
		}
		mine := func(name string) bool { return written[name] }
		if !seen[m.phase] {
			seen[m.phase] = true
			still[m.phase] = sum(m.have, func(name string) bool { return !written[name] && !m.elsewhere[name] })
		}
		after := maps.Clone(m.have)
		applyStep(s, after)
		key := at{m.phase, m.track}
		tracks[key] = max(tracks[key], sum(m.have, mine), sum(after, mine))
	})
	for i := range phases {
		total := still[i]
		for key, most := range tracks {
			if key.phase == i {
				total += most
			}
		}
		if total > largest {
			largest, phase = total, i
		}
	}
	return largest, phase
}
