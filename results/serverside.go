package results

// ServerSide is what the components said of themselves in the measured phases, by the chosen metrics of MetricsFile. A
// figure that counts or averages is a difference between looks, from the first to the last of each measured phase; one that
// says "most" is the largest value at any look, and what came and went between two looks is not in it.
type ServerSide struct {
	Figures        []ComponentFigure `json:"figures"`
	PriorityLevels []PriorityLevel   `json:"priorityLevels"` // of priority and fairness, by name; those that nothing passed through are left out
	WorkQueues     []WorkQueue       `json:"workQueues"`     // those that something was added to, the one with the most waiting first
}

// ComponentFigure is one number about a component.
type ComponentFigure struct {
	Component string  `json:"component"`
	Name      string  `json:"name"`
	Value     float64 `json:"value"`
	Unit      string  `json:"unit"`
	N         int64   `json:"n"` // looks, or of a mean the events that it is over
	Text      string  `json:"text"`
}

// PriorityLevel is one priority level of the API server's priority and fairness.
type PriorityLevel struct {
	Name     string   `json:"name"`
	Requests int64    `json:"requests"` // that were let through
	Rejected int64    `json:"rejected"`
	MeanWait *float64 `json:"meanWaitSeconds"` // in the queue, of all requests; null for a level that never queues
	// MostSeats is the most seats in use at any look; a request takes one or more.
	MostSeats float64 `json:"mostSeats"`
	// Seats is the level's nominal limit; it may borrow more.
	Seats      float64 `json:"seats"`
	MostQueued float64 `json:"mostQueued"` // requests in its queues at any look
	Looks      int64   `json:"looks"`
}

// WorkQueue is one work queue of a controller or of the scheduler.
type WorkQueue struct {
	Component string   `json:"component"`
	Name      string   `json:"name"`
	Adds      int64    `json:"adds"`
	N         int64    `json:"n"`               // items that were taken from it
	MeanWait  *float64 `json:"meanWaitSeconds"` // in the queue, of those items; null when there were none
	Deepest   float64  `json:"deepest"`         // items in it at any look
	Looks     int64    `json:"looks"`
}

// AuditRow is what the API server's audit log says of one kind of request by one kind of caller in the measured phases: of
// those that arrived in them. The latency is the server's own, from the arrival of the request to the end of its answer
// (requestReceivedTimestamp to stageTimestamp of the stage ResponseComplete, to the microsecond). Watches and other streams
// are not in it.
type AuditRow struct {
	// Caller is who asked: windtunnel's users | windtunnel's observer | nodes | proxies | kube-scheduler |
	// kube-controller-manager, which is also its service accounts | kube-apiserver | others.
	Caller      string   `json:"caller"`
	Verb        string   `json:"verb"` // of HTTP, with LIST and DELETECOLLECTION apart, as in the other tables
	Group       string   `json:"group,omitempty"`
	Resource    string   `json:"resource"` // the first element of the path, such as /openapi, where it is for no resource
	Subresource string   `json:"subresource,omitempty"`
	Scope       string   `json:"scope"`
	N           int64    `json:"n"`
	Errors      int64    `json:"errors"` // codes from 400 on, and answers that panicked; not in the latency
	P50         *Bounds  `json:"p50"`    // null without data
	P90         *Bounds  `json:"p90"`
	P99         *Bounds  `json:"p99"`
	Max         *float64 `json:"max"`
}
