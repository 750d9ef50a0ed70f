package analysis

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"windtunnel/analysis/audit"
	"windtunnel/results"
)

// auditKind is what the requests in the audit log are grouped by.
type auditKind struct {
	caller string
	call
}

// auditSample is what is kept of the requests of one kind.
type auditSample struct {
	latency   timedSample
	n, errors int64
}

// auditLog gathers the requests that arrived in the measured phases, as the API server's audit log has them.
type auditLog struct {
	phases window
	base   time.Time // of the run's instants
	kinds  map[auditKind]*auditSample

	err     error // why the file could not be read, or not to its end
	log     audit.Reading
	streams int64 // watches and the like in the measured phases, which have no latency
}

// readAudit reads an audit log. started is the wall-clock time of the run's instant 0, by which the log's times are placed
// in its phases: the log has no other clock, so that one which is set within a run moves requests at a phase's edge into
// the next or out of it. The latencies are differences of two of the log's own times.
func readAudit(path string, phases window, started string) *auditLog {
	a := &auditLog{phases: phases, kinds: map[auditKind]*auditSample{}}
	f, err := os.Open(path)
	if err != nil {
		a.err = err
		return a
	}
	defer f.Close()
	if a.base, err = time.Parse(time.RFC3339, started); err != nil {
		a.err = fmt.Errorf("place its times in the run, whose start is unknown: %w", err)
		return a
	}
	a.read(f)
	return a
}

// read goes through the events.
func (a *auditLog) read(from io.Reader) { a.log, a.err = audit.Read(from, a.event) }

// event counts one event. Only the ones that end a request count: its other stages say the same again.
func (a *auditLog) event(e *audit.Event, _ []byte) {
	at := int64(e.RequestReceivedTimestamp.Sub(a.base))
	if e.Stage != audit.Complete && e.Stage != audit.Panic || !a.phases.contains(at) {
		return
	}
	c := e.Call()
	k := auditKind{caller(e.User.Username), call{verb: c.Verb, group: c.Group, resource: c.Resource, subresource: c.Subresource, scope: c.Scope}}
	if k.outsideSLO() {
		a.streams++
		return
	}
	s := a.kinds[k]
	if s == nil {
		s = &auditSample{}
		a.kinds[k] = s
	}
	s.n++
	if e.Failed() {
		s.errors++
		return
	}
	s.latency = append(s.latency, timed{at, seconds(int64(e.StageTimestamp.Sub(e.RequestReceivedTimestamp)))})
}

// caller is the class of a user.
func caller(user string) string {
	switch {
	case strings.HasPrefix(user, "windtunnel:user-"), strings.HasPrefix(user, "system:serviceaccount:windtunnel:user-"):
		return "windtunnel's users"
	case strings.HasPrefix(user, "system:node:"), user == "windtunnel:light-nodes": // which light nodes of fidelity minimal share
		return "nodes"
	case strings.HasPrefix(user, "windtunnel:"):
		return "windtunnel's observer"
	case user == "system:kube-proxy":
		return "proxies"
	case user == "system:kube-scheduler":
		return scheduler
	case user == "system:kube-controller-manager", strings.HasPrefix(user, "system:serviceaccount:kube-system:"):
		return controllerManager
	case user == "system:apiserver":
		return apiServer
	}
	return "others"
}

// rows are the kinds of requests, the busiest first.
func (a *auditLog) rows() []results.AuditRow {
	var rows []results.AuditRow
	kinds := slices.SortedFunc(maps.Keys(a.kinds), func(k, l auditKind) int {
		return cmp.Or(cmp.Compare(a.kinds[l].n, a.kinds[k].n), strings.Compare(k.caller, l.caller), k.compare(l.call))
	})
	for _, k := range kinds {
		s := a.kinds[k]
		row := results.AuditRow{Caller: k.caller, Verb: k.verb, Group: k.group, Resource: k.resource, Subresource: k.subresource, Scope: k.scope,
			N: s.n, Errors: s.errors}
		row.P50, row.P90, row.P99, row.Max = latencyOf(s.latency)
		rows = append(rows, row)
	}
	return rows
}

// notes name what the rows leave out. No verdict depends on the log, so that what is wrong with it makes no run invalid.
func (a *auditLog) notes(wanted bool) []string {
	var notes []string
	switch {
	case errors.Is(a.err, fs.ErrNotExist):
		if wanted {
			notes = append(notes, results.AuditFile+": missing, though the profile asks for it")
		}
	case a.err != nil:
		notes = append(notes, fmt.Sprintf("%s: cannot be read: %v", results.AuditFile, a.err))
	}
	if a.log.Bad > 0 {
		notes = append(notes, fmt.Sprintf("%s: %d of %d lines cannot be read and are left out, the first: %s", results.AuditFile, a.log.Bad, a.log.Lines, a.log.FirstBad))
	}
	if a.streams > 0 {
		notes = append(notes, fmt.Sprintf("%s: %d watches and other streams are left out of the latencies", results.AuditFile, a.streams))
	}
	return notes
}
