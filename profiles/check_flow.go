package profiles

import (
	"fmt"
	"math"
	"time"
)

// flow checks what depends on the order of the steps: that things are there when they are used.
func (c *checker) flow() {
	killed := map[string]int{} // component -> first phase that kills it
	firstDown := -1            // first phase that takes nodes down
	replay(c.Phases, func(m moment, s Step) {
		if s.Fault != nil && s.Fault.Kill != "" {
			if _, before := killed[s.Fault.Kill]; !before {
				killed[s.Fault.Kill] = m.phase
			}
		}
		if s.Fault != nil && s.Fault.NodesDown > 0 && firstDown < 0 {
			firstDown = m.phase
		}
	})
	replay(c.Phases, func(m moment, s Step) {
		switch {
		case s.Reconcile != nil:
			c.reconcileFlow(m, *s.Reconcile)
		case s.Requests != nil:
			c.requestsFlow(m, *s.Requests)
		case s.Wait != nil:
			c.waitFlow(m, *s.Wait)
		case s.Fault != nil:
			c.faultFlow(m, *s.Fault, killed, firstDown)
		}
	})
	c.durations()
}

// namespacesThere checks that the namespaces of a template have been made.
func (c *checker) namespacesThere(path string, m moment, name string) bool {
	in := c.Objects[name].In
	if _, valid := c.Objects[in]; in == "" || !valid || m.have[in] > 0 {
		return true
	}
	hint := fmt.Sprintf("put a step before it: reconcile: {object: %s, count: 1}", in)
	if m.elsewhere[in] {
		hint = fmt.Sprintf("another track of this phase makes instances of %s, maybe too late: make them in an earlier phase", in)
	}
	c.problem(path, hint, "there is no namespace for instances of %s yet", name)
	return false
}

// oneWriter checks that the instances of a template are made and deleted by one track of a phase: two would give out the
// same numbers.
func (c *checker) oneWriter(path string, m moment, name string) bool {
	if !m.elsewhere[name] {
		return true
	}
	for _, track := range c.Phases[m.phase].Tracks[:m.track] {
		if writtenBy(track)[name] {
			c.problem(path, "make and delete the instances of a template in one track of a phase; or use two templates", "track %q of this phase makes or deletes instances of %s, too", track.Name, name)
			return false
		}
	}
	return true // the later of the two tracks reports it
}

func (c *checker) reconcileFlow(m moment, r Reconcile) {
	path := m.path + ".reconcile"
	if _, there := c.Objects[r.Object]; !there {
		return
	}
	c.oneWriter(path+".object", m, r.Object)
	if r.Count > 0 {
		c.namespacesThere(path+".object", m, r.Object)
	}
	if r.Count > 0 && r.Count < m.have[r.Object] {
		for _, name := range sortedKeys(c.Objects) {
			if c.Objects[name].In == r.Object && m.have[name] > 0 {
				c.problem(path+".count", fmt.Sprintf("delete the instances of %s before; or write count: 0 to delete all namespaces", name), "this deletes namespaces that hold instances of %s", name)
				break
			}
		}
	}
	if r.Arrivals != nil {
		c.enoughArrivals(path+".arrivals", *r.Arrivals, math.Abs(float64(r.Count-m.have[r.Object])))
	}
}

// enoughArrivals checks that arrivals do not end before all instances have been made or deleted.
func (c *checker) enoughArrivals(path string, a Arrivals, need float64) {
	can := math.Ceil(a.Expected(a.Length()))
	switch {
	case a.Length() <= 0 || can >= need || !(a.Peak() > 0): // without an end, enough, or a problem already
	case len(a.Stages) > 0:
		c.problem(path+".stages", "make the stages longer, or their rates higher", "in %s of stages %.0f requests are sent, and %.0f are needed", Duration(a.Length()), can, need)
	default:
		seconds := time.Duration(math.Ceil(need/a.Rate)) * time.Second
		c.problem(path+".for", fmt.Sprintf("write for: %s, or leave it out", Duration(seconds)), "in %s at %v a second %.0f requests are sent, and %.0f are needed", a.For, a.Rate, can, need)
	}
}

func (c *checker) requestsFlow(m moment, r Requests) {
	for i, one := range r.Mix {
		if _, there := c.Objects[one.Object]; !there {
			continue
		}
		path := joinIndex(m.path+".requests.mix", i) + ".object"
		placed := c.namespacesThere(path, m, one.Object)
		effect := one.Effect()
		switch {
		case one.changesInstances():
			if c.oneWriter(path, m, one.Object) && effect != EffectAdd {
				c.deletable(path, one.Object)
			}
		case effect == EffectUse || effect == EffectBind:
			c.undisturbed(path, m, one.Object)
		}
		if one.Verb == VerbDeleteCollection && !one.DryRun {
			c.alone(joinIndex(m.path+".requests.mix", i), r, one)
		}
		targets := effect == EffectUse || effect == EffectRemove || effect == EffectBind
		if placed && targets && m.have[one.Object] == 0 {
			hint := fmt.Sprintf("put a step before it: reconcile: {object: %s, count: 100}", one.Object)
			if m.elsewhere[one.Object] {
				hint = "another track of this phase makes them, maybe too late: make them in an earlier phase"
			}
			c.problem(path, hint, "a %s needs instances of %s, and there are none yet", one.Verb, one.Object)
		}
	}
}

// deletable checks that a stream does not delete namespaces that other templates live in.
func (c *checker) deletable(path, name string) {
	for _, other := range sortedKeys(c.Objects) {
		if c.Objects[other].In == name {
			c.problem(path, "use a namespace template of its own for the stream", "this deletes the namespaces that hold instances of %s", other)
			return
		}
	}
}

// alone checks that the instances that a DELETECOLLECTION takes away at random are nobody's targets.
func (c *checker) alone(path string, r Requests, collection Request) {
	for _, other := range r.Mix {
		if effect := other.Effect(); other.Object == collection.Object && effect != EffectNone && effect != EffectAdd {
			c.problem(path, "use a template of its own for it", "a %s of %s would miss the instances that this deletes", other.Verb, other.Object)
			return
		}
	}
}

// undisturbed checks that no other track of the phase deletes the instances that a stream takes as targets.
func (c *checker) undisturbed(path string, m moment, name string) {
	for j, track := range c.Phases[m.phase].Tracks {
		if j == m.track {
			continue
		}
		for _, s := range track.Steps {
			shrinks := s.Reconcile != nil && s.Reconcile.Object == name && s.Reconcile.Count < m.have[name]
			if s.Requests != nil {
				for _, one := range s.Requests.Mix {
					shrinks = shrinks || one.Object == name && one.changesInstances() && one.Effect() != EffectAdd
				}
			}
			if shrinks {
				c.problem(path, "put both into one mix, which keeps them apart; or use two templates", "track %q of this phase deletes instances of %s at the same time", track.Name, name)
				return
			}
		}
	}
}

func (c *checker) waitFlow(m moment, w Wait) {
	path := m.path + ".wait"
	o, there := c.Objects[w.Object]
	_, kind := o.typeMeta()
	holder, hasPods := podHolderOf(kind)
	if !there || !hasPods || m.elsewhere[w.Object] {
		return
	}
	have := m.have[w.Object]
	perInstance, err := podCount(o.Manifest, holder, c.HollowNodes)
	if err != nil {
		return
	}
	switch {
	case w.PodsRunning != 0 && have == 0:
		c.problem(path+".object", fmt.Sprintf("put a step before it: reconcile: {object: %s, count: 1}", w.Object), "there is no instance of %s yet, so no pod would come to run", w.Object)
	case w.PodsRunning > have*perInstance:
		c.problem(path+".podsRunning", "-1 waits for all of them", "%s of %s have %s", counted(have, "instance"), w.Object, counted(have*perInstance, "pod"))
	case w.PodsGone && have > 0:
		c.problem(path+".podsGone", fmt.Sprintf("put a step before it: reconcile: {object: %s, count: 0}", w.Object), "there are %s of %s, so their pods do not go", counted(have, "instance"), w.Object)
	}
}

func (c *checker) faultFlow(m moment, f Fault, killed map[string]int, firstDown int) {
	path := m.path + ".fault"
	if first, any := killed[f.Restart]; f.Restart != "" && (!any || first > m.phase) {
		c.problem(path+".restart", "put a step before it: fault: {kill: "+f.Restart+"}", "nothing has killed %s before", f.Restart)
	}
	if f.NodesUp != 0 && (firstDown < 0 || firstDown > m.phase) {
		c.problem(path+".nodesUp", "put a step before it: fault: {nodesDown: NUMBER}", "no node has been taken down before")
	}
}

// durations checks that what is planned fits the time-outs.
func (c *checker) durations() {
	total := time.Duration(0)
	for i, outline := range outlines(c.Profile, nil) {
		path := joinIndex("phases", i)
		total += outline.Duration
		for j, track := range outline.Tracks {
			if planned := Duration(track.Duration); planned >= c.Phases[i].Timeout && c.Phases[i].Timeout > 0 && !track.Background {
				c.problem(path+".timeout", fmt.Sprintf("write a timeout of more than %s", planned), "track %q is planned to take %s, and the phase may take %s", c.Phases[i].Tracks[j].Name, planned, c.Phases[i].Timeout)
				break
			}
		}
	}
	if planned := Duration(total); planned >= c.Timeout && c.Timeout > 0 {
		c.problem("timeout", fmt.Sprintf("write a timeout of more than %s", planned), "the phases are planned to take %s, and the run may take %s", planned, c.Timeout)
	}
}
