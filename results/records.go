// Package results is the record format of a run and its directory. Writers append raw records from the first second, so
// that a killed run is readable up to its last second; readers give the same records back. The format is documented in
// results/README.md and versioned by FormatVersion.
package results

// FormatVersion is the version of the record format; it changes when a column's meaning does.
const FormatVersion = 1

// Instant is a point in time as nanoseconds of the machine's monotonic clock since the run's base.
type Instant = int64

// Request is one request that the harness sent, or was to send.
type Request struct {
	Planned, Sent, FirstByte, Done Instant // 0 where it never came to that (Planned is always set)
	Phase, Track                   string
	Verb                           string // GET LIST POST PUT PATCH DELETE DELETECOLLECTION WATCH WATCHLIST
	Group, Version, Resource       string
	Subresource                    string
	Scope                          string // resource | namespace | cluster
	Variant                        string // which form of the verb, such as "rmw" for the GET before a PUT
	Object                         string // namespace/name of the target, or namespace, or empty
	Code                           int32  // HTTP status; 0 when there was no answer
	Error                          string // class: "" | http_4xx code class such as conflict, not_found, too_many_requests | timeout | connection | canceled | dropped | no_target
	BytesOut, BytesIn              int64
	Attempt                        int32 // 1 for the first
	Identity                       string
	FlowSchema, PriorityLevel      string // UIDs from the X-Kubernetes-PF-* response headers
	Part                           int32  // 0 for the request that the plan has; 1, 2, … for those that follow it: pages, the PUT after its GET
	ResourceVersion                int64  // of the object after a write; 0 where the answer did not show it
}

// WatchEvent is one event that a watcher of a watch step received.
type WatchEvent struct {
	At                       Instant // when the whole event was there
	ResourceVersion          int64   // of the object; by it an event is joined with the write that caused it
	Phase, Track             string
	Watcher                  int32 // number within the step
	Group, Version, Resource string
	Type                     string // ADDED | MODIFIED | DELETED | BOOKMARK | ERROR; INITIAL for what was there when the watch began
	Bytes                    int64  // size of the event
}

// PodEvent is one transition in a pod's life.
type PodEvent struct {
	At        Instant
	Source    string // watch (received by the harness) | runtime (the hollow node's container runtime)
	Event     string // created | scheduled | running | ready | succeeded | failed | deleting | deleted (watch); started | stopped (runtime)
	Namespace string
	Name      string
	UID       string
	Object    string // template whose instance owns the pod (label windtunnel/object), "" for others
	Node      string
	Phase     string // run phase in which it was received
	Created   int64  // metadata.creationTimestamp, Unix seconds; 0 from the runtime
	Labels    string // created: the pod's labels as k=v,k=v, sorted; "" on other events and in older records
	Volumes   string // created: VolumesEphemeral or VolumesStateful; "" on other events and in older records
	Scheduler string // created: spec.schedulerName; "" on other events and in older records
	Started   int64  // running: the latest status.containerStatuses[].state.running.startedAt, Unix seconds; 0 on other events and where no container says
}

// The volumes of a pod: all of them come and go with it (emptyDir, secret, downwardAPI, configMap, projected), or some are others.
const (
	VolumesEphemeral = "ephemeral"
	VolumesStateful  = "stateful"
)

// ObjectEvent is one transition in the life of an object that a measurement of a script follows, such as a Job.
type ObjectEvent struct {
	At                       Instant // when it was received
	Measure                  string  // the measurement, METHOD/IDENTIFIER
	Group, Version, Resource string
	Namespace, Name, UID     string
	Event                    string // created | started | completed | failed | deleted
	Stamp                    int64  // when it was by the object itself, Unix seconds; 0 where it does not say
}

// NodeEvent is one transition of a node, received by watch, or what a fault step did to it.
type NodeEvent struct {
	At     Instant
	Name   string
	Event  string // added | ready | notready | tainted | untainted | deleted (watch); broken | mended (fault step)
	Detail string // tainted: the key of the NoExecute taint; broken, mended: the kind of the fault
}

// ProcessSample is one look at one process.
type ProcessSample struct {
	At         Instant
	Component  string // etcd | kube-apiserver | kube-controller-manager | kube-scheduler | hollow-0 … | windtunnel
	PID        int32
	CPUSeconds float64 // user + system since the process started
	RSS, PSS   int64   // bytes; PSS 0 where it was not read in this sample
	FDs        int32
	Threads    int32
}

// Scrape is one /metrics answer, whole.
type Scrape struct {
	At        Instant
	Component string
	Phase     string // run phase in which it was taken
	Mark      string // begin | end at the edges of a phase, measure at a call of a script, "" between
	Body      []byte // Prometheus text format
}

// Metric is one value of one of the chosen metrics of a component, as it stood at one look at its /metrics. All values of
// one look have the same At and Component and stand together.
type Metric struct {
	At        Instant
	Component string  // etcd | kube-apiserver | kube-controller-manager | kube-scheduler
	Name      string  // Prometheus' own, such as workqueue_depth or etcd_disk_wal_fsync_duration_seconds_sum
	Labels    string  // in Prometheus' text format and order of their names, such as {code="200",verb="GET"}; empty: none
	Value     float64 // in the metric's own unit, which its name ends with; counters count from the start of the process
}
