package profiles

import (
	"slices"
	"strings"
)

func (c *checker) phases() {
	if len(c.Phases) == 0 {
		c.problem("phases", "", "is required: at least one phase")
	}
	seen := map[string]int{}
	for i, phase := range c.Phases {
		path := joinIndex("phases", i)
		if c.name(path+".name", phase.Name, longestName) {
			c.unique(path+".name", "phase", phase.Name, i, seen)
		}
		c.reservedPhase(path+".name", phase.Name)
		c.span(path+".timeout", phase.Timeout)
		c.tracks(path, phase)
	}
}

// reservedPhase keeps the names of the phases that every run has by itself.
func (c *checker) reservedPhase(path, name string) {
	if slices.Contains([]string{"boot", "hollow", "analyse"}, name) {
		c.problem(path, "choose another name", "%q is a phase that every run has by itself", name)
	}
}

// unique reports a name that was there before.
func (c *checker) unique(path, what, name string, i int, seen map[string]int) {
	if first, twice := seen[name]; twice {
		c.problem(path, "choose another name", "the %s %q is there already, as number %d", what, name, first+1)
		return
	}
	seen[name] = i
}

func (c *checker) tracks(path string, phase Phase) {
	if len(phase.Tracks) == 0 {
		c.problem(path+".tracks", "", "is required: at least one track")
		return
	}
	foreground := false
	seen := map[string]int{}
	for i, track := range phase.Tracks {
		at := joinIndex(path+".tracks", i)
		foreground = foreground || !track.Background
		if c.name(at+".name", track.Name, longestName) {
			c.unique(at+".name", "track", track.Name, i, seen)
		}
		if len(track.Steps) == 0 {
			c.problem(at+".steps", "", "is required: at least one step")
		}
		for k, step := range track.Steps {
			c.step(joinIndex(at+".steps", k), track, k, step)
		}
	}
	if !foreground {
		c.problem(path+".tracks", "take background: true away from one of them", "all tracks are in the background, so the phase would end at once")
	}
}

// stepKinds are the fields of a step that are set.
func (s Step) stepKinds() []string {
	var kinds []string
	add := func(set bool, name string) {
		if set {
			kinds = append(kinds, name)
		}
	}
	add(s.Reconcile != nil, "reconcile")
	add(s.Requests != nil, "requests")
	add(s.Watch != nil, "watch")
	add(s.Wait != nil, "wait")
	add(s.Pause != 0, "pause")
	add(s.Fault != nil, "fault")
	return kinds
}

func (c *checker) step(path string, track Track, index int, s Step) {
	unknown := c.unknown(path+".reconcile", path+".requests", path+".watch", path+".wait", path+".pause", path+".fault")
	switch kinds := s.stepKinds(); {
	case unknown:
	case len(kinds) == 0 && c.text && !c.absent(path+".pause"):
		c.span(path+".pause", s.Pause)
	case len(kinds) == 0:
		c.problem(path, "one of: reconcile, requests, watch, wait, pause, fault", "the step does nothing")
	case len(kinds) > 1:
		c.problem(path, "begin a step of its own for each, with a dash", "a step does one thing, and this one has %s", strings.Join(kinds, " and "))
	}
	if s.Pause < 0 {
		c.span(path+".pause", s.Pause)
	}
	if s.Reconcile != nil {
		c.reconcile(path+".reconcile", *s.Reconcile)
	}
	if s.Requests != nil {
		c.requests(path+".requests", track, index, *s.Requests)
	}
	if s.Watch != nil {
		c.watch(path+".watch", track, index, *s.Watch)
	}
	if s.Wait != nil {
		c.wait(path+".wait", *s.Wait)
	}
	if s.Fault != nil {
		c.fault(path+".fault", track, index, *s.Fault)
	}
}

func (c *checker) reconcile(path string, r Reconcile) {
	c.template(path+".object", r.Object)
	if c.absent(path + ".count") {
		c.problem(path+".count", "0 deletes all instances", "is required")
	}
	c.atLeast(path+".count", r.Count, 0)
	c.atLeast(path+".maxInFlight", r.MaxInFlight, 1)
	if r.Arrivals != nil {
		c.arrivals(path+".arrivals", *r.Arrivals)
	}
}

func (c *checker) requests(path string, track Track, index int, r Requests) {
	c.pace(path, track, index, r)
	c.atLeast(path+".connections", r.Connections, 1)
	c.atLeast(path+".identities", r.Identities, 1)
	c.atLeast(path+".maxInFlight", r.MaxInFlight, 1)
	if len(r.Mix) == 0 {
		c.problem(path+".mix", "", "is required: at least one request")
		return
	}
	for i, one := range r.Mix {
		c.request(joinIndex(path+".mix", i), one)
	}
	if !(r.totalWeight() > 0) && !slices.ContainsFunc(r.Mix, func(one Request) bool { return one.Weight < 0 }) {
		c.problem(path+".mix", "give at least one request a weight", "the weights sum to zero, so there is nothing to send")
	}
}

func (c *checker) wait(path string, w Wait) {
	c.span(path+".timeout", w.Timeout)
	conditions := 0
	for _, set := range []bool{w.PodsRunning != 0, w.PodsGone, w.NodesReady != 0} {
		if set {
			conditions++
		}
	}
	if conditions != 1 && !c.unknown(path+".podsRunning", path+".podsGone", path+".nodesReady") {
		c.problem(path, "one of: podsRunning, podsGone, nodesReady", "a wait needs exactly one condition, and this one has %d", conditions)
	}
	if w.PodsRunning < -1 {
		c.problem(path+".podsRunning", "-1 means as many as there should be", "must be -1 or more than 0, not %d", w.PodsRunning)
	}
	if w.NodesReady < -1 {
		c.problem(path+".nodesReady", "-1 means all", "must be -1 or more than 0, not %d", w.NodesReady)
	}
	if w.NodesReady > c.HollowNodes.Count && !c.unknown("hollowNodes.count") {
		c.problem(path+".nodesReady", "", "there are only %s", counted(c.HollowNodes.Count, "hollow node"))
	}
	needsObject := w.PodsRunning != 0 || w.PodsGone
	switch {
	case needsObject && c.template(path+".object", w.Object):
		c.podsOf(path+".object", w.Object, w.PodsRunning != 0)
	case !needsObject && w.Object != "" && conditions == 1:
		c.problem(path+".object", "take it away", "nodesReady looks at no object")
	}
}

// podsOf checks that a template brings pods, which are to run where that is waited for.
func (c *checker) podsOf(path, name string, run bool) {
	o := c.Objects[name]
	apiVersion, kind := o.typeMeta()
	holder, ok := podHolderOf(kind)
	if _, known := ResourceFor(apiVersion, kind); !known && o.Resource == "" {
		return // said at its template
	}
	if !ok {
		var with []string
		for _, other := range sortedKeys(c.Objects) {
			_, k := c.Objects[other].typeMeta()
			if _, has := podHolderOf(k); has {
				with = append(with, other)
			}
		}
		hint := ""
		if len(with) > 0 {
			hint = "objects with pods: " + strings.Join(with, ", ")
		}
		c.problem(path, hint, "%s is a %s, which brings no pods", name, kind)
		return
	}
	if run {
		c.canRun(path, name, digMap(o.Manifest, holder.spec...))
	}
}

func (c *checker) fault(path string, track Track, index int, f Fault) {
	var set []string
	add := func(is bool, name string) {
		if is {
			set = append(set, name)
		}
	}
	add(f.NodesDown != 0, "nodesDown")
	add(f.NodesUp != 0, "nodesUp")
	add(f.Kill != "", "kill")
	add(f.Restart != "", "restart")
	add(f.Nodes != nil, "nodes")
	if len(set) != 1 && !c.unknown(path+".nodesDown", path+".nodesUp", path+".kill", path+".restart", path+".nodes") {
		c.problem(path, "one of: nodesDown, nodesUp, kill, restart, nodes", "a fault does exactly one thing, and this one has %d", len(set))
	}
	if !c.ControlPlane.Made() {
		const why = "the components of a cluster that was there before are left alone"
		c.notHere(path+".kill", f.Kill != "", why)
		c.notHere(path+".restart", f.Restart != "", why)
	}
	c.enum(path+".kill", f.Kill, enumOf[Fault]("kill"))
	c.enum(path+".restart", f.Restart, enumOf[Fault]("restart"))
	c.atLeast(path+".nodesDown", f.NodesDown, 0)
	c.atLeast(path+".nodesUp", f.NodesUp, -1)
	if f.Nodes != nil {
		c.nodeFault(path+".nodes", track, index, *f.Nodes)
	}
	if most := c.HollowNodes.Count; len(set) > 0 && max(f.NodesDown, f.NodesUp) > most {
		c.problem(joinKey(path, set[0]), "", "there are only %s", counted(most, "hollow node"))
	}
}
