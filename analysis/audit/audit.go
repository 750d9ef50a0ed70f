// Package audit reads the API server's audit log (audit.k8s.io/v1): one event a line, which says who asked for what, when, and
// what came of it. Everything here that looks into an audit log reads it by this package.
package audit

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// The stages of an event that are looked at: a stream such as a watch has begun; a request, or a stream, has ended.
const (
	Started  = "ResponseStarted"
	Complete = "ResponseComplete"
	Panic    = "Panic"
)

// Event is the part of an event that is looked at without its bodies. The times are the API server's wall clock, to the
// microsecond.
type Event struct {
	AuditID                  string    `json:"auditID"` // of the request, which has an event for each stage
	Stage                    string    `json:"stage"`
	RequestURI               string    `json:"requestURI"`
	Verb                     string    `json:"verb"` // as in RBAC: get, create, …
	RequestReceivedTimestamp time.Time `json:"requestReceivedTimestamp"`
	StageTimestamp           time.Time `json:"stageTimestamp"`
	User                     struct {
		Username string              `json:"username"`
		Extra    map[string][]string `json:"extra"`
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

// Reading is what there was in a log.
type Reading struct {
	Lines    int64  // all
	Bad      int64  // that make no sense; they are left out
	FirstBad string // the first of these: its number and what is wrong
}

// Read gives every event of a log to each, with its line, whose bytes are good until each returns. The error is one of
// reading; lines that make no sense are none.
func Read(from io.Reader, each func(e *Event, line []byte)) (Reading, error) {
	var r Reading
	err := lines(from, func(line []byte) {
		r.Lines++
		e, err := parse(line)
		if err != nil {
			if r.Bad++; r.Bad == 1 {
				r.FirstBad = fmt.Sprintf("line %d: %v", r.Lines, err)
			}
			return
		}
		each(e, line)
	})
	return r, err
}

func parse(line []byte) (*Event, error) {
	var e Event
	if err := json.Unmarshal(line, &e); err != nil {
		return nil, err
	}
	if e.RequestReceivedTimestamp.IsZero() || e.StageTimestamp.IsZero() || e.StageTimestamp.Before(e.RequestReceivedTimestamp) {
		return nil, errors.New("its times make no sense")
	}
	return &e, nil
}

// lines goes through the lines; one at the level of bodies can be megabytes long.
func lines(from io.Reader, each func([]byte)) error {
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
			each(line)
		}
		long = long[:0]
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// Failed says that a request was not answered, or with an error.
func (e *Event) Failed() bool {
	return e.Stage == Panic || e.ResponseStatus == nil || e.ResponseStatus.Code >= 400
}

// Call is what a request asks for, in the words of the API server's own metrics.
type Call struct {
	Verb, Group, Resource, Subresource string
	Scope                              string // resource | namespace | cluster; empty for a path without a resource
}

// Call names a request as the API server's own metrics do (CleanScope and canonicalVerb in its endpoints/metrics), so that
// rows of the two compare. A path without a resource has its first element as one, with a slash: /healthz.
func (e *Event) Call() Call {
	c := Call{Verb: verb(e.Verb)}
	if e.ObjectRef == nil || e.ObjectRef.Resource == "" {
		path, _, _ := strings.Cut(e.RequestURI, "?")
		first, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
		c.Resource = "/" + first
		return c
	}
	o := e.ObjectRef
	c.Group, c.Resource, c.Subresource = o.APIGroup, o.Resource, o.Subresource
	switch {
	case o.Name != "" || e.Verb == "create":
		c.Scope = "resource"
	case o.Namespace != "":
		c.Scope = "namespace"
	default:
		c.Scope = "cluster"
	}
	return c
}

func verb(rbac string) string {
	switch rbac {
	case "create":
		return "POST"
	case "update":
		return "PUT"
	}
	return strings.ToUpper(rbac)
}
