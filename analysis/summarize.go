package analysis

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"windtunnel/profiles"
	"windtunnel/results"
)

// Summarize works out a run's answer from its directory alone: the Summary of its Study. What is missing or damaged is named
// in the summary, makes the run invalid and leaves its figures without data; it is no error. Only a directory without a
// readable run.json is one.
func Summarize(d *results.Dir) (results.Summary, error) {
	s, err := Examine(d)
	return s.Summary, err
}

// gather reads all that a run's directory tells.
func gather(d *results.Dir, run results.Run) *evidence {
	e := &evidence{run: run, pictures: newPictures()}
	e.readProfile()
	e.readAll(d)
	var err error
	if e.remarks, err = d.Notes(); err != nil {
		e.badRemarks = strings.Split(err.Error(), "\n")
	}
	return e
}

// readProfile takes out the phases that cannot be believed, and decodes the profile over the documented defaults of the limits that the judgement needs: a run says all of
// them, and a limit of 0 is one.
func (e *evidence) readProfile() {
	e.dropPhases()
	p := &e.profile
	p.SLO.MinSamples = 299
	p.Validity = profiles.Validity{MinAchieved: 1, MaxLag: profiles.Duration(100 * time.Millisecond), MaxErrors: 0.01, MaxGeneratorCPU: 0.25}
	p.HollowNodes.NamePrefix = "hollow-"
	p.HollowNodes.Capacity = map[string]string{"cpu": "32"}
	if err := json.Unmarshal(e.run.Profile, p); err != nil {
		e.damage = append(e.damage, fmt.Sprintf("%s: the profile cannot be read: %v", results.RunFile, err))
	}
}

// readAll reads every stream of the directory. The events of pods and nodes come first: they tell how far a run got whose
// last phase has no end.
func (e *evidence) readAll(d *results.Dir) {
	e.pods = lives{}
	var whole bool
	if e.run.Phases, whole = believable(e.run.Phases); !whole {
		e.damage = append(e.damage, results.RunFile+": its phases have instants that no run has")
	}
	last := results.Instant(0)
	for _, file := range append([]string{results.PodsFile}, d.HollowFiles()...) {
		each(e, d, file, func(r results.PodEvent) {
			e.pods.add(e.owned(r))
			last = max(last, r.At)
		})
	}
	var nodes []results.NodeEvent
	each(e, d, results.NodesFile, func(r results.NodeEvent) {
		nodes = append(nodes, r)
		last = max(last, r.At)
	})
	nodesInOrder(nodes)
	var samples []results.ProcessSample
	each(e, d, results.ProcessesFile, func(r results.ProcessSample) {
		samples = append(samples, r)
		last = max(last, r.At)
	})
	inOrder(samples)

	last = min(last, longestRun)
	e.phases = measuredWindow(e.run, last)
	e.pictures.begin(e, last)
	e.nodes, e.faults = newNodeStates(e.phases, e.profile.HollowNodes.NamePrefix), newNodeFaults()
	for _, n := range nodes {
		e.nodes.add(n)
		e.faults.add(n)
		e.pictures.nodes.add(n)
	}
	e.nodes.finish()
	e.use = newComponents(e.phases, e.run.Phases)
	for _, s := range samples {
		e.use.add(s)
		e.pictures.usage.add(s)
	}
	e.requests = newRequests(e.phases, seconds(int64(e.profile.Validity.MaxLag)), closedLoops(e.profile, e.run.Steps), len(e.run.Steps) > 0)
	e.watching = newWatching(e.phases, watches(e.profile))
	each(e, d, results.RequestsFile, func(r results.Request) {
		e.requests.add(r)
		e.watching.request(r)
		e.pictures.traffic.add(&r)
		e.pictures.slowest.add(&r)
	})
	if watches(e.profile) {
		each(e, d, results.WatchesFile, e.watching.event)
	}
	e.requests.finish()
	e.scrapes = newScrapes(e.phases)
	each(e, d, results.ScrapesFile, e.scrapes.add)
	e.readLooks(d)
	if e.others != nil {
		each(e, d, results.BystanderFile, func(r results.Request) { e.others.request(r, e.phases) })
	}
	if _, err := os.Stat(d.Path(results.ObjectsFile)); err == nil { // only what cannot be read of it is of interest here
		each(e, d, results.ObjectsFile, func(results.ObjectEvent) {})
	}
	e.audit = readAudit(d.Path(results.AuditFile), e.phases, e.run.Started)
}

// owned gives a pod of a test, which no template of a profile made, to its namespace in place of a template. Those of the cluster's own
// namespaces and of windtunnel's are nobody's, and on a cluster with others' pods those are that do not carry the run's label.
func (e *evidence) owned(r results.PodEvent) results.PodEvent {
	if len(e.run.Steps) == 0 || r.Object != "" || r.Source != "watch" || strings.HasPrefix(r.Namespace, "kube-") || r.Namespace == profiles.Namespace {
		return r
	}
	others := profiles.ControlPlane{Provider: e.run.Provider}.AmongReal()
	if !others || strings.Contains(","+r.Labels+",", ","+profiles.LabelRun+"="+e.run.ID+",") {
		r.Object = r.Namespace
	}
	return r
}

// readLooks reads the chosen metrics. That there are none is no damage: older windtunnels did not write them.
func (e *evidence) readLooks(d *results.Dir) {
	e.looks = newLooks(e.phases)
	e.others = newOthers(e.run)
	if _, err := os.Stat(d.Path(results.MetricsFile)); errors.Is(err, fs.ErrNotExist) {
		return
	}
	each(e, d, results.MetricsFile, func(m results.Metric) {
		e.looks.add(m)
		e.pictures.history.add(m)
		if e.others != nil {
			e.others.metric(m)
		}
	})
	e.looks.finish()
}

// each gives every readable record of a file to add, and notes what is missing or damaged. A record with an instant that cannot
// be believed is damage, too.
func each[T results.Record](e *evidence, d *results.Dir, file string, add func(T)) {
	incredible := 0
	defer func() {
		if incredible > 0 {
			e.damage = append(e.damage, fmt.Sprintf("%s: %d records left out: an instant more than a year from the start of the run", file, incredible))
		}
	}()
	for r, err := range results.Read[T](d.Path(file)) {
		if err == nil && !timely(&r) {
			incredible++
			continue
		}
		if err == nil {
			add(r)
			continue
		}
		var damage *results.Damage
		switch {
		case errors.As(err, &damage):
			damage.File = file // relative: a run directory may be moved
			e.damage = append(e.damage, damage.Error())
		case errors.Is(err, fs.ErrNotExist):
			e.damage = append(e.damage, file+": missing")
		default:
			e.damage = append(e.damage, fmt.Sprintf("%s: %v", file, err))
		}
	}
}

// summary puts the answer together.
func (e *evidence) summary() results.Summary {
	judged := e.profile.SLO.Judged == nil || *e.profile.SLO.Judged
	cs, notes := e.scrapes.calls()
	pods := startupOf(e.pods, e.profile.SLO.PodStartup, e.phases)
	s := results.Summary{
		Format:            results.FormatVersion,
		Run:               e.info(),
		Validity:          e.validity(),
		SLOs:              judgeSLOs(e.profile.SLO, cs, pods),
		Conditions:        e.conditions(),
		PodStartup:        pods.quantiles(),
		Throughput:        throughput(e.pods, e.phases),
		Requests:          e.requests.rows(),
		RequestsByPhase:   e.requests.rowsByPhase(),
		PodStartupByPhase: e.startupByPhase(),
		NodeFaults:        e.faults.rows(e.pods),
		Watches:           e.watching.summary(),
		Server:            serverRows(cs),
		ServerSide:        e.looks.serverSide(),
		Audit:             e.audit.rows(),
		Others:            e.others.summary(e.looks),
		Components:        e.use.rows(),
		Phases:            e.run.Phases,
		Damage:            e.damage,
		Remarks:           e.remarks,
	}
	s.Verdict = overall(s.Validity.Verdict, judged, s.SLOs)
	if e.test != nil {
		s.ClusterLoader = &e.test.Result
		s.Verdict = withTest(s)
	}
	s.Notes = append(append(s.Notes, e.run.Notes...), notes...)
	s.Notes = append(s.Notes, e.audit.notes(e.wantsAudit())...)
	s.Notes = append(s.Notes, e.looks.notes()...)
	s.Notes = append(s.Notes, e.badRemarks...)
	if note := pods.note(); note != "" {
		s.Notes = append(s.Notes, "pod start-up: of the pods created in the measured phases, "+note)
	}
	if n := s.PodStartup[stageRun].Negative + s.PodStartup[stageObserve].Negative + s.PodStartup[stageSchedule].Negative; n > 0 {
		s.Notes = append(s.Notes, fmt.Sprintf("pod start-up: %d stage times are negative, because their two ends were seen by different observers; they are kept as measured", n))
	}
	if s.Phases == nil {
		s.Phases = []results.PhaseSpan{}
	}
	return s
}

// wantsAudit tells whether the profile asks for an audit log.
func (e *evidence) wantsAudit() bool {
	level := e.profile.ControlPlane.APIServer.Audit
	return level != "" && level != "none"
}

func (e *evidence) info() results.RunInfo {
	pods := 0
	for _, p := range e.pods {
		if p.object != "" && p.created != never {
			pods++
		}
	}
	return results.RunInfo{ID: e.run.ID, Profile: e.run.Name, Provider: e.run.Provider, Seed: e.run.Seed, Outcome: e.run.Outcome,
		Started: e.run.Started, Seconds: e.duration(), Versions: e.run.Versions, Machine: e.run.Machine,
		Nodes: e.profile.HollowNodes.Count, Pods: pods}
}

// duration is how long the run took, in seconds: by its start and end, or while it has no end by its phases.
func (e *evidence) duration() float64 {
	started, err1 := time.Parse(time.RFC3339, e.run.Started)
	ended, err2 := time.Parse(time.RFC3339, e.run.Ended)
	if err1 == nil && err2 == nil {
		return ended.Sub(started).Seconds()
	}
	var last results.Instant
	for _, p := range e.run.Phases {
		last = max(last, p.Begin, p.End)
	}
	return seconds(last)
}
