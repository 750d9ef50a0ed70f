package profiles

import "reflect"

// arrivals fills what depends on the other fields of a stream: the factor of a recorded curve, and room for all users of a
// closed loop.
func (f filler) arrivals(p *Profile) {
	for i, phase := range p.Phases {
		for j, track := range phase.Tracks {
			for k, step := range track.Steps {
				path := joinIndex(joinKey(joinIndex(joinKey(joinIndex("phases", i), "tracks"), j), "steps"), k)
				if r := step.Reconcile; r != nil && r.Arrivals != nil {
					f.stages(path+".reconcile.arrivals", r.Arrivals)
				}
				if r := step.Fault; r != nil && r.Nodes != nil && r.Nodes.Arrivals != nil {
					f.stages(path+".fault.nodes.arrivals", r.Nodes.Arrivals)
				}
				if r := step.Requests; r != nil {
					f.pace(path+".requests", r)
				}
			}
		}
	}
}

func (f filler) pace(path string, r *Requests) {
	if r.Arrivals != nil {
		f.stages(path+".arrivals", r.Arrivals)
	}
	if r.ClosedLoop != nil && f.missing(path+".maxInFlight", reflect.ValueOf(r.MaxInFlight)) {
		r.MaxInFlight = r.ClosedLoop.Users
	}
}

func (f filler) stages(path string, a *Arrivals) {
	for i := range a.Stages {
		s := &a.Stages[i]
		if s.Shape == ShapeCurve && f.missing(joinIndex(path+".stages", i)+".rate", reflect.ValueOf(s.Rate)) {
			s.Rate = 1
		}
	}
}
