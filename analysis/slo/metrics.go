package slo

// Kind is what a metric is made of.
type Kind string

// The kinds of metrics.
const (
	Samples   Kind = "samples"   // a value for each of many events, exact
	Events    Kind = "events"    // things that happened, without a value
	Histogram Kind = "histogram" // the server's own counts by bucket
	Gauge     Kind = "gauge"     // a value looked at now and then
	Counter   Kind = "counter"   // what a component counts, as its rises between looks
)

// Metric is something of a run that expressions can be about.
type Metric struct {
	Name   string
	Kind   Kind
	Unit   Unit
	Labels []Label
	Needs  string // a label that must be matched by = ; empty: none
	Text   string
}

// Label is a label of a metric. Values are all it can have; empty: any.
type Label struct {
	Name   string
	Values []string
}

// Names of the metrics, for those who make the data.
const (
	RequestLatency  = "request_latency"
	Requests        = "requests"
	Errors          = "errors"
	ServerLatency   = "server_latency"
	WatchLatency    = "watch_latency"
	PodStartup      = "pod_startup"
	PodsCreated     = "pods_created"
	PodsScheduled   = "pods_scheduled"
	PodsRunning     = "pods_running"
	CPU             = "cpu"
	Memory          = "memory"
	NodesReady      = "nodes_ready"
	ComponentMetric = "metric"
)

// Metrics are all metrics, in the order of the manual.
func Metrics() []Metric {
	any := func(names ...string) []Label {
		var labels []Label
		for _, name := range names {
			labels = append(labels, Label{Name: name})
		}
		return labels
	}
	verb := Label{"verb", []string{"GET", "LIST", "POST", "PUT", "PATCH", "APPLY", "DELETE", "DELETECOLLECTION", "WATCH", "WATCHLIST"}}
	scope := Label{"scope", []string{"resource", "namespace", "cluster"}}
	request := append([]Label{verb, scope, {"loop", []string{"open", "closed"}}}, any("group", "resource", "subresource", "variant", "phase")...)
	outcome := append(request[:len(request):len(request)], any("code", "error")...)
	yesNo := []string{"true", "false"}
	return []Metric{
		{Name: RequestLatency, Kind: Samples, Unit: Seconds, Labels: request,
			Text: "what the client saw of an answer with a 2xx code: from the planned instant to its end"},
		{Name: Requests, Kind: Events, Unit: Number, Labels: outcome, Text: "requests that the client sent"},
		{Name: Errors, Kind: Events, Unit: Number, Labels: outcome, Text: "of those, the ones that failed; n is the number of requests. Canceled ones did not"},
		{Name: ServerLatency, Kind: Histogram, Unit: Seconds, Labels: append([]Label{verb, scope, {"builtin", yesNo}}, any("group", "resource", "subresource", "phase")...),
			Text: "the API server's own SLI, apiserver_request_sli_duration_seconds, by every caller; builtin=\"false\" are custom and aggregated resources"},
		{Name: WatchLatency, Kind: Samples, Unit: Seconds, Labels: any("track", "group", "resource", "phase"),
			Text: "from the sending of a write to the arrival of its event at one watcher"},
		{Name: PodStartup, Kind: Samples, Unit: Seconds, Needs: "stage",
			Labels: append([]Label{{"stage", []string{"create_to_schedule", "schedule_to_run", "run_to_observe", "total"}}, {"schedulable", yesNo}}, any("object", "phase")...),
			Text:   "a stage of the start of a pod that a template made; in total, one that had more than 5 s and never ran counts as endless. schedulable=\"false\" are those that name a scheduler which is not there"},
		{Name: PodsCreated, Kind: Events, Unit: Number, Labels: any("object", "phase"), Text: "pods of templates seen created"},
		{Name: PodsScheduled, Kind: Events, Unit: Number, Labels: any("object", "phase"), Text: "pods of templates seen with a node: the scheduler's throughput"},
		{Name: PodsRunning, Kind: Events, Unit: Number, Labels: any("object", "phase"), Text: "pods of templates seen running"},
		{Name: CPU, Kind: Gauge, Unit: Cores, Labels: any("component", "phase"), Text: "CPU time that a component took, second by second"},
		{Name: Memory, Kind: Gauge, Unit: Bytes, Labels: any("component", "phase"), Text: "memory of a component, as often as it was read: its proportional set size, or its resident one where that never was"},
		{Name: NodesReady, Kind: Gauge, Unit: Number, Labels: any("phase"), Text: "hollow nodes that were Ready, second by second"},
		{Name: ComponentMetric, Kind: Gauge, Unit: Number, Needs: "name", Labels: any("name", "component", "phase"),
			Text: "a metric of a component in series/metrics.arrows by its Prometheus name, with its own labels; a name that ends with _total, _count or _sum is a counter, and _seconds and _bytes in it are its unit"},
	}
}

// metricNames are the names of all metrics.
func metricNames() []string {
	var names []string
	for _, m := range Metrics() {
		names = append(names, m.Name)
	}
	return names
}

func metricNamed(name string) (Metric, bool) {
	for _, m := range Metrics() {
		if m.Name == name {
			return m, true
		}
	}
	return Metric{}, false
}

func (m Metric) label(name string) (Label, bool) {
	for _, l := range m.Labels {
		if l.Name == name {
			return l, true
		}
	}
	return Label{Name: name}, m.Name == ComponentMetric // whose own labels are not known before the run
}

func (m Metric) labelNames() []string {
	var names []string
	for _, l := range m.Labels {
		names = append(names, l.Name)
	}
	return names
}
