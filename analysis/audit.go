package analysis

import (
	"bufio"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

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

	err      error // why the file could not be read, or not to its end
	lines    int64
	streams  int64 // watches and the like in the measured phases, which have no latency
	bad      int64 // lines that make no sense
	firstBad string
}

// auditEvent is the part of an event of audit.k8s.io/v1 that is looked at.
type auditEvent struct {
	Stage                    string    `json:"stage"`
	RequestURI               string    `json:"requestURI"`
	Verb                     string    `json:"verb"`
	RequestReceivedTimestamp time.Time `json:"requestReceivedTimestamp"`
	StageTimestamp           time.Time `json:"stageTimestamp"`
	User                     struct {
		Username string `json:"username"`
	} `json:"user"`
	ObjectRef *struct {
		Resource    string `json:"resource"`
		Namespace   string `json:"namespace"`
		Name        string `json:"name"`
		APIGroup    string `json:"apiGroup"`
		Subresource string `json:"subresource"`
	} `json:"objectRef"`
	ResponseStatus *struct {
		Code int32 `json:"code"`
	} `json:"responseStatus"`
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

// read goes through the events, one a line; one at the level of bodies can be megabytes long.
func (a *auditLog) read(from io.Reader) {
	in := bufio.NewReaderSize(from, 1<<20)
	var long []byte // what there is of a line that is longer than the buffer
	for {
		part, err := in.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			long = append(long, part...)
			continue
		}
		line := part
		if len(long) > 0 {
			long = append(long, part...)
			line = long
		}
		if len(line) > 0 {
			a.line(line)
		}
		long = long[:0]
		if err != nil {
			if err != io.EOF {
				a.err = err
			}
			return
		}
	}
}

// line counts one event. Of those that are read at all, only the ones that end a request count: its other stages say the
// same again.
func (a *auditLog) line(line []byte) {
	a.lines++
	var e auditEvent
	err := json.Unmarshal(line, &e)
	if err == nil && (e.RequestReceivedTimestamp.IsZero() || e.StageTimestamp.IsZero() || e.StageTimestamp.Before(e.RequestReceivedTimestamp)) {
		err = errors.New("its times make no sense")
	}
	if err != nil {
		if a.bad++; a.bad == 1 {
			a.firstBad = fmt.Sprintf("line %d: %v", a.lines, err)
		}
		return
	}
	if e.Stage != "ResponseComplete" && e.Stage != "Panic" || !a.phases.contains(int64(e.RequestReceivedTimestamp.Sub(a.base))) {
		return
	}
	k := auditKind{caller(e.User.Username), e.call()}
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
	if e.Stage == "Panic" || e.ResponseStatus == nil || e.ResponseStatus.Code >= 400 {
		s.errors++
		return
	}
	s.latency = append(s.latency, timed{int64(e.RequestReceivedTimestamp.Sub(a.base)), seconds(int64(e.StageTimestamp.Sub(e.RequestReceivedTimestamp)))})
}

// call names a request as the API server's own metrics do (CleanScope and canonicalVerb in its endpoints/metrics), so that
// rows of the two tables compare.
func (e auditEvent) call() call {
	verbs := map[string]string{"create": "POST", "update": "PUT"}
	c := call{verb: cmp.Or(verbs[e.Verb], strings.ToUpper(e.Verb))}
	if e.ObjectRef == nil || e.ObjectRef.Resource == "" {
		path, _, _ := strings.Cut(e.RequestURI, "?")
		first, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
		c.resource = "/" + first
		return c
	}
	o := e.ObjectRef
	c.group, c.resource, c.subresource = o.APIGroup, o.Resource, o.Subresource
	switch {
	case o.Name != "" || e.Verb == "create":
		c.scope = "resource"
	case o.Namespace != "":
		c.scope = "namespace"
	default:
		c.scope = "cluster"
	}
	return c
}

// caller is the class of a user.
func caller(user string) string {
	switch {
	case strings.HasPrefix(user, "windtunnel:user-"), strings.HasPrefix(user, "system:serviceaccount:windtunnel:user-"):
		return "windtunnel's users"
	case strings.HasPrefix(user, "windtunnel:"):
		return "windtunnel's observer"
	case strings.HasPrefix(user, "system:node:"):
		return "nodes"
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
	if a.bad > 0 {
		notes = append(notes, fmt.Sprintf("%s: %d of %d lines cannot be read and are left out, the first: %s", results.AuditFile, a.bad, a.lines, a.firstBad))
	}
	if a.streams > 0 {
		notes = append(notes, fmt.Sprintf("%s: %d watches and other streams are left out of the latencies", results.AuditFile, a.streams))
	}
	return notes
}
