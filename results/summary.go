package results

// Verdict is how a judgement ended.
type Verdict string

// The verdicts. NotJudged is for profiles that only observe.
const (
	Pass      Verdict = "pass"
	Fail      Verdict = "fail"
	NoData    Verdict = "no data"
	Invalid   Verdict = "invalid"
	NotJudged Verdict = "not judged"
)

// Summary is summary.json, the published shape of a run's answer. Times are seconds, sizes bytes.
type Summary struct {
	Format     int                       `json:"format"`
	Run        RunInfo                   `json:"run"`
	Verdict    Verdict                   `json:"verdict"`
	Validity   Validity                  `json:"validity"`
	SLOs       []SLOResult               `json:"slos"`
	Conditions []Condition               `json:"conditions"` // the SLO's own preconditions: shown, never deciding
	PodStartup map[string]StageQuantiles `json:"podStartup"` // by stage: create_to_schedule, schedule_to_run, run_to_observe, total
	Throughput map[string]Figure         `json:"throughput"` // scheduler pods/s and the like
	Requests   []RequestRow              `json:"requests"`
	// RequestsByPhase are the same rows for every measured phase; absent when there is only one.
	RequestsByPhase []RequestRow `json:"requestsByPhase,omitempty"`
	// PodStartupByPhase is by the measured phase in which the pods were created; absent when there is only one.
	PodStartupByPhase map[string]map[string]StageQuantiles `json:"podStartupByPhase,omitempty"`
	// NodeFaults are what the controllers did about the faults of nodes that the run made, by kind; absent when it made none.
	NodeFaults []NodeFaultRow `json:"nodeFaults,omitempty"`
	Watches    []WatchRow     `json:"watches"`
	Server     []ServerRow    `json:"server"`
	ServerSide *ServerSide    `json:"serverSide,omitempty"` // absent when the run has no MetricsFile
	Audit      []AuditRow     `json:"audit,omitempty"`      // the busiest first; absent when the run has no audit log
	Others     *Others        `json:"others,omitempty"`     // absent unless the cluster has other users than the run
	// ClusterLoader is there when the run was a test of ClusterLoader2.
	ClusterLoader *ClusterLoader `json:"clusterLoader,omitempty"`
	Components    []ComponentUse `json:"components"`
	Phases        []PhaseSpan    `json:"phases"`
	Damage        []string       `json:"damage,omitempty"`  // records that could not be read, named and counted
	Notes         []string       `json:"notes,omitempty"`   // what a reader of the figures must know, such as restarts and pods that were left out
	Remarks       []Note         `json:"remarks,omitempty"` // what people attached to the run, as it was when the summary was made
}

// RunInfo identifies the run.
type RunInfo struct {
	ID       string            `json:"id"`
	Profile  string            `json:"profile"`
	Provider string            `json:"provider"`
	Seed     uint64            `json:"seed"`
	Outcome  string            `json:"outcome"`
	Started  string            `json:"started"`
	Seconds  float64           `json:"seconds"`
	Versions map[string]string `json:"versions"`
	Machine  Machine           `json:"environment"`
	Nodes    int               `json:"nodes"`
	Pods     int               `json:"pods"`
}

// Validity says whether the run can be trusted.
type Validity struct {
	Verdict Verdict `json:"verdict"` // pass | invalid
	Checks  []Check `json:"checks"`
}

// Check is one test of the run itself.
type Check struct {
	Name     string  `json:"name"`
	Verdict  Verdict `json:"verdict"`
	Measured float64 `json:"measured"`
	Limit    float64 `json:"limit"`
	Unit     string  `json:"unit"`
	N        int64   `json:"n"`
	Text     string  `json:"text"`             // one sentence
	Remedy   string  `json:"remedy,omitempty"` // what to do about it, when it failed
}

// SLOResult is one judged row.
type SLOResult struct {
	Expression string    `json:"expression"`          // for people, such as "99 % of PATCH pods/status within 1 s"
	Measured   *float64  `json:"measured"`            // fraction of answers within the threshold; null when there is no data
	Interval   []float64 `json:"interval"`            // 95 % Clopper-Pearson interval of that fraction
	Effective  float64   `json:"effective,omitempty"` // how many independent answers would tell as much, where that is known; the interval counts on no more
	N          int64     `json:"n"`
	Margin     *float64  `json:"margin"` // measured − required
	Quantile   *Bounds   `json:"quantile"`
	Threshold  float64   `json:"threshold"` // seconds
	Verdict    Verdict   `json:"verdict"`
	Required   bool      `json:"required"`
	Note       string    `json:"note,omitempty"` // why there is no data, or what was left out
}

// Bounds is a quantile with what is known about it: [Low, High] is a confidence interval or a histogram bucket.
type Bounds struct {
	Value float64  `json:"value"`
	Low   *float64 `json:"low"` // null when the sample is too small for the bound
	High  *float64 `json:"high"`
	// Effective is how many independent values would tell as much as the sample, whose values depend on each other; the interval
	// counts on no more. Absent from a histogram's bounds.
	Effective float64 `json:"effective,omitempty"`
	// PlainCoverage is about how often a 95 % interval would hold the quantile that took the values as independent.
	PlainCoverage float64 `json:"plainCoverage,omitempty"`
	// Least is set when the sample is too small for the quantile: it needs so many values. Value is then just an extreme of
	// the sample, which is no estimate, and is shown nowhere.
	Least int64 `json:"least,omitempty"`
}

// Condition is one precondition of the SLO, such as churn.
type Condition struct {
	Name     string  `json:"name"`
	Measured float64 `json:"measured"`
	Limit    float64 `json:"limit"`
	Unit     string  `json:"unit"`
	Holds    bool    `json:"holds"`
	Text     string  `json:"text"`
}

// StageQuantiles are exact quantiles of one stage, in seconds.
type StageQuantiles struct {
	N    int64  `json:"n"`
	P50  Bounds `json:"p50"`
	P90  Bounds `json:"p90"`
	P99  Bounds `json:"p99"`
	P100 Bounds `json:"p100"`
	// Negative is how many values are below zero, because their two ends were seen by different observers. They are kept
	// as they were measured.
	Negative int64 `json:"negative,omitempty"`
	// NeverRan is, of total, how many pods had more than the SLO's 5 s and never ran. N and the quantiles are without them.
	NeverRan int64 `json:"neverRan,omitempty"`
}

// NodeFaultRow is what the controllers did about the faults of one kind, wherever in the run they were. A node that broke three times
// counts as three faults.
type NodeFaultRow struct {
	Kind   string `json:"kind"` // down | partition | slow | flapping | clockSkew
	Faults int64  `json:"faults"`
	// Pods is how many pods of templates were on the nodes when they broke; Evicted how many of them began to be deleted after
	// their node got its NoExecute taint and before it was Ready again; Replaced how many pods were seen running in their places.
	Pods     int64 `json:"pods"`
	Evicted  int64 `json:"evicted"`
	Replaced int64 `json:"replaced"`
	// Times are in seconds from the fault's begin, one value a fault: to_not_ready, to_taint, to_first_eviction, to_last_eviction;
	// to_replacement_running has one value a pod; to_ready is from the fault's end, of the nodes that were not Ready. What never
	// came is in none of them: their n says of how many faults.
	Times map[string]StageQuantiles `json:"times"`
}

// Figure is a number with its unit.
type Figure struct {
	Value float64 `json:"value"`
	Unit  string  `json:"unit"`
	N     int64   `json:"n"`
	Text  string  `json:"text,omitempty"`
}

// RequestRow is what the client saw of one kind of request in the measured phases.
type RequestRow struct {
	Phase       string           `json:"phase,omitempty"` // only in requestsByPhase
	Verb        string           `json:"verb"`
	Group       string           `json:"group,omitempty"`
	Resource    string           `json:"resource"`
	Subresource string           `json:"subresource,omitempty"`
	Scope       string           `json:"scope"`
	Variant     string           `json:"variant,omitempty"`
	ClosedLoop  bool             `json:"closedLoop,omitempty"` // of users who wait for each answer: latency counts from the instant of sending
	N           int64            `json:"n"`
	Errors      int64            `json:"errors"`
	ErrorsBy    map[string]int64 `json:"errorsByClass,omitempty"`
	Answered    int64            `json:"answered"` // with a 2xx code: those that the latencies are of
	P50         *Bounds          `json:"p50"`      // latency from the planned instant of answered requests; null when they are too few for it (2, 10 and 100 are needed)
	P90         *Bounds          `json:"p90"`
	P99         *Bounds          `json:"p99"`
	Max         *float64         `json:"max"`
}

// WatchRow is what the watchers of a track received in the measured phases. Their latency is the time from the sending of a
// write (a POST, PUT or PATCH of a requests step) to the arrival of its event at one watcher; N counts those pairs.
type WatchRow struct {
	Track        string           `json:"track"`
	Group        string           `json:"group,omitempty"`
	Resource     string           `json:"resource"`
	Watchers     int64            `json:"watchers"` // that received anything
	Opened       int64            `json:"opened"`   // watches
	Reopened     int64            `json:"reopened"` // of those, after a break
	Events       int64            `json:"events"`
	EventsByType map[string]int64 `json:"eventsByType"`
	Bytes        int64            `json:"bytes"`
	N            int64            `json:"n"`
	P50          *Bounds          `json:"p50"`
	P90          *Bounds          `json:"p90"`
	P99          *Bounds          `json:"p99"`
	Max          *float64         `json:"max"`
}

// ServerRow is what the API server's own SLI histogram says of one row.
type ServerRow struct {
	Verb        string  `json:"verb"`
	Group       string  `json:"group,omitempty"`
	Resource    string  `json:"resource"`
	Subresource string  `json:"subresource,omitempty"`
	Scope       string  `json:"scope"`
	N           int64   `json:"n"`
	P50         *Bounds `json:"p50"` // Low and High are the bucket's edges
	P90         *Bounds `json:"p90"`
	P99         *Bounds `json:"p99"`
	Within      float64 `json:"within"` // fraction within the threshold, exact
	Threshold   float64 `json:"threshold"`
}

// ComponentUse is what one process took over the whole run.
type ComponentUse struct {
	Name       string  `json:"name"`
	CPUSeconds float64 `json:"cpuSeconds"` // in the measured phases
	CPUTotal   float64 `json:"cpuTotalSeconds"`
	// CPUByPhase is the CPU seconds by phase of the run.
	CPUByPhase map[string]float64 `json:"cpuSecondsByPhase"`
	PeakBytes  int64              `json:"peakBytes"`
	MeanBytes  float64            `json:"meanBytes"`
	Memory     string             `json:"memory"` // what the bytes are: pss, or rss where pss was never read
	Samples    int64              `json:"samples"`
}
